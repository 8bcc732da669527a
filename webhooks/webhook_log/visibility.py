"""Which deliveries are visible: a fleet's for its managers, all of the site for staff.

A fleet sees the deliveries about a vehicle that arrived while a connection of its own was active. Deliveries from
before, between or after, and those without a vehicle, are not visible to it.
"""

from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import ApiToken, Fleet, User
from connect.models import Connection, Transition
from connect.status.states import TERMINATED
from vehicles.models import Vehicle
from webhooks.models import InboxEntry


@dataclass(frozen=True, slots=True)
class LogScope:
    """One fleet, or the whole site if `fleet` is None."""

    fleet: Fleet | None

    def entries(self) -> QuerySet[InboxEntry]:
        """Returns the visible entries, newest first."""
        entries = InboxEntry.objects.order_by("-id")
        return (
            entries
            if self.fleet is None
            else entries_for_fleet(fleets=Fleet.objects.filter(pk=self.fleet.pk))
        )


def log_vin_view(
    *, entry: InboxEntry, scope: LogScope, actor: User | None, service_account: ApiToken | None = None
) -> None:
    """Records in the audit log that a member or a service account viewed the VINs in a delivery."""
    if scope.fleet is not None:
        log_event(
            fleet=scope.fleet,
            actor=actor,
            event=AuditEvent.DELIVERY_VIN_VIEWED,
            about=(AuditObject.DELIVERY, entry.pk),
            data={"service_account": str(service_account)} if service_account else {},
        )


def entries_for_fleet(*, fleets: QuerySet[Fleet]) -> QuerySet[InboxEntry]:
    """Returns the deliveries about the fleets' vehicles that arrived while they were connected, newest first.

    Listing the vehicles' IDs lets PostgreSQL use the index on vehicle and time.
    """
    smartcar_ids = set(Vehicle.objects.filter(fleet__in=fleets).values_list("smartcar_id", flat=True))
    own = InboxEntry.objects.filter(Exists(_granted(fleets)), smartcar_vehicle_id__in=sorted(smartcar_ids))
    return own.exclude(smartcar_vehicle_id="").order_by("-id")


def entries_for_vehicle(*, vehicle: Vehicle) -> QuerySet[InboxEntry]:
    """Returns the deliveries about one vehicle that its fleet may see (see `entries_for_fleet`), newest first by time.

    Queries the periods of its connections first. A vehicle has few of them, and PostgreSQL can then use the index on
    vehicle and time without a subquery for each delivery.
    """
    reconnected_at = Max("transitions__at", filter=Q(transitions__from_state__in=TERMINATED))
    connections = (
        Connection.objects.filter(vehicle=vehicle).order_by().annotate(reconnected_at=reconnected_at)
    )
    visible = Q(pk__in=[])
    for each in connections:
        times = Q(received_at__gte=max(each.created_at, each.reconnected_at or each.created_at))
        if each.state in TERMINATED:
            times &= Q(received_at__lte=each.state_since)
        visible |= times
    return InboxEntry.objects.filter(visible, smartcar_vehicle_id=vehicle.smartcar_id).order_by(
        "-received_at", "-id"
    )


def newest_id() -> int:
    """Returns the ID of the newest entry, or 0 if there is none."""
    newest: int | None = InboxEntry.objects.aggregate(newest=Max("id"))["newest"]
    return newest or 0


def _granted(fleets: QuerySet[Fleet]) -> QuerySet[Connection]:
    """Returns the connections that make the entry of the outer query visible to their fleet."""
    received_at = OuterRef("received_at")
    connected_again = Transition.objects.filter(
        connection=OuterRef("pk"), from_state__in=TERMINATED, at__gt=OuterRef(received_at)
    )
    return Connection.objects.filter(
        Q(state_since__gte=received_at) | ~Q(state__in=TERMINATED),
        ~Exists(connected_again),
        fleet__in=fleets,
        vehicle__smartcar_id=OuterRef("smartcar_vehicle_id"),
        created_at__lte=received_at,
    )
