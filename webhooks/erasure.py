"""Erases the raw deliveries about a vehicle that leaves its fleet."""

from django.utils.translation import gettext_lazy as _

from connect.models import Connection, ConnectionState
from connect.offboarding import erasure_handlers
from connect.offboarding.erasure_handlers import ErasureTarget
from core.message_codes import NO_MESSAGE, Message
from webhooks.messages import DeliveryErasureNote
from webhooks.models import EntryState, InboxEntry


def erase_bodies(target: ErasureTarget, limit: int) -> int:
    """Empties at most `limit` deliveries about the vehicle and returns how many.

    A delivery contains locations along with other data, so the whole body is erased. A queued delivery is dropped
    when it is processed (webhooks.processing).
    """
    entries = InboxEntry.objects.filter(
        smartcar_vehicle_id=target.vehicle.smartcar_id, received_at__lte=target.until
    ).exclude(body=b"")
    if target.since is not None:
        entries = entries.filter(received_at__gte=target.since)
    # Queued deliveries have not been parsed yet.
    ids = list(entries.exclude(state=EntryState.WAITING).values_list("pk", flat=True)[:limit])
    return InboxEntry.objects.filter(pk__in=ids).update(body=b"", traceback="")


def skip_reason(target: ErasureTarget) -> Message:
    """Returns why the deliveries are retained: another fleet uses the vehicle, too."""
    others = Connection.objects.filter(vehicle__smartcar_id=target.vehicle.smartcar_id).exclude(
        vehicle=target.vehicle
    )
    if others.exclude(state=ConnectionState.REMOVED).exists():
        return DeliveryErasureNote.SHARED_WITH_FLEET.message()
    return NO_MESSAGE


def register() -> None:
    """Registers the erasure of deliveries with offboarding."""
    erasure_handlers.register(
        erasure_handlers.ErasureHandler(
            "messages", _("Raw Smartcar deliveries for the vehicle"), erase_bodies, skip_reason
        )
    )
