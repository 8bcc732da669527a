"""What a fleet says of its own cars: name, plate, group, driver and units."""

from collections.abc import Mapping

from django.db import transaction

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, User
from vehicles.models import Vehicle

FIELDS = ("name", "plate", "group", "driver", "unit_system")
_SHOWN_OF_VIN = 4


@transaction.atomic
def update_details(*, vehicle: Vehicle, values: Mapping[str, str], actor: User) -> list[str]:
    """Stores those of FIELDS that differ, with a line in the audit log that names them. Returns their names."""
    held = Vehicle.objects.select_for_update(no_key=True).get(pk=vehicle.pk)
    changed = [name for name in FIELDS if getattr(held, name) != values[name]]
    for name in changed:
        setattr(held, name, values[name])
        setattr(vehicle, name, values[name])
    if changed:
        held.save(update_fields=changed)
        log_event(
            fleet=vehicle.fleet,
            actor=actor,
            event=AuditEvent.VEHICLE_DETAILS_CHANGED,
            about=(AuditObject.VEHICLE, vehicle.smartcar_id),
            data={"fields": changed},
        )
    return changed


def masked(vin: str) -> str:
    """A VIN of which only the end is shown, enough to tell cars apart by it."""
    return "•" * (len(vin) - _SHOWN_OF_VIN) + vin[-_SHOWN_OF_VIN:]


def log_vin_view(*, vehicle: Vehicle, actor: User) -> None:
    """Notes in the audit log that somebody had the car's VIN shown."""
    log_event(
        fleet=vehicle.fleet,
        actor=actor,
        event=AuditEvent.VEHICLE_VIN_VIEWED,
        about=(AuditObject.VEHICLE, vehicle.smartcar_id),
    )


def list_groups(*, fleet: Fleet) -> list[str]:
    """The names of the fleet's groups, by name."""
    named = Vehicle.objects.filter(fleet=fleet).exclude(group="").order_by("group")
    return list(named.values_list("group", flat=True).distinct())


def list_drivers(*, fleet: Fleet) -> list[str]:
    """Those whom the fleet calls drivers of its cars, by name."""
    named = Vehicle.objects.filter(fleet=fleet).exclude(driver="").order_by("driver")
    return list(named.values_list("driver", flat=True).distinct())
