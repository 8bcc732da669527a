"""What the overview shows of one car."""

from dataclasses import dataclass
from typing import Any
from zlib import crc32

from django.utils import timezone

from accounts.models import Fleet
from connect.driver import privacy
from connect.models import Connection, ConnectionState
from vehicles import catalogue, presentation
from vehicles.models import LatestSignal, Vehicle
from vehicles.selectors import VehicleState, states_of

FACTS = (
    catalogue.ODOMETER,
    catalogue.SPEED,
    catalogue.FUEL_LEVEL,
    catalogue.FUEL_RANGE,
    catalogue.DOORS,
    catalogue.WINDOWS,
    catalogue.FRONT_TRUNK,
    catalogue.REAR_TRUNK,
    catalogue.TIRES,
    catalogue.LOW_VOLTAGE_SOC,
    catalogue.EXTERNAL_TEMPERATURE,
    catalogue.IS_ONLINE,
    catalogue.IS_ASLEEP,
    catalogue.FIRMWARE,
)
CHARGING = (
    catalogue.DETAILED_CHARGING_STATUS,
    catalogue.CABLE_CONNECTED,
    catalogue.CHARGE_LIMITS,
    catalogue.TIME_TO_COMPLETE,
    catalogue.CHARGE_WATTAGE,
    catalogue.NOMINAL_CAPACITY,
)


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled signal; `row` always has a value."""

    label: str
    row: LatestSignal


def context_of(*, fleet: Fleet, vehicle: Vehicle) -> dict[str, Any]:
    """What fleet/vehicle/overview.html and values.html need."""
    (state,) = states_of(vehicles=[vehicle])
    now = timezone.now()
    hidden = privacy.rules_of(vehicle_ids=[vehicle.pk], now=now).hide(vehicle.pk, at=now)
    connections = list(Connection.objects.filter(vehicle=vehicle).exclude(state=ConnectionState.REMOVED))
    return {
        "fleet": fleet,
        "vehicle": vehicle,
        "connections": connections,
        "charge": state.signal(catalogue.STATE_OF_CHARGE),
        "range": state.signal(catalogue.RANGE),
        "is_charging": state.value(catalogue.IS_CHARGING) is True,
        "place_hidden": hidden,
        "location": state.signal(catalogue.PRECISE_LOCATION),
        "lock": state.signal(catalogue.IS_LOCKED),
        "fuel": state.signal(catalogue.FUEL_LEVEL),
        "charging_items": _items(state, CHARGING, fleet.unit_system),
        "facts": _items(state, FACTS, fleet.unit_system),
        "version": _version(state, connections),
    }


def _version(state: VehicleState, connections: list[Connection]) -> int:
    """Changes when anything of the values has changed."""
    heard = sorted((code, row.reported_at, row.observed_at) for code, row in state.signals.items())
    links = [(each.pk, each.state, each.subscription_error) for each in connections]
    return crc32(f"{heard}{links}".encode())


def _items(state: VehicleState, signals: tuple[catalogue.Signal, ...], units: str) -> list[Item]:
    """Those that have something to show."""
    rows = [(signal, row) for signal in signals if (row := state.signal(signal)) is not None]
    return [
        Item(signal.label, row)
        for signal, row in rows
        if presentation.value_in_words(code=row.code, body=row.body, units=units)
    ]
