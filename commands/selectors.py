"""Queries for commands, always of one vehicle or of given fleets."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import Fleet
from commands.models import Command, CommandState
from commands.types import CommandType
from vehicles.models import Vehicle

# After this time, an unsupported command may be sent again: the vehicle or Smartcar may have been updated.
INCAPABLE_FOR = timedelta(days=7)


def list_recent_commands(*, vehicle: Vehicle, limit: int = 10) -> list[Command]:
    """Returns the vehicle's newest commands, newest first."""
    return list(
        Command.objects.filter(vehicle=vehicle).select_related("requested_by", "requested_by_account")[:limit]
    )


def list_commands(*, fleet: Fleet, state: str = "", kind: str = "") -> QuerySet[Command]:
    """Returns the fleet's commands, newest first, optionally of one state or type."""
    rows = Command.objects.filter(fleet=fleet).select_related(
        "vehicle", "requested_by", "requested_by_account"
    )
    rows = rows.filter(state=state) if state in CommandState.values else rows
    return rows.filter(kind=kind) if kind in CommandType.values else rows


def list_commands_for_fleets(*, fleets: QuerySet[Fleet]) -> QuerySet[Command]:
    """Returns the commands of these fleets, newest first."""
    rows = Command.objects.filter(fleet__in=fleets)
    return rows.select_related("vehicle", "fleet", "requested_by", "requested_by_account")


def incapable_vehicles(*, vehicles: Iterable[Vehicle], kind: CommandType, now: datetime) -> frozenset[int]:
    """Returns the IDs of those vehicles that recently reported the command as unsupported, in one query."""
    rejected = Command.objects.filter(
        vehicle__in=list(vehicles),
        kind=kind,
        state=CommandState.REFUSED,
        error_type="COMPATIBILITY",
        settled_at__gt=now - INCAPABLE_FOR,
    )
    return frozenset(rejected.values_list("vehicle_id", flat=True))


def incapable_command_types(*, vehicle: Vehicle, now: datetime) -> frozenset[str]:
    """Returns the command types that Smartcar recently rejected as unsupported by this vehicle (501, COMPATIBILITY)."""
    rejected = Command.objects.filter(
        vehicle=vehicle,
        state=CommandState.REFUSED,
        error_type="COMPATIBILITY",
        settled_at__gt=now - INCAPABLE_FOR,
    )
    return frozenset(rejected.values_list("kind", flat=True))
