"""Emptying the raw messages about a car that leaves its fleet."""

from django.utils.translation import gettext_lazy as _

from connect.models import Connection, ConnectionState
from connect.offboarding import erasure_handlers
from connect.offboarding.erasure_handlers import ErasureTarget
from core.message_codes import NO_MESSAGE, Message
from webhooks.messages import DeliveryErasureNote
from webhooks.models import EntryState, InboxEntry


def erase_bodies(target: ErasureTarget, limit: int) -> int:
    """Empties at most `limit` messages about the car. Returns how many.

    A message holds places beside everything else, so it goes whole. One that still waits is dropped when its
    turn comes (webhooks.processing).
    """
    held = InboxEntry.objects.filter(
        smartcar_vehicle_id=target.vehicle.smartcar_id, received_at__lte=target.until
    ).exclude(body=b"")
    if target.since is not None:
        held = held.filter(received_at__gte=target.since)
    # Of those that wait nobody knows yet what they are.
    found = list(held.exclude(state=EntryState.WAITING).values_list("pk", flat=True)[:limit])
    return InboxEntry.objects.filter(pk__in=found).update(body=b"", traceback="")


def skip_reason(target: ErasureTarget) -> Message:
    """Why the messages stay: they are another fleet's as well."""
    others = Connection.objects.filter(vehicle__smartcar_id=target.vehicle.smartcar_id).exclude(
        vehicle=target.vehicle
    )
    if others.exclude(state=ConnectionState.REMOVED).exists():
        return DeliveryErasureNote.SHARED_WITH_FLEET.message()
    return NO_MESSAGE


def register() -> None:
    """Has a removal erase them."""
    erasure_handlers.register(
        erasure_handlers.ErasureHandler(
            "messages", _("Raw Smartcar deliveries for the vehicle"), erase_bodies, skip_reason
        )
    )
