"""The read-only API of deliveries, for managers: a fleet's deliveries and how they were processed."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.scoping import accessible_fleets, service_account
from accounts.models import Fleet, User
from accounts.permissions import Permission
from core.api.caching import revalidated
from core.api.pagination import NewestFirstPagination, page_size_field, without_paging
from core.api.query_params import FleetQuery, TextField
from webhooks.models import EntryState, InboxEntry, Source
from webhooks.webhook_log.payloads import payload_for
from webhooks.webhook_log.visibility import LogScope, entries_for_fleet, log_vin_view


class DeliverySerializer(serializers.ModelSerializer[InboxEntry]):
    """One delivery about a vehicle, or one API response. `vehicle` is Smartcar's vehicle ID."""

    vehicle = serializers.CharField(source="smartcar_vehicle_id")
    type = serializers.CharField(source="event_type", help_text="VEHICLE_STATE, VEHICLE_ERROR, or what came.")
    note = serializers.CharField(help_text="Why it was not recorded, or not in full; empty otherwise.")
    note_code = serializers.CharField(
        help_text="The note as a code that doesn't change; empty without a note."
    )

    class Meta:
        model = InboxEntry
        fields = [
            "id",
            "received_at",
            "processed_at",
            "source",
            "vehicle",
            "type",
            "event_id",
            "state",
            "note",
            "note_code",
            "attempts",
            "next_try_at",
        ]
        read_only_fields = fields


class DeliveryWithBodySerializer(DeliverySerializer):
    """A delivery with its body."""

    body = serializers.JSONField(
        allow_null=True,
        help_text="As it came, VINs left out, and a place unless it was recorded and no driver hides it.",
    )
    body_missing = serializers.CharField(
        allow_blank=True, help_text="Why there is no body, where there is none."
    )

    class Meta(DeliverySerializer.Meta):
        fields = [*DeliverySerializer.Meta.fields, "body", "body_missing"]
        read_only_fields = fields


class DeliveriesQuery(FleetQuery):
    """Filters for deliveries."""

    state = serializers.ChoiceField(choices=EntryState.choices, required=False)
    source = serializers.ChoiceField(choices=Source.choices, required=False)  # type: ignore[assignment]
    type = TextField(required=False, max_length=40, help_text="VEHICLE_STATE, VEHICLE_ERROR…")
    vehicle = serializers.SlugField(required=False, max_length=128, help_text="Smartcar's vehicle id.")
    received_after = serializers.DateTimeField(required=False, help_text="Later than this, itself left out.")
    received_before = serializers.DateTimeField(
        required=False, help_text="Earlier than this, itself left out."
    )
    cursor = serializers.RegexField(
        r"^[A-Za-z0-9+/=_-]+$", required=False, help_text="From `next` or `previous` of the last answer."
    )
    page_size = page_size_field(NewestFirstPagination)


class DeliveryQuery(FleetQuery):
    """The fleet, for callers who are members of several."""


_CONDITIONS = {
    "state": "state",
    "source": "source",
    "type": "event_type",
    "vehicle": "smartcar_vehicle_id",
    "received_after": "received_at__gt",
    "received_before": "received_at__lt",
}


@revalidated
class DeliveryList(generics.ListAPIView[InboxEntry]):
    """Deliveries about the vehicles of the caller's fleets, newest first, without their bodies."""

    serializer_class = DeliverySerializer
    pagination_class = NewestFirstPagination

    @extend_schema(operation_id="deliveries_list", summary="List deliveries", parameters=[DeliveriesQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[InboxEntry]:
        query = without_paging(DeliveriesQuery.from_request(self.request))
        fleets = accessible_fleets(self.request, right=Permission.INSPECT, slug=query.pop("fleet"))
        conditions = {_CONDITIONS[name]: value for name, value in query.items()}
        return entries_for_fleet(fleets=fleets).filter(**conditions).defer("body", "traceback")


@revalidated
class DeliveryDetail(APIView):
    """One delivery with its body, in which VINs are hidden."""

    @extend_schema(
        operation_id="delivery",
        summary="Get a delivery with its body",
        parameters=[DeliveryQuery],
        responses=DeliveryWithBodySerializer,
    )
    def get(self, request: Request, delivery_id: int) -> Response:
        return _response(*_find(request, delivery_id), with_vin=False)


class DeliveryWithVin(APIView):
    """One delivery with its body, including VINs. Each request is recorded in the audit log."""

    @extend_schema(
        operation_id="delivery_vin",
        summary="Get a delivery with whole VINs",
        parameters=[DeliveryQuery],
        request=None,
        responses=DeliveryWithBodySerializer,
    )
    def post(self, request: Request, delivery_id: int) -> Response:
        entry, scope = _find(request, delivery_id)
        user = request.user if isinstance(request.user, User) else None
        log_vin_view(entry=entry, scope=scope, actor=user, service_account=service_account(request))
        return _response(entry, scope, with_vin=True)


def _find(request: Request, delivery_id: int) -> tuple[InboxEntry, LogScope]:
    slug = DeliveryQuery.from_request(request)["fleet"]
    for fleet in accessible_fleets(request, right=Permission.INSPECT, slug=slug):
        entry = entries_for_fleet(fleets=Fleet.objects.filter(pk=fleet.pk)).filter(pk=delivery_id).first()
        if entry is not None:
            return entry, LogScope(fleet)
    raise NotFound("No such delivery about a vehicle of yours.")


def _response(entry: InboxEntry, scope: LogScope, *, with_vin: bool) -> Response:
    body = payload_for(entry=entry, scope=scope, with_vin=with_vin)
    return Response({**DeliverySerializer(entry).data, "body": body.content, "body_missing": body.why})
