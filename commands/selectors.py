"""Reading the ledger, always for one car or one fleet."""

from django.db.models import QuerySet

from accounts.models import Fleet
from commands.models import Command
from vehicles.models import Vehicle


def recent_of(*, vehicle: Vehicle, limit: int = 10) -> list[Command]:
    """The car's newest commands, newest first."""
    return list(Command.objects.filter(vehicle=vehicle).select_related("requested_by")[:limit])


def commands_of(*, fleet: Fleet) -> QuerySet[Command]:
    """The fleet's commands, newest first."""
    return Command.objects.filter(fleet=fleet).select_related("vehicle", "requested_by")
