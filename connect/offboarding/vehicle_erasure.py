"""Erases what this app and the apps below it stored about a vehicle that leaves its fleet."""

from collections.abc import Callable

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from accounts.audit import AuditObject
from alerts import retention as alerts
from connect.messages import ErasureNote
from connect.models import (
    Connection,
    ConnectionMigration,
    ConnectionState,
    Discrepancy,
    Invitation,
    LocationPause,
    TrackingSchedule,
    VehicleUsage,
)
from connect.offboarding.driver_erasure import blank_audit_names, erase_invitations
from connect.offboarding.erasure_target import ErasureTarget
from core.message_codes import NO_MESSAGE, Message
from vehicles import erasure
from vehicles.erasure import History
from vehicles.models import Vehicle


def only_places(target: ErasureTarget) -> Message:
    """Returns why rows without locations are retained, if only locations are erased."""
    return ErasureNote.ONLY_PLACES.message() if target.places_only else NO_MESSAGE


def identity_retained(target: ErasureTarget) -> Message:
    """Returns why data that identifies the vehicle is retained, if another driver still shares the vehicle."""
    if target.still_shared:
        return ErasureNote.VEHICLE_SHARED.message()
    return only_places(target)


def erase_history(*tables: History) -> Callable[[ErasureTarget, int], int]:
    """Returns the function that erases from these tables of history."""

    def erase(target: ErasureTarget, limit: int) -> int:
        erased = 0
        for table in tables:
            erased += erasure.erase_history(
                table=table,
                vehicle_id=target.vehicle.pk,
                since=target.since,
                until=target.until,
                places_only=target.places_only,
                limit=limit - erased,
            )
        return erased

    return erase


def erase_latest(target: ErasureTarget, limit: int) -> int:
    """Erases the latest values."""
    return erasure.erase_latest(
        vehicle_id=target.vehicle.pk,
        since=target.since,
        until=target.until,
        places_only=target.places_only,
        limit=limit,
    )


def erase_driver_times(target: ErasureTarget, limit: int) -> int:
    """Erases the working hours and pauses of offboarded connections, which reveal when the driver works."""
    ended = Q(connection__vehicle=target.vehicle, connection__state=ConnectionState.REMOVED)
    erased = TrackingSchedule.objects.filter(ended).delete()[0]
    pauses = LocationPause.objects.filter(ended).values_list("pk", flat=True)[: max(limit - erased, 0)]
    return erased + LocationPause.objects.filter(pk__in=list(pauses)).delete()[0]


def erase_invited_vins(target: ErasureTarget, limit: int) -> int:
    """Erases the VIN from invitations to share this vehicle, and the names and addresses from those never used."""
    vehicle = target.vehicle
    if not vehicle.vin:
        return 0
    about = Invitation.objects.filter(fleet=vehicle.fleet, vin=vehicle.vin)
    unused = about.filter(used_at=None, created_at__lte=target.requested_at)
    pks = list(unused.values_list("pk", flat=True)[:limit])
    erased = erase_invitations(fleet=vehicle.fleet, pks=pks, limit=limit)
    return erased + about.update(vin="")


def erase_alerts(target: ErasureTarget, limit: int) -> int:
    """Erases the alerts."""
    return alerts.erase_vehicle(
        vehicle_id=target.vehicle.pk, since=target.since, until=target.until, limit=limit
    )


def erase_texts(target: ErasureTarget, limit: int) -> int:
    """Erases the manufacturer's sign-in URLs, and Smartcar's own texts about the connections."""
    connections = Connection.objects.filter(vehicle=target.vehicle)
    blank = {"resolution_url": "", "subscription_error_smartcar_message": ""}
    erased = connections.exclude(**blank).update(**blank)
    migrations = ConnectionMigration.objects.filter(connection__vehicle=target.vehicle)
    erased += migrations.exclude(reason_smartcar_message="").update(reason_smartcar_message="")
    discrepancies = Discrepancy.objects.filter(connection__vehicle=target.vehicle)
    return erased + discrepancies.exclude(note_smartcar_message="").update(note_smartcar_message="")


def erase_usage(target: ErasureTarget, limit: int) -> int:
    """Erases how often the vehicle was called, by month."""
    return VehicleUsage.objects.filter(vehicle=target.vehicle).delete()[0]


def erase_identity(target: ErasureTarget, limit: int) -> int:
    """Erases VIN, name, plate, driver and group, also from the logs of changes in the admin."""
    content_type = ContentType.objects.get_for_model(Vehicle)
    logged = LogEntry.objects.filter(content_type=content_type, object_id=str(target.vehicle.pk))
    blank = {"object_repr": "", "change_message": ""}
    logged.exclude(**blank).update(**blank)
    blank_audit_names(target.vehicle.fleet, AuditObject.RECORD, [target.vehicle.pk], model="vehicle")
    return erasure.erase_identity(vehicle_id=target.vehicle.pk)
