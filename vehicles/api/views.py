"""The read API: the cars of the fleets that the caller may see. Anything else is 404."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.scoping import accessible_fleets
from accounts.permissions import Permission
from core.api.caching import revalidated
from core.api.exceptions import FleetRequired
from core.api.pagination import PagePagination, without_paging
from vehicles.api.history import history_page, point_json
from vehicles.api.queries import HistoryQuery, SignalsQuery, VehicleQuery, VehiclesQuery
from vehicles.api.serializers import HistorySerializer, SignalsSerializer, VehicleSerializer, signal_json
from vehicles.api.units import unit_in
from vehicles.catalogue import CATALOGUE
from vehicles.history import NotANumberError
from vehicles.models import Vehicle
from vehicles.search import find_vehicles
from vehicles.selectors import list_states


def get_vehicle(
    request: Request, *, smartcar_id: str, fleet: str, right: Permission = Permission.VIEW
) -> Vehicle:
    """The caller's car with this Smartcar vehicle id, its fleet loaded.

    Raises NotFound, and Ambiguous where two fleets of the caller's have it and none was named.
    """
    fleets = accessible_fleets(request, right=right, slug=fleet)
    cars = list(Vehicle.objects.filter(fleet__in=fleets, smartcar_id=smartcar_id).select_related("fleet"))
    if not cars:
        raise NotFound("There is no such car in a fleet of yours.")
    if len(cars) > 1:
        slugs = " or ".join(sorted(f"?fleet={car.fleet.slug}" for car in cars))
        raise FleetRequired(f"This car stands in several of your fleets: add {slugs}.")
    return cars[0]


@revalidated
class VehicleList(generics.ListAPIView[Vehicle]):
    """Cars, a page at a time. A car that stands in two fleets of the caller's is listed once for each."""

    serializer_class = VehicleSerializer
    pagination_class = PagePagination

    @extend_schema(operation_id="vehicles_list", parameters=[VehiclesQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Vehicle]:
        asked = without_paging(VehiclesQuery.from_request(self.request))
        fleets = accessible_fleets(self.request, right=Permission.VIEW, slug=asked.pop("fleet"))
        return find_vehicles(fleets=fleets, **asked)


@revalidated
class VehicleDetail(APIView):
    """One car, by its Smartcar vehicle id."""

    @extend_schema(operation_id="vehicle", parameters=[VehicleQuery], responses=VehicleSerializer)
    def get(self, request: Request, smartcar_id: str) -> Response:
        car = get_vehicle(request, smartcar_id=smartcar_id, **VehicleQuery.from_request(request))
        return Response(VehicleSerializer(car).data)


@revalidated
class VehicleSignals(APIView):
    """The latest good value of each signal of a car, its age, and how its last report went."""

    @extend_schema(operation_id="vehicle_signals", parameters=[SignalsQuery], responses=SignalsSerializer)
    def get(self, request: Request, smartcar_id: str) -> Response:
        asked = SignalsQuery.from_request(request)
        car = get_vehicle(request, smartcar_id=smartcar_id, fleet=asked["fleet"])
        (state,) = list_states(vehicles=[car])
        codes = {code.lower() for code in asked["codes"].split(",") if code} or set(state.signals)
        rows = [row for code, row in sorted(state.signals.items()) if code in codes]
        now = timezone.now()
        signals = [signal_json(row, units=asked["units"], now=now) for row in rows]
        return Response({"vehicle": car.smartcar_id, "fleet": car.fleet.slug, "signals": signals})


@revalidated
class SignalHistory(APIView):
    """How one signal of a car changed. Only changes are kept: a value holds until the next one."""

    @extend_schema(operation_id="signal_history", parameters=[HistoryQuery], responses=HistorySerializer)
    def get(self, request: Request, smartcar_id: str, code: str) -> Response:
        asked = HistoryQuery.from_request(request)
        car = get_vehicle(request, smartcar_id=smartcar_id, fleet=asked["fleet"])
        signal = CATALOGUE.get(code.lower())
        if signal is None:
            raise NotFound("There is no signal of this code.")
        try:
            page = history_page(
                vehicle=car,
                signal=signal,
                start=asked["from"],
                end=asked["to"],
                resolution=asked["resolution"],
            )
        except NotANumberError as error:
            raise ValidationError({"resolution": [f"{error} Ask for raw."]}) from error
        unit = unit_in(signal, asked["units"])
        return Response(
            {
                "vehicle": car.smartcar_id,
                "fleet": car.fleet.slug,
                "signal": signal.code,
                "unit": unit.value if unit else None,
                "resolution": asked["resolution"],
                "from": asked["from"],
                "to": asked["to"],
                "points": [point_json(point, signal=signal, unit=unit) for point in page.points],
                "next": _next(request, asked, page.next_start),
            }
        )


def _next(request: Request, asked: dict[str, Any], start: Any) -> str | None:
    """The address of the next page: the same question from a later time, and to the same end."""
    if start is None:
        return None
    question = {name: value for name, value in asked.items() if value and name not in ("from", "to")}
    question |= {"from": start.isoformat(), "to": asked["to"].isoformat()}
    return request.build_absolute_uri(f"{request.path}?{urlencode(question)}")
