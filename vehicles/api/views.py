"""The read-only API of the vehicles in the caller's fleets. Anything else is 404."""

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

from accounts.api.scoping import accessible_fleets, acting_user, service_account
from accounts.permissions import Permission
from core.api.caching import revalidated
from core.api.exceptions import FleetRequired
from core.api.pagination import PagePagination, without_paging
from vehicles import details
from vehicles.api.history import history_page, point_json
from vehicles.api.queries import HistoryQuery, SignalsQuery, VehicleQuery, VehiclesQuery
from vehicles.api.serializers import (
    HistorySerializer,
    SignalsSerializer,
    VehicleSerializer,
    VinSerializer,
    signal_json,
)
from vehicles.api.units import unit_for
from vehicles.catalogue import CATALOGUE
from vehicles.history import NotANumberError
from vehicles.models import Vehicle
from vehicles.search import find_vehicles
from vehicles.selectors import list_states


def get_vehicle(
    request: Request, *, smartcar_id: str, fleet: str, right: Permission = Permission.VIEW
) -> Vehicle:
    """Returns the caller's vehicle with this Smartcar vehicle ID, and its fleet.

    Raises NotFound, and FleetRequired if several of the caller's fleets have the vehicle and `fleet` is empty.
    """
    fleets = accessible_fleets(request, right=right, slug=fleet)
    vehicles = list(Vehicle.objects.filter(fleet__in=fleets, smartcar_id=smartcar_id).select_related("fleet"))
    if not vehicles:
        raise NotFound("No such vehicle in your fleets.")
    if len(vehicles) > 1:
        slugs = " or ".join(sorted(f"?fleet={vehicle.fleet.slug}" for vehicle in vehicles))
        raise FleetRequired(f"This vehicle is in several of your fleets: add {slugs}.")
    return vehicles[0]


@revalidated
class VehicleList(generics.ListAPIView[Vehicle]):
    """Vehicles, in pages. A vehicle in several of the caller's fleets is listed once for each fleet."""

    serializer_class = VehicleSerializer
    pagination_class = PagePagination

    @extend_schema(operation_id="vehicles_list", summary="List vehicles", parameters=[VehiclesQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Vehicle]:
        query = without_paging(VehiclesQuery.from_request(self.request))
        fleets = accessible_fleets(self.request, right=Permission.VIEW, slug=query.pop("fleet"))
        return find_vehicles(fleets=fleets, now=timezone.now(), **query)


@revalidated
class VehicleDetail(APIView):
    """One vehicle, by its Smartcar vehicle ID."""

    @extend_schema(
        operation_id="vehicle",
        summary="Get a vehicle",
        parameters=[VehicleQuery],
        responses=VehicleSerializer,
    )
    def get(self, request: Request, smartcar_id: str) -> Response:
        vehicle = get_vehicle(request, smartcar_id=smartcar_id, **VehicleQuery.from_request(request))
        return Response(VehicleSerializer(vehicle).data)


class VehicleVin(APIView):
    """The whole VIN of a vehicle, which is masked elsewhere. Each request is recorded in the audit log."""

    @extend_schema(
        operation_id="vehicle_vin",
        summary="Show a vehicle's whole VIN",
        parameters=[VehicleQuery],
        request=None,
        responses=VinSerializer,
    )
    def post(self, request: Request, smartcar_id: str) -> Response:
        query = VehicleQuery.from_request(request)
        vehicle = get_vehicle(request, smartcar_id=smartcar_id, right=Permission.CONNECT, **query)
        user = acting_user(request, fleet=vehicle.fleet, right=Permission.CONNECT)
        details.log_vin_view(vehicle=vehicle, actor=user, service_account=service_account(request))
        return Response({"vin": vehicle.vin})


@revalidated
class VehicleSignals(APIView):
    """The latest valid value of each signal of a vehicle, its age, and the status of its last report."""

    @extend_schema(
        operation_id="vehicle_signals",
        summary="Get a vehicle's latest signals",
        parameters=[SignalsQuery],
        responses=SignalsSerializer,
    )
    def get(self, request: Request, smartcar_id: str) -> Response:
        query = SignalsQuery.from_request(request)
        vehicle = get_vehicle(request, smartcar_id=smartcar_id, fleet=query["fleet"])
        (state,) = list_states(vehicles=[vehicle])
        codes = {code.lower() for code in query["codes"].split(",") if code} or set(state.signals)
        rows = [row for code, row in sorted(state.signals.items()) if code in codes - state.hidden]
        now = timezone.now()
        signals = [signal_json(row, units=query["units"], now=now) for row in rows]
        return Response({"vehicle": vehicle.smartcar_id, "fleet": vehicle.fleet.slug, "signals": signals})


@revalidated
class SignalHistory(APIView):
    """The history of one signal of a vehicle. Only changes are stored: a value applies until the next one."""

    @extend_schema(
        operation_id="signal_history",
        summary="Get a signal's history",
        parameters=[HistoryQuery],
        responses=HistorySerializer,
    )
    def get(self, request: Request, smartcar_id: str, code: str) -> Response:
        query = HistoryQuery.from_request(request)
        vehicle = get_vehicle(request, smartcar_id=smartcar_id, fleet=query["fleet"])
        signal = CATALOGUE.get(code.lower())
        if signal is None:
            raise NotFound("There is no signal of this code.")
        try:
            page = history_page(
                vehicle=vehicle,
                signal=signal,
                start=query["from"],
                end=query["to"],
                resolution=query["resolution"],
            )
        except NotANumberError as error:
            raise ValidationError({"resolution": [f"{error} Ask for raw."]}) from error
        unit = unit_for(signal, query["units"])
        return Response(
            {
                "vehicle": vehicle.smartcar_id,
                "fleet": vehicle.fleet.slug,
                "signal": signal.code,
                "unit": unit.value if unit else None,
                "resolution": query["resolution"],
                "from": query["from"],
                "to": query["to"],
                "points": [point_json(point, signal=signal, unit=unit) for point in page.points],
                "next": _next(request, query, page.next_start),
            }
        )


def _next(request: Request, query: dict[str, Any], start: Any) -> str | None:
    """Returns the URL of the next page: the same query with a later start."""
    if start is None:
        return None
    parameters = {name: value for name, value in query.items() if value and name not in ("from", "to")}
    parameters |= {"from": start.isoformat(), "to": query["to"].isoformat()}
    return request.build_absolute_uri(f"{request.path}?{urlencode(parameters)}")
