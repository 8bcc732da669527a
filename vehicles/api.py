"""The read API: the cars of the fleets that the caller may see. Anything else is 404."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounts.access import Right, fleets_with_right
from vehicles.models import Vehicle
from vehicles.selectors import states_of


class Root(APIView):
    """Where everything is."""

    def get(self, request: Request) -> Response:
        return Response({"vehicles": reverse("api:vehicles", request=request)})


class VehicleSerializer(serializers.ModelSerializer[Vehicle]):
    """A car. `id` is Smartcar's vehicle id."""

    id = serializers.CharField(source="smartcar_id")
    fleet = serializers.CharField(source="fleet.slug")

    class Meta:
        model = Vehicle
        fields = [
            "id",
            "fleet",
            "name",
            "plate",
            "make",
            "model",
            "year",
            "powertrain",
            "mode",
            "last_seen_at",
        ]


class VehicleWithSignalsSerializer(VehicleSerializer):
    """A car with its latest signals by code, in storage units."""

    signals = serializers.SerializerMethodField()

    class Meta(VehicleSerializer.Meta):
        fields = [*VehicleSerializer.Meta.fields, "signals"]

    def get_signals(self, vehicle: Vehicle) -> dict[str, Any]:
        (state,) = states_of(vehicles=[vehicle])
        return {
            code: {"body": row.body, "status": row.status, "observed_at": row.observed_at}
            for code, row in sorted(state.signals.items())
        }


def _cars_for(request: Request) -> QuerySet[Vehicle]:
    """The cars that the caller may see; of one fleet with `?fleet=`."""
    fleets = fleets_with_right(user=request.user, right=Right.VIEW)
    cars = Vehicle.objects.filter(fleet__in=fleets).select_related("fleet").order_by("pk")
    slug = request.query_params.get("fleet")
    return cars.filter(fleet__slug=slug) if slug else cars


class VehicleList(generics.ListAPIView[Vehicle]):
    """Cars, a page at a time; `?fleet=` names one fleet."""

    serializer_class = VehicleSerializer

    def get_queryset(self) -> QuerySet[Vehicle]:
        return _cars_for(self.request)


class VehicleDetail(generics.RetrieveAPIView[Vehicle]):
    """One car by its Smartcar vehicle id; `?fleet=` chooses where it stands in two of the caller's fleets."""

    serializer_class = VehicleWithSignalsSerializer

    def get_object(self) -> Vehicle:
        car = _cars_for(self.request).filter(smartcar_id=self.kwargs["smartcar_id"]).first()
        if car is None:
            raise NotFound
        return car
