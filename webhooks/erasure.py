"""Erases the raw deliveries and reported errors of a vehicle that leaves its fleet."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from connect.models import Connection, ConnectionState
from connect.offboarding import erasure_handlers, residue
from connect.offboarding.erasure_target import ErasureHandler, ErasureTarget
from connect.offboarding.vehicle_erasure import identity_retained, only_places
from core.message_codes import NO_MESSAGE, Message
from vehicles.models import Vehicle
from webhooks.messages import DeliveryErasureNote
from webhooks.models import DeliveryCadence, EntryState, InboxEntry, VehicleError
from webhooks.parsing.identifiers import possible_identifiers


def erase_bodies(target: ErasureTarget, limit: int) -> int:
    """Empties at most `limit` deliveries about the vehicle and returns how many.

    A delivery contains locations along with other data, so the whole body is erased. A queued delivery is dropped
    when it is processed (webhooks.processing).
    """
    entries = _in_period(target).filter(smartcar_vehicle_id=target.vehicle.smartcar_id)
    ids = list(entries.values_list("pk", flat=True)[:limit])
    return InboxEntry.objects.filter(pk__in=ids).update(body=b"", traceback="")


def erase_unassigned(target: ErasureTarget, limit: int) -> int:
    """Empties at most `limit` deliveries that name no vehicle, unless they contain the ID or VIN of another one only.

    These are deliveries that couldn't be read, and those of unknown types. Whether they are about this vehicle can't be
    told, so they are erased if they may be.
    """
    connected = Connection.objects.filter(vehicle=target.vehicle).order_by("created_at").first()
    if connected is None:
        return 0
    unassigned = _in_period(target).filter(smartcar_vehicle_id="", received_at__gte=connected.created_at)
    # Processed deliveries name a vehicle; without them, PostgreSQL can use the index of the others.
    unassigned = unassigned.exclude(state__in=[EntryState.WAITING, EntryState.PROCESSED])
    erased: list[int] = []
    for entry in unassigned.order_by("pk").only("pk", "body").iterator(chunk_size=100):
        if len(erased) < limit and _may_be_about(bytes(entry.body), target.vehicle):
            erased.append(entry.pk)
    return InboxEntry.objects.filter(pk__in=erased).update(body=b"", traceback="")


def _in_period(target: ErasureTarget) -> QuerySet[InboxEntry]:
    entries = InboxEntry.objects.filter(received_at__lte=target.until).exclude(body=b"", traceback="")
    if target.since is not None:
        entries = entries.filter(received_at__gte=target.since)
    # Queued deliveries have not been parsed yet.
    return entries.exclude(state=EntryState.WAITING)


def _may_be_about(body: bytes, vehicle: Vehicle) -> bool:
    words = possible_identifiers(body)
    if words & {vehicle.smartcar_id, vehicle.vin}:
        return True
    others = Vehicle.objects.exclude(smartcar_id=vehicle.smartcar_id)
    return not others.filter(Q(smartcar_id__in=words) | Q(vin__in=words)).exists()


def erase_errors(target: ErasureTarget, limit: int) -> int:
    """Deletes at most `limit` errors that Smartcar reported about the vehicle, with their texts. Returns how many."""
    errors = VehicleError.objects.filter(vehicle=target.vehicle, first_at__lte=target.until)
    if target.since is not None:
        errors = errors.filter(last_at__gte=target.since)
    ids = list(errors.values_list("pk", flat=True)[:limit])
    return VehicleError.objects.filter(pk__in=ids).delete()[0]


def erase_cadence(target: ErasureTarget, limit: int) -> int:
    """Deletes how often the vehicle delivers. Returns the number of rows."""
    return DeliveryCadence.objects.filter(vehicle=target.vehicle).delete()[0]


def skip_reason(target: ErasureTarget) -> Message:
    """Returns why the deliveries are retained: another fleet uses the vehicle, too."""
    others = Connection.objects.filter(vehicle__smartcar_id=target.vehicle.smartcar_id).exclude(
        vehicle=target.vehicle
    )
    if others.exclude(state=ConnectionState.REMOVED).exists():
        return DeliveryErasureNote.SHARED_WITH_FLEET.message()
    return NO_MESSAGE


def _deliveries(target: ErasureTarget, rows: "QuerySet[InboxEntry]") -> "QuerySet[InboxEntry]":
    """The deliveries that must not contain anything about the target: those about the vehicle, and about no vehicle.

    Queued ones, too: they are dropped when they are processed, and the search is repeated.
    """
    if skip_reason(target):
        return rows.none()
    rows = rows.filter(
        smartcar_vehicle_id__in=[target.vehicle.smartcar_id, ""], received_at__lte=target.until
    )
    return rows if target.since is None else rows.filter(received_at__gte=target.since)


def register() -> None:
    """Registers the erasure of deliveries and errors with offboarding."""
    handlers: Iterable[ErasureHandler] = (
        ErasureHandler("messages", _("Raw Smartcar deliveries for the vehicle"), erase_bodies, skip_reason),
        ErasureHandler("unassigned", _("Raw deliveries that name no vehicle"), erase_unassigned, skip_reason),
        ErasureHandler("errors", _("Errors that Smartcar reported"), erase_errors, only_places),
        ErasureHandler("cadence", _("Usual interval between deliveries"), erase_cadence, identity_retained),
    )
    for handler in handlers:
        erasure_handlers.register(handler)
    residue.register(InboxEntry, _deliveries)
