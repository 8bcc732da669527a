"""Erasing from the command history: locations when a vehicle leaves its fleet, names when a user is deleted.

The rows themselves remain.
"""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.members import erasure as user_erasure
from commands.models import Command, CommandEvent
from connect.offboarding import erasure_handlers
from connect.offboarding.erasure_handlers import ErasureTarget


def erase_places(target: ErasureTarget, limit: int) -> int:
    """Clears the parameters of at most `limit` commands that included a location. Returns their number."""
    placed = Command.objects.filter(
        Q(parameters__has_key="latitude") | Q(parameters__has_key="longitude"),
        vehicle=target.vehicle,
        requested_at__lte=target.until,
    )
    if target.since is not None:
        placed = placed.filter(requested_at__gte=target.since)
    found = list(placed.values_list("pk", flat=True)[:limit])
    return Command.objects.filter(pk__in=found).update(parameters={})


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
        erasure_handlers.ErasureHandler(
            "commands", _("Locations in sent commands (the command history is kept)"), erase_places
        )
    )
