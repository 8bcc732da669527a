"""Migrates a fleet's vehicles to its new application.

A grant belongs to one application, so each driver has to authorize the new application in Connect. Each driver is
invited with a new link, while the old connection stays in use. The old connection is ended when the new one is known to
work: webhooks.application_cutover ends it after a delivery with the vehicle's data was signed by the new application.
The remaining work is always derived from the connections; there is no stored plan that could be outdated.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from django.db import transaction
from django.utils import timezone

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, User
from connect import applications, gateway, token_store
from connect.applications.models import SmartcarApplication
from connect.connections.selectors import Driver, list_drivers
from connect.driver_portal.models import LocationPause, TrackingSchedule
from connect.gateway import CallPurpose as CallPurpose
from connect.invitations import services as invitations
from connect.invitations.models import UNNAMED
from connect.messages import StateEvidence, StateReason
from connect.models import Connection, ConnectionState, Invitation
from connect.offboarding.worker import shared_elsewhere
from connect.permission_settings.selectors import requested_scopes
from connect.scopes import in_order
from connect.status.states import TERMINATED, USABLE, AuthorizationPurpose
from smartcar_api import SmartcarError


@dataclass(frozen=True, slots=True)
class PendingDriver:
    """A driver with connections of a former application. The new application has those in `arrived` as well."""

    user_id: str
    driver: Driver
    connections: list[Connection]
    arrived: list[Connection] = field(default_factory=list)
    invitation: Invitation | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """An old connection, and the connection of the same vehicle in the fleet's new application."""

    old: Connection
    new: Connection


def pending_drivers(*, fleet: Fleet) -> list[PendingDriver]:
    """Returns the drivers with connections of another application, sorted by name, with their latest invitation."""
    row = applications.for_fleet(fleet).row
    old = list(_old_connections(fleet, row))
    drivers = list_drivers(fleet=fleet, smartcar_user_ids={each.smartcar_user_id for each in old})
    new = _new_by_vehicle(fleet, row)
    invited = _latest_invitations(old)
    found = []
    for user_id, theirs in groupby(sorted(old, key=_user_id), key=_user_id):
        connections = list(theirs)
        found.append(
            PendingDriver(
                user_id=user_id,
                driver=drivers.get(user_id, Driver()),
                connections=connections,
                arrived=[each for each in connections if _replacement(each, old, new) is not None],
                invitation=next((invited[each.pk] for each in connections if each.pk in invited), None),
            )
        )
    return sorted(found, key=lambda each: str(each.driver))


def _user_id(connection: Connection) -> str:
    return connection.smartcar_user_id


def _old_connections(fleet: Fleet, row: SmartcarApplication | None) -> Iterable[Connection]:
    active = Connection.objects.filter(fleet=fleet).exclude(state__in=TERMINATED).exclude(application=row)
    return active.select_related("vehicle", "fleet", "tokens", "application").order_by("pk")


def _new_by_vehicle(fleet: Fleet, row: SmartcarApplication | None) -> dict[str, list[Connection]]:
    """Returns the new application's usable, subscribed connections by vehicle ID and VIN.

    The VIN is needed because a vehicle may have a different ID in another application.
    """
    active = Connection.objects.filter(fleet=fleet, application=row, state__in=USABLE)
    found: dict[str, list[Connection]] = {}
    for each in active.exclude(subscribed_at=None).select_related("vehicle"):
        for name in _identifiers(each):
            found.setdefault(name, []).append(each)
    return found


def _identifiers(connection: Connection) -> list[str]:
    vehicle = connection.vehicle
    return [name for name in (vehicle.smartcar_id, vehicle.vin) if name]


def _replacement(
    old: Connection, all_old: list[Connection], new: dict[str, list[Connection]]
) -> Connection | None:
    """Returns the new connection of the vehicle and driver. The user ID may differ if there is only one driver."""
    candidates = {each.pk: each for name in _identifiers(old) for each in new.get(name, [])}
    same = [each for each in candidates.values() if each.smartcar_user_id == old.smartcar_user_id]
    if same:
        return same[0]
    sharing = [each for each in all_old if set(_identifiers(each)) & set(_identifiers(old))]
    return next(iter(candidates.values())) if len(candidates) == 1 and len(sharing) == 1 else None


def _latest_invitations(old: list[Connection]) -> dict[int, Invitation]:
    """Returns the latest invitation by the ID of the old connection."""
    invited = Invitation.objects.filter(connection__in=old, purpose=AuthorizationPurpose.CONNECT).order_by(
        "created_at"
    )
    return {each.connection_id: each for each in invited if each.connection_id is not None}


