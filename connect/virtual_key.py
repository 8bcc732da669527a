"""Tesla's virtual key, without which most Teslas accept no commands..

Sources in Smartcar's documentation: "Tesla Virtual Keys", "Brand Quirks". The status is the signal
`connectivitystatus-isdigitalkeypaired`.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from vehicles import catalogue
from vehicles.current_state import is_current
from vehicles.makes import make_key
from vehicles.models import LatestSignal, Vehicle

# Until 2020, these models have no virtual key.
_LATER_MODELS = ("models", "modelx")
_LAST_YEAR_WITHOUT = 2020


class KeyStatus(StrEnum):
    """Whether a vehicle has the virtual key that its commands need."""

    NOT_NEEDED = "not_needed"
    PAIRED = "paired"
    MISSING = "missing"
    UNKNOWN = "unknown"


def needs_key(vehicle: Vehicle) -> bool:
    """Whether the vehicle needs a virtual key: all Teslas except for Model S and X until 2020."""
    if make_key(vehicle.make) != "TESLA":
        return False
    model = "".join(letter for letter in vehicle.model.casefold() if letter.isalnum())
    old = vehicle.year is not None and vehicle.year <= _LAST_YEAR_WITHOUT
    return not (old and model.startswith(_LATER_MODELS))


def key_status(vehicle: Vehicle, row: LatestSignal | None) -> KeyStatus:
    """Returns the status by the signal's latest row, whatever its age: a key stays until somebody removes it."""
    if not needs_key(vehicle):
        return KeyStatus.NOT_NEEDED
    paired = row.value if row is not None else None
    if paired is None:
        return KeyStatus.UNKNOWN
    return KeyStatus.PAIRED if paired is True else KeyStatus.MISSING


def is_surely_missing(vehicle: Vehicle, row: LatestSignal | None, *, now: datetime) -> bool:
    """Whether the vehicle would reject commands, by a recent report: the driver may have added the key since."""
    return row is not None and key_status(vehicle, row) is KeyStatus.MISSING and is_current(row, now=now)


def key_rows(vehicles: Iterable[Vehicle]) -> dict[int, LatestSignal]:
    """Returns the signal's latest row for those of the vehicles that need a key and report it, in one query."""
    needing = [vehicle.pk for vehicle in vehicles if needs_key(vehicle)]
    if not needing:
        return {}
    found = LatestSignal.objects.filter(vehicle__in=needing, code=catalogue.DIGITAL_KEY_PAIRED.code)
    return {row.vehicle_id: row for row in found}
