"""Reading the ledger, always for one car or one fleet."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import Fleet
from commands.models import Command, CommandState
from commands.types import CommandType
from vehicles.models import Vehicle

# A car may learn by an update of its own, or Smartcar of its: what it could not do is tried again after this.
INCAPABLE_FOR = timedelta(days=7)


def list_recent_commands(*, vehicle: Vehicle, limit: int = 10) -> list[Command]:
    """The car's newest commands, newest first."""
    return list(Command.objects.filter(vehicle=vehicle).select_related("requested_by")[:limit])


def list_commands(*, fleet: Fleet, state: str = "", kind: str = "") -> QuerySet[Command]:
    """The fleet's commands, newest first; of one state or kind where they are given."""
    rows = Command.objects.filter(fleet=fleet).select_related("vehicle", "requested_by")
    rows = rows.filter(state=state) if state in CommandState.values else rows
    return rows.filter(kind=kind) if kind in CommandType.values else rows


def list_commands_of_fleets(*, fleets: QuerySet[Fleet]) -> QuerySet[Command]:
    """The commands of these fleets, newest first."""
    return Command.objects.filter(fleet__in=fleets).select_related("vehicle", "fleet", "requested_by")


def incapable_vehicles(*, vehicles: Iterable[Vehicle], kind: CommandType, now: datetime) -> frozenset[int]:
    """The ids of those cars that lately could not do this at all, in one query."""
    refused = Command.objects.filter(
        vehicle__in=list(vehicles),
        kind=kind,
        state=CommandState.REFUSED,
        error_type="COMPATIBILITY",
        settled_at__gt=now - INCAPABLE_FOR,
    )
    return frozenset(refused.values_list("vehicle_id", flat=True))


def incapable_command_types(*, vehicle: Vehicle, now: datetime) -> frozenset[str]:
    """The kinds that Smartcar lately refused because this car cannot do them at all (501, COMPATIBILITY)."""
    refused = Command.objects.filter(
        vehicle=vehicle,
        state=CommandState.REFUSED,
        error_type="COMPATIBILITY",
        settled_at__gt=now - INCAPABLE_FOR,
    )
    return frozenset(refused.values_list("kind", flat=True))
