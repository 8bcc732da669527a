"""Taking a car out of a fleet. Callers have checked the manager's right, or that the driver holds their link."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import User
from connect.driver_portal import privacy
from connect.messages import StateEvidence, StateReason
from connect.models import Connection, ConnectionState, ErasureRecord, GrantRevocation, OffboardingRequest
from connect.offboarding import erasure_handlers
from connect.offboarding.models import ErasureScope
from core.task_queue import enqueue_on_commit
from vehicles.models import Vehicle


class NothingToOffboardError(Exception):
    """The car has left the fleet before, and nothing more is to be erased; str() says so, fit for people."""


@transaction.atomic
def offboard_vehicle(*, vehicle: Vehicle, extent: ErasureScope, user: User) -> OffboardingRequest:
    """The fleet lets go of a car: of every driver's connection to it. Raises NothingToRemoveError."""
    _lock(vehicle)
    connections = list(vehicle.connections.select_related("fleet", "vehicle"))
    return _begin(
        OffboardingRequest(fleet=vehicle.fleet, vehicle=vehicle, asked_by=user, extent=extent),
        connections=connections,
    )


@transaction.atomic
def offboard_connection(
    *, connection: Connection, extent: ErasureScope, user: User | None
) -> OffboardingRequest:
    """One driver's connection ends: asked for by a manager, or (`user` None) by the driver.

    While another driver of the fleet shares the same car, only what was recorded since this one connected it is
    erased, and what the car is stays. Raises NothingToRemoveError.
    """
    _lock(connection.vehicle)
    others = connection.vehicle.connections.exclude(pk=connection.pk).exclude(state=ConnectionState.REMOVED)
    removal = OffboardingRequest(
        fleet=connection.fleet,
        vehicle=connection.vehicle,
        connection=connection,
        asked_by=user,
        by_driver=user is None,
        extent=extent,
        since=connection.created_at if others.exists() else None,
    )
    return _begin(removal, connections=[connection])


def _lock(vehicle: Vehicle) -> None:
    """Two people pressing at once queue up."""
    list(Vehicle.objects.select_for_update(no_key=True).filter(pk=vehicle.pk).values_list("pk"))


def _begin(removal: OffboardingRequest, *, connections: Sequence[Connection]) -> OffboardingRequest:
    now = timezone.now()
    standing = [each for each in connections if each.state != ConnectionState.REMOVED]
    if not standing and not removal.erases:
        raise NothingToOffboardError(_("This vehicle has already left the fleet."))
    # A driver who withdrew before has what came up to then erased, not what another driver shares since.
    removal.until = now if standing or removal.connection is None else removal.connection.state_since
    removal.save()
    # Those that ended before are listed as well: the proof says of each driver that Smartcar no longer shows it.
    GrantRevocation.objects.bulk_create(
        GrantRevocation(removal=removal, connection=each) for each in connections
    )
    if removal.erases:
        ErasureRecord.objects.bulk_create(
            ErasureRecord(removal=removal, kind=each.kind) for each in erasure_handlers.all_handlers()
        )
    reason = StateReason.WITHDRAWN if removal.by_driver else StateReason.DISCONNECTED
    for each in standing:
        privacy.resume(connection=each, now=now)
        each.move_to(
            ConnectionState.REMOVED,
            reason=reason.message(),
            now=now,
            evidence=StateEvidence.OFFBOARDING.message(number=removal.pk),
        )
    _note(removal, withdrew=bool(standing))
    enqueue_on_commit("connect.tasks.run_offboarding", removal.pk)
    return removal


def _note(removal: OffboardingRequest, *, withdrew: bool) -> None:
    log_event(
        fleet=removal.fleet,
        actor=removal.asked_by,
        event=AuditEvent.VEHICLE_DISCONNECTED if withdrew else AuditEvent.VEHICLE_ERASURE_REQUESTED,
        about=(AuditObject.VEHICLE, removal.vehicle.smartcar_id),
        data={"scope": removal.extent, "by_driver": removal.by_driver},
    )
