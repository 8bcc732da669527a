"""Starting offboardings. Callers check the manager's permission or the driver's link first."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import User
from connect.driver_portal import privacy
from connect.messages import StateEvidence, StateReason
from connect.models import (
    Connection,
    ConnectionState,
    DriverPortal,
    ErasureRecord,
    GrantRevocation,
    OffboardingRequest,
)
from connect.offboarding import erasure_handlers
from connect.offboarding.models import ErasureScope
from connect.offboarding.residue import SearchTerms
from core.task_queue import enqueue_on_commit
from vehicles.models import Vehicle


class NothingToOffboardError(Exception):
    """The vehicle has already left the fleet, and no erasure was requested. str() is a message for the user."""


@transaction.atomic
def offboard_vehicle(*, vehicle: Vehicle, extent: ErasureScope, user: User) -> OffboardingRequest:
    """Offboards a vehicle with every driver's connection to it. Raises NothingToOffboardError."""
    _lock(vehicle)
    connections = list(vehicle.connections.select_related("fleet", "vehicle"))
    return _start(
        OffboardingRequest(fleet=vehicle.fleet, vehicle=vehicle, asked_by=user, extent=extent),
        connections=connections,
    )


@transaction.atomic
def offboard_connection(
    *, connection: Connection, extent: ErasureScope, user: User | None, page: DriverPortal | None = None
) -> OffboardingRequest:
    """Offboards one driver's connection, requested by a manager or (`user` is None) by the driver, on their page.

    While another driver of the fleet shares the same vehicle, only data recorded since this driver connected it is
    erased, and data that identifies the vehicle is retained. Raises NothingToOffboardError.
    """
    _lock(connection.vehicle)
    others = connection.vehicle.connections.exclude(pk=connection.pk).exclude(state=ConnectionState.REMOVED)
    offboarding = OffboardingRequest(
        fleet=connection.fleet,
        vehicle=connection.vehicle,
        connection=connection,
        asked_by=user,
        by_driver=user is None,
        extent=extent,
        since=connection.created_at if others.exists() else None,
    )
    return _start(offboarding, connections=[connection], page=page)


def _lock(vehicle: Vehicle) -> None:
    """Serializes concurrent requests for the same vehicle."""
    list(Vehicle.objects.select_for_update(no_key=True).filter(pk=vehicle.pk).values_list("pk"))


def _start(
    offboarding: OffboardingRequest, *, connections: Sequence[Connection], page: DriverPortal | None = None
) -> OffboardingRequest:
    now = timezone.now()
    active = [each for each in connections if each.state != ConnectionState.REMOVED]
    if not active and not offboarding.erases:
        raise NothingToOffboardError(_("This vehicle has already left the fleet."))
    # For a connection that ended earlier, only data up to its end is erased, not what another driver has shared since.
    offboarding.until = (
        now if active or offboarding.connection is None else offboarding.connection.state_since
    )
    if offboarding.extent == ErasureScope.EVERYTHING:
        terms = SearchTerms.collect(vehicle=offboarding.vehicle, connections=connections)
        offboarding.search_terms = terms.encrypted()
    offboarding.save()
    # Includes connections that ended earlier: the receipt confirms for each driver that Smartcar no longer lists it.
    GrantRevocation.objects.bulk_create(
        GrantRevocation(offboarding=offboarding, connection=each) for each in connections
    )
    if offboarding.erases:
        ErasureRecord.objects.bulk_create(
            ErasureRecord(offboarding=offboarding, kind=each.kind) for each in erasure_handlers.all_handlers()
        )
    reason = StateReason.WITHDRAWN if offboarding.by_driver else StateReason.DISCONNECTED
    for each in active:
        privacy.resume(connection=each, now=now)
        each.move_to(
            ConnectionState.REMOVED,
            reason=reason.message(),
            now=now,
            evidence=StateEvidence.OFFBOARDING.message(number=offboarding.pk),
        )
    _log(offboarding, withdrew=bool(active), page=page)
    enqueue_on_commit("connect.tasks.run_offboarding", offboarding.pk)
    return offboarding


def _log(offboarding: OffboardingRequest, *, withdrew: bool, page: DriverPortal | None) -> None:
    log_event(
        fleet=offboarding.fleet,
        actor=offboarding.asked_by,
        event=AuditEvent.VEHICLE_DISCONNECTED if withdrew else AuditEvent.VEHICLE_ERASURE_REQUESTED,
        about=(AuditObject.VEHICLE, offboarding.vehicle.smartcar_id),
        data={
            "scope": offboarding.extent,
            "by_driver": offboarding.by_driver,
            **(page.audit_data() if page is not None else {}),
        },
    )