@transaction.atomic
def invite_driver(*, pending: PendingDriver, user: User, driver: Driver, by_email: bool) -> Invitation:
    """Creates an invitation with which the driver can share all their vehicles again. Revokes an open one."""
    if pending.invitation is not None and pending.invitation.open:
        invitations.revoke(invitation=pending.invitation, user=user)
    connections = pending.connections
    makes = {each.vehicle.make for each in connections}
    granted = {scope for each in connections for scope in each.scopes}
    return invitations.invite(
        fleet=connections[0].fleet,
        user=user,
        by_email=by_email,
        connection=connections[0],
        purpose=AuthorizationPurpose.CONNECT,
        driver_name=driver.name or UNNAMED,
        driver_email=driver.email,
        scopes=in_order(granted.union(requested_scopes(fleet=connections[0].fleet_id))),
        mode=connections[0].mode,
        make=makes.pop() if len(makes) == 1 else "",
    )


def uninvited_drivers(*, fleet: Fleet) -> list[PendingDriver]:
    """Returns the drivers with an email address, without an open invitation, who still have vehicles to migrate."""
    return [
        pending
        for pending in pending_drivers(fleet=fleet)
        if pending.driver.email
        and len(pending.arrived) < len(pending.connections)
        and (pending.invitation is None or not pending.invitation.open)
    ]


def invite_all(*, fleet: Fleet, user: User) -> int:
    """Sends an invitation email to each uninvited driver. Returns the number of drivers."""
    found = uninvited_drivers(fleet=fleet)
    for pending in found:
        invite_driver(pending=pending, user=user, driver=pending.driver, by_email=True)
    return len(found)


def replaced_connections(*, limit: int = 200) -> list[Replacement]:
    """Returns all fleets' old connections with a replacement: to be ended once the replacement delivers data."""
    found = []
    for fleet in _migrating_fleets():
        row = applications.for_fleet(fleet).row
        old, new = list(_old_connections(fleet, row)), _new_by_vehicle(fleet, row)
        pairs = ((each, _replacement(each, old, new)) for each in old)
        found += [
            Replacement(each, new_connection) for each, new_connection in pairs if new_connection is not None
        ]
    return found[:limit]


def _migrating_fleets() -> Iterable[Fleet]:
    """Returns the fleets with connections of more than one application."""
    active = Connection.objects.exclude(state__in=TERMINATED).order_by()
    used: dict[int, set[int | None]] = {}
    for fleet_id, application_id in active.values_list("fleet_id", "application_id").distinct():
        used.setdefault(fleet_id, set()).add(application_id)
    return Fleet.objects.filter(
        pk__in=[pk for pk, application_ids in used.items() if len(application_ids) > 1]
    )


def retire(*, replacement: Replacement) -> bool:
    """Ends an old connection, at Smartcar and here. Hidden locations stay hidden.

    Returns False if the call to Smartcar failed; in that case nothing was changed, and the caller may retry.
    """
    old, new = replacement.old, replacement.new
    if not shared_elsewhere(old) and not _end_grant(old):
        return False
    with transaction.atomic():
        LocationPause.objects.filter(connection=old).update(connection=new)
        if not TrackingSchedule.objects.filter(connection=new).exists():
            TrackingSchedule.objects.filter(connection=old).update(connection=new)
        moved = old.move_to(
            ConnectionState.REMOVED,
            reason=StateReason.REPLACED.message(),
            now=timezone.now(),
            evidence=StateEvidence.CONNECTION.message(number=new.pk),
        )
        if moved:
            log_event(
                fleet=old.fleet,
                actor=None,
                event=AuditEvent.APPLICATION_VEHICLE_MIGRATED,
                about=(AuditObject.CONNECTION, old.pk),
            )
    return moved


def _end_grant(connection: Connection) -> bool:
    vehicle_id, connection_id = connection.vehicle.smartcar_id, connection.smartcar_connection_id
    try:
        gateway.call(
            connection=connection,
            purpose=CallPurpose.BACKGROUND,
            request=lambda api, access: api.disconnect(
                access, vehicle_id=vehicle_id, connection_id=connection_id
            ),
        )
    except token_store.TokensUnavailableError:
        tokens = connection.tokens
        return tokens is None or tokens.reread().revoked_at is not None
    except SmartcarError as error:
        # The application no longer exists, so it receives no data and has no grant to revoke.
        return error.unauthorized or error.type in ("invalid_grant", "invalid_client")
    return True
