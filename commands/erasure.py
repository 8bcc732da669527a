"""Erasing from the command history: places and texts when a vehicle leaves its fleet, names when a user is deleted.

The rows themselves remain.
"""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.members import erasure as user_erasure
from commands.models import BulkCommand, Command, CommandEvent, ScheduledCommand
from connect.offboarding import erasure_handlers
from connect.offboarding.erasure_target import ErasureHandler, ErasureTarget
from connect.offboarding.vehicle_erasure import only_places

_TEXTS = {"reason": "", "idempotency_key": "", "fingerprint": "", "smartcar_message": "", "schedule_id": ""}


def erase_places(target: ErasureTarget, limit: int) -> int:
    """Clears the parameters of at most `limit` commands that included a location. Returns their number."""
    placed = _commands(target).filter(
        Q(parameters__has_key="latitude") | Q(parameters__has_key="longitude"),
    )
    found = list(placed.values_list("pk", flat=True)[:limit])
    BulkCommand.objects.filter(commands__in=found).update(parameters={})
    return Command.objects.filter(pk__in=found).update(parameters={})


def erase_texts(target: ErasureTarget, limit: int) -> int:
    """Erases reasons, Smartcar's own messages, and clients' keys of at most `limit` commands. Returns their number.

    The reason of a bulk command is erased with that of any of its vehicles, since a reason may name a driver.
    """
    commands = _commands(target)
    said = CommandEvent.objects.filter(command__in=commands.values("pk")).exclude(smartcar_message="")
    found = set(said.values_list("command", flat=True)[:limit])
    bulk = BulkCommand.objects.filter(pk__in=commands.values("bulk")).exclude(reason="")
    found |= set(commands.filter(bulk__in=bulk).values_list("pk", flat=True)[:limit])
    found |= set(commands.exclude(**_TEXTS).values_list("pk", flat=True)[:limit])
    chosen = sorted(found)[:limit]
    _erase_from_schedules(target)
    CommandEvent.objects.filter(command__in=chosen).update(smartcar_message="")
    BulkCommand.objects.filter(commands__in=chosen).update(reason="")
    return Command.objects.filter(pk__in=chosen).update(**_TEXTS)


def _erase_from_schedules(target: ErasureTarget) -> None:
    """Erases the reasons of what is scheduled for the vehicle, and takes a vehicle that left out of it."""
    scheduled = ScheduledCommand.objects.filter(vehicles=target.vehicle)
    scheduled.exclude(reason="").update(reason="")
    if not target.still_shared:
        ScheduledCommand.vehicles.through.objects.filter(vehicle=target.vehicle).delete()


def _commands(target: ErasureTarget) -> "QuerySet[Command]":
    commands = Command.objects.filter(vehicle=target.vehicle, requested_at__lte=target.until)
    return commands if target.since is None else commands.filter(requested_at__gte=target.since)


def erase_names(*, names: frozenset[str], replacement: str) -> int:
    """Replaces a deleted user's names in the messages of commands. Returns the number of messages."""
    return sum(
        model._default_manager.filter(message_params__person__in=list(names)).update(
            message_params={"person": replacement}
        )
        for model in (Command, CommandEvent)
    )


def register() -> None:
    """Registers the erasure handlers for offboarding and for deleted users."""
    user_erasure.register(erase_names, kind="command messages")
    erasure_handlers.register(
        ErasureHandler(
            "commands", _("Locations in sent commands (the command history is kept)"), erase_places
        )
    )
    erasure_handlers.register(
        ErasureHandler("command_texts", _("Reasons and messages of commands"), erase_texts, only_places)
    )
