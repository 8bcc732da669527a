"""Erasing locations from the command history of a vehicle that leaves its fleet. The rows themselves remain."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from commands.models import Command
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


def register() -> None:
    """Registers the erasure handler for offboarding."""
    erasure_handlers.register(
        erasure_handlers.ErasureHandler(
            "commands", _("Locations in sent commands (the command history is kept)"), erase_places
        )
    )
