"""Whose messages are looked at: a fleet's, by its managers, or all of the site, by its admins.

A fleet sees what came about a car while a connection of its own stood. What came before, between or after, and what
names no car, is not its business.
"""

from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from accounts.models import Fleet
from connect.models import Connection, Transition
from connect.status.states import TERMINATED
from vehicles.models import Vehicle
from webhooks.models import InboxEntry


@dataclass(frozen=True, slots=True)
class LogScope:
    """One fleet, or the whole site where `fleet` is None."""

    fleet: Fleet | None

    def entries(self) -> QuerySet[InboxEntry]:
        """The messages, newest first."""
        entries = InboxEntry.objects.order_by("-id")
        return (
            entries
            if self.fleet is None
            else entries_for_fleet(fleets=Fleet.objects.filter(pk=self.fleet.pk))
        )


def entries_for_fleet(*, fleets: QuerySet[Fleet]) -> QuerySet[InboxEntry]:
    """The messages that came about the fleets' cars while they were connected, newest first.

    The cars are named one by one, which lets PostgreSQL take their messages out of the index by car and time.
    """
    cars = set(Vehicle.objects.filter(fleet__in=fleets).values_list("smartcar_id", flat=True))
    own = InboxEntry.objects.filter(Exists(_granted(fleets)), smartcar_vehicle_id__in=sorted(cars))
    return own.exclude(smartcar_vehicle_id="").order_by("-id")


def entries_for_vehicle(*, vehicle: Vehicle) -> QuerySet[InboxEntry]:
    """The messages about one car that its fleet may see: those of `entries_of`, newest first by time.

    The times in which its connections stood are read first: of one car they are few, and PostgreSQL then takes the
    messages out of the index by car and time without a question about each.
    """
    again = Max("transitions__at", filter=Q(transitions__from_state__in=TERMINATED))
    connections = Connection.objects.filter(vehicle=vehicle).order_by().annotate(again=again)
    held = Q(pk__in=[])
    for each in connections:
        times = Q(received_at__gte=max(each.created_at, each.again or each.created_at))
        if each.state in TERMINATED:
            times &= Q(received_at__lte=each.state_since)
        held |= times
    return InboxEntry.objects.filter(held, smartcar_vehicle_id=vehicle.smartcar_id).order_by(
        "-received_at", "-id"
    )


def newest_id() -> int:
    """The id of the last message that came, 0 when none did."""
    newest: int | None = InboxEntry.objects.aggregate(newest=Max("id"))["newest"]
    return newest or 0


def _granted(fleets: QuerySet[Fleet]) -> QuerySet[Connection]:
    """Connections by which the message of the outer query is a fleet's own."""
    came = OuterRef("received_at")
    connected_again = Transition.objects.filter(
        connection=OuterRef("pk"), from_state__in=TERMINATED, at__gt=OuterRef(came)
    )
    return Connection.objects.filter(
        Q(state_since__gte=came) | ~Q(state__in=TERMINATED),
        ~Exists(connected_again),
        fleet__in=fleets,
        vehicle__smartcar_id=OuterRef("smartcar_vehicle_id"),
        created_at__lte=came,
    )
