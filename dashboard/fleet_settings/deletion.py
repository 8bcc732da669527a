"""Deleting a fleet: export, offboarding and erasure of its vehicles, deletion of the rest, and a proof."""

from django.db import models, transaction

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.exports import related_models
from accounts.members.erasure import EXPORT
from accounts.models import AuditLogEntry, Fleet, User
from connect.models import Connection, ConnectionState, OffboardingRequest
from connect.offboarding.models import ErasureScope
from connect.offboarding.services import offboard_vehicle
from vehicles.models import Vehicle


class FleetNotDeletableError(Exception):
    """The fleet can't be deleted yet. str() explains what is to be done first."""


@transaction.atomic
def offboard_all(*, fleet: Fleet, actor: User) -> int:
    """Offboards all vehicles that weren't offboarded with erasure yet. Returns their number.

    Workers then end the grants at Smartcar and erase the data.
    """
    vehicles = list(_not_erased(fleet).select_related("fleet"))
    for vehicle in vehicles:
        offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=actor)
    return len(vehicles)


def obstacles(*, fleet: Fleet) -> list[str]:
    """Returns what is to be done before the fleet can be deleted, for staff."""
    found = []
    exports = AuditLogEntry.objects.filter(fleet=fleet, event=AuditEvent.ADMIN_ACTION, data__action=EXPORT)
    if not exports.filter(data__model=str(fleet._meta.verbose_name)).exists():
        found.append(f"{fleet}: export the data first")
    if _not_erased(fleet).exists():
        found.append(f"{fleet}: offboard all vehicles first, with the action in the list of fleets")
    elif OffboardingRequest.objects.filter(fleet=fleet, finished_at=None).exists():
        found.append(f"{fleet}: wait until all vehicles are offboarded")
    return found


@transaction.atomic
def delete_fleet(*, fleet: Fleet, actor: User) -> None:
    """Deletes the fleet with all that belongs to it. The audit log of the site keeps the proof: the number of rows.

    Raises FleetNotDeletableError while there are `obstacles`.
    """
    # No vehicle can be connected meanwhile: a new connection refers to the locked row.
    locked = Fleet.objects.select_for_update().get(pk=fleet.pk)
    if reasons := obstacles(fleet=locked):
        raise FleetNotDeletableError("; ".join(reasons))
    pk, vehicles = locked.pk, locked.vehicles.count()
    deleted, by_model = locked.delete()
    log_event(
        fleet=None,
        actor=actor,
        event=AuditEvent.FLEET_DELETED,
        about=(AuditObject.FLEET, pk),
        data={"vehicles": vehicles, "rows": by_model, "deleted": deleted, "remaining": count_remaining(pk)},
    )


def count_remaining(fleet_id: int) -> int:
    """Returns how many rows of any table belong to the fleet."""
    return sum(
        each.model._default_manager.filter(**{each.path: fleet_id}).count() for each in related_models(Fleet)
    )


def _not_erased(fleet: Fleet) -> models.QuerySet[Vehicle]:
    """Returns the vehicles that are still connected, or were not offboarded with erasure."""
    erased = OffboardingRequest.objects.filter(
        fleet=fleet, connection=None, extent=ErasureScope.EVERYTHING
    ).values("vehicle")
    active = Connection.objects.filter(fleet=fleet).exclude(state=ConnectionState.REMOVED).values("vehicle")
    vehicles = Vehicle.objects.filter(fleet=fleet)
    return vehicles.exclude(pk__in=erased) | vehicles.filter(pk__in=active)
