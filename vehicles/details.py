"""A fleet's own details of its vehicles: name, plate, group, driver, units and the capacity of the tank."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import ApiToken, Fleet, User
from vehicles import summaries
from vehicles.models import Vehicle

FIELDS = ("name", "plate", "group", "driver", "unit_system", "tank_liters")
_SHOWN_OF_VIN = 4
_VIN = re.compile(r"\b[A-HJ-NPR-Z0-9]{17}\b")


@transaction.atomic
def update_details(*, vehicle: Vehicle, values: Mapping[str, Any], actor: User) -> list[str]:
    """Stores the FIELDS that have changed, logs their names in the audit log, and returns them."""
    stored = Vehicle.objects.select_for_update(no_key=True).get(pk=vehicle.pk)
    changed = [name for name in FIELDS if getattr(stored, name) != values[name]]
    for name in changed:
        setattr(stored, name, values[name])
        setattr(vehicle, name, values[name])
    if changed:
        stored.name_entered |= "name" in changed
        stored.save(update_fields=[*changed, "name_entered"])
        if "tank_liters" in changed:
            summaries.refresh_snapshots(vehicle_ids=[stored.pk], held=True)
        log_event(
            fleet=vehicle.fleet,
            actor=actor,
            event=AuditEvent.VEHICLE_DETAILS_CHANGED,
            about=(AuditObject.VEHICLE, vehicle.smartcar_id),
            data={"fields": changed},
        )
    return changed


def mask_vin(vin: str) -> str:
    """Masks a VIN except for its end, which is enough to distinguish vehicles."""
    return "•" * (len(vin) - _SHOWN_OF_VIN) + vin[-_SHOWN_OF_VIN:]


def mask_vins(value: Any) -> Any:
    """Masks every VIN in the texts of a JSON value."""
    if isinstance(value, Mapping):
        return {key: mask_vins(each) for key, each in value.items()}
    if isinstance(value, list):
        return [mask_vins(each) for each in value]
    return _VIN.sub(lambda found: mask_vin(found[0]), value) if isinstance(value, str) else value


def log_vin_view(*, vehicle: Vehicle, actor: User | None, service_account: ApiToken | None = None) -> None:
    """Records in the audit log that a member or a service account viewed the vehicle's VIN."""
    log_event(
        fleet=vehicle.fleet,
        actor=actor,
        event=AuditEvent.VEHICLE_VIN_VIEWED,
        about=(AuditObject.VEHICLE, vehicle.smartcar_id),
        data={"service_account": str(service_account)} if service_account else {},
    )


def list_groups(*, fleet: Fleet) -> list[str]:
    """Returns the fleet's groups, sorted."""
    vehicles = Vehicle.objects.filter(fleet=fleet).exclude(group="").order_by("group")
    return list(vehicles.values_list("group", flat=True).distinct())


def list_drivers(*, fleet: Fleet) -> list[str]:
    """Returns the drivers named in the fleet's vehicle details, sorted."""
    vehicles = Vehicle.objects.filter(fleet=fleet).exclude(driver="").order_by("driver")
    return list(vehicles.values_list("driver", flat=True).distinct())
