"""The overview of one vehicle: current values with their ages and sources, and why others are missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zlib import crc32

from django.utils import timezone
from django.utils.translation import gettext, pgettext

from accounts.permissions import Permission
from alerts.preferences import get_settings
from connect.models import Connection, ConnectionState
from connect.permission_settings.selectors import requested_scopes
from dashboard.vehicle_page.ages import common_age
from dashboard.vehicle_page.base import VehicleContext
from dashboard.vehicle_page.diagnostics import checked_systems, list_warnings, unreported_systems
from dashboard.vehicle_page.schematic import SIGNALS as DRAWN
from dashboard.vehicle_page.schematic import build_schematic
from dashboard.vehicle_page.unavailability import (
    granted_permissions,
    is_ungranted,
    is_unrequested,
    unavailability_reason,
)
from vehicles import catalogue, formatting
from vehicles.catalogue import Signal
from vehicles.charge_limits import active_limit
from vehicles.current_state import is_current, is_state
from vehicles.energy import drives_on_fuel
from vehicles.models import LatestSignal, Vehicle
from vehicles.places.geocoding import geocoder_for
from vehicles.selectors import VehicleState, list_states

CHARGING = (
    catalogue.DETAILED_CHARGING_STATUS,
    catalogue.CHARGE_LIMITS,
    catalogue.TIME_TO_COMPLETE,
    catalogue.CHARGE_WATTAGE,
    catalogue.CABLE_CONNECTED,
    catalogue.NOMINAL_CAPACITY,
)
FACTS = (
    catalogue.IS_LOCKED,
    catalogue.ODOMETER,
    catalogue.SPEED,
    catalogue.LOW_VOLTAGE_SOC,
    catalogue.LOW_VOLTAGE_STATUS,
    catalogue.EXTERNAL_TEMPERATURE,
    catalogue.INTERNAL_TEMPERATURE,
    catalogue.IS_ONLINE,
    catalogue.IS_ASLEEP,
    catalogue.FIRMWARE,
)
_FUEL = (catalogue.FUEL_LEVEL, catalogue.FUEL_REMAINING, catalogue.FUEL_RANGE)
_ENERGY = (catalogue.STATE_OF_CHARGE, catalogue.RANGE)
_RANGES = {False: catalogue.RANGE, True: catalogue.FUEL_RANGE}  # by whether the vehicle drives on fuel
# Zero at all other times.
_WHILE_CHARGING = (catalogue.TIME_TO_COMPLETE, catalogue.CHARGE_WATTAGE)
# Signals whose absence is explained to users.
_EXPLAINED = (*_ENERGY, *_FUEL[::2], *CHARGING, *FACTS, catalogue.PRECISE_LOCATION, *DRAWN)


@dataclass(frozen=True, slots=True)
class Fact:
    """A labeled value. `problem` is why the value isn't newer; "" if it is current."""

    label: str
    value: str
    row: LatestSignal
    stale: bool
    problem: str


@dataclass(frozen=True, slots=True)
class UnavailableData:
    """Missing values with a common reason. `ask` means that the driver could grant the permission for them."""

    reason: str
    labels: Sequence[str]
    can_request: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The vehicle's location: coordinates for the map, and a text."""

    latitude: float
    longitude: float
    name: str
    row: LatestSignal
    stale: bool


@dataclass(frozen=True, slots=True)
class _Reasons:
    """Why values are missing, by the permissions that are granted (None: unknown) and requested."""

    granted: frozenset[str] | None
    requested: tuple[str, ...]

    def text(self, row: LatestSignal) -> str:
        return unavailability_reason(row, granted=self.granted, requested=self.requested)

    def is_unrequested(self, signal: Signal) -> bool:
        return is_unrequested(signal, granted=self.granted, requested=self.requested)

    def can_request(self, row: LatestSignal) -> bool:
        return is_ungranted(row, granted=self.granted, requested=self.requested)


def _reasons(vehicle: Vehicle, connections: Sequence[Connection]) -> _Reasons:
    return _Reasons(granted_permissions(connections), requested_scopes(fleet=vehicle.fleet_id))


def get_connections(vehicle: Vehicle) -> list[Connection]:
    """Returns the vehicle's connections that weren't removed, newest first."""
    found = list(
        Connection.objects.filter(vehicle=vehicle)
        .exclude(state=ConnectionState.REMOVED)
        .select_related("tokens")
    )
    for each in found:
        each.vehicle, each.fleet = vehicle, vehicle.fleet
    return found


def overview_context(
    *, frame: VehicleContext, state: VehicleState, connections: Sequence[Connection]
) -> dict[str, Any]:
    """Returns the context of dashboard/vehicle_page/values.html.

    Three queries, and one more each if a level and a location are known.
    """
    now = timezone.now()
    vehicle = frame.vehicle
    reason = _reasons(vehicle, connections)
    fact = _facts(state, units=vehicle.units, reason=reason, now=now)
    hidden = state.location_hidden
    on_fuel = _drives_on_fuel(state)
    energy = _energy(fact, on_fuel=on_fuel)
    range_ = fact(_RANGES[on_fuel]) or fact(_RANGES[not on_fuel])
    level = _level(energy, vehicle)
    charging = [each for signal in CHARGING if (each := fact(signal))]
    facts = [
        *_other_energy(fact, energy, range_, on_fuel=on_fuel),
        *(each for signal in FACTS if (each := fact(signal))),
    ]
    schematic = build_schematic(state, units=vehicle.units, now=now)
    drawn = [
        each for signal in (catalogue.DOORS, catalogue.WINDOWS, catalogue.TIRES) if (each := fact(signal))
    ]
    place = None if hidden else _place(frame, state, now=now)
    shown = [each.row for each in (energy, range_, place, *charging, *facts, *drawn) if each]
    return {
        "fleet": frame.fleet,
        "vehicle": vehicle,
        "common": common_age([*shown, *(part.row for part in schematic.parts)]),
        "connections": connections,
        "energy": energy,
        "on_fuel": on_fuel,
        "fuel_remaining": catalogue.FUEL_REMAINING.code,
        "level": level,
        "low": level is not None and level < get_settings(fleet=frame.fleet).low_battery,
        "limit": None if on_fuel else active_limit(state.signal(catalogue.CHARGE_LIMITS)),
        "range": range_,
        "is_charging": state.current_value(catalogue.IS_CHARGING, now=now) is True,
        "charging": charging,
        "facts": facts,
        "schematic": schematic,
        "drawn": drawn,
        "place": place,
        "place_hidden": hidden,
        "location_problem": _location_problem(state, reason),
        "alerts": list_warnings(state),
        "checked": checked_systems(state),
        "unchecked": unreported_systems(state, is_unrequested=reason.is_unrequested),
        "warnings_unrequested": reason.is_unrequested(catalogue.MIL),
        "missing": _missing(state, reason),
        "has_data": bool(state.signals),
        "may_connect": frame.can(Permission.CONNECT),
        "version": _version(state, connections, hidden=hidden, vehicle=vehicle, now=now),
    }


def get_state(vehicle: Vehicle) -> VehicleState:
    """Returns the vehicle with all of its latest signals, in one query."""
    (state,) = list_states(vehicles=[vehicle])
    return state


def _version(
    state: VehicleState, connections: Sequence[Connection], *, hidden: bool, vehicle: Vehicle, now: datetime
) -> int:
    """Returns a hash that changes when any value changes, becomes stale, or is no longer current."""
    reports = sorted(
        (
            code,
            row.reported_at,
            row.observed_at,
            row.status,
            formatting.is_stale(row, now=now),
            is_current(row, now=now),
        )
        for code, row in state.signals.items()
    )
    links = [(each.pk, each.state, each.subscription_error, each.scopes) for each in connections]
    kind = (vehicle.units, vehicle.powertrain, vehicle.tank_liters)
    return crc32(f"{reports}{links}{hidden}{kind}{vehicle}".encode())


def _facts(
    state: VehicleState, *, units: str, reason: _Reasons, now: datetime
) -> Callable[[Signal], Fact | None]:
    """Returns a function that builds a signal's fact, or returns None if there is nothing to show."""
    charging = state.current_value(catalogue.IS_CHARGING, now=now)

    def fact(signal: Signal) -> Fact | None:
        row = state.signal(signal)
        value = formatting.format_value(code=row.code, body=row.body, units=units) if row else ""
        if row is None or not value or (signal in _WHILE_CHARGING and not _applies(row, charging, now=now)):
            return None
        if is_state(row.code) and not is_current(row, now=now):
            value = gettext("%(state)s (last known)") % {"state": value}
        stale = formatting.is_stale(row, now=now)
        label = pgettext("value of a vehicle", "Lock") if signal is catalogue.IS_LOCKED else str(signal.label)
        return Fact(label, value, row, stale, reason.text(row))

    return fact


def _applies(row: LatestSignal, charging: bool | None, *, now: datetime) -> bool:
    """Returns whether a value that vehicles report only while charging says anything about now.

    If it is unknown whether the vehicle is charging, the value itself must be current.
    """
    return is_current(row, now=now) if charging is None else charging


def _drives_on_fuel(state: VehicleState) -> bool:
    return drives_on_fuel(
        powertrain=state.vehicle.powertrain,
        charge=state.value(catalogue.STATE_OF_CHARGE),
        has_tank=any(state.signal(signal) for signal in (catalogue.FUEL_LEVEL, catalogue.FUEL_REMAINING)),
    )


def _energy(fact: Callable[[Signal], Fact | None], *, on_fuel: bool) -> Fact | None:
    """Returns the level of what the vehicle drives on; the volume of fuel without a level."""
    if on_fuel:
        return fact(catalogue.FUEL_LEVEL) or fact(catalogue.FUEL_REMAINING)
    return fact(catalogue.STATE_OF_CHARGE)


def _level(energy: Fact | None, vehicle: Vehicle) -> float | None:
    """Returns the level in percent; of a volume, only if the tank's capacity is known."""
    if energy is None:
        return None
    value: float = energy.row.value
    if energy.row.code != catalogue.FUEL_REMAINING.code:
        return value
    return min(100.0, 100 * value / vehicle.tank_liters) if vehicle.tank_liters else None


def _other_energy(fact: Callable[[Signal], Fact | None], *shown: Fact | None, on_fuel: bool) -> list[Fact]:
    """Returns the values of battery and tank that aren't shown yet. An empty battery is none in a gasoline car."""
    signals = (catalogue.FUEL_REMAINING, *_ENERGY) if on_fuel else _FUEL
    facts = [each for signal in signals if (each := fact(signal)) and each not in shown]
    return [each for each in facts if each.row.value or not on_fuel]


def _place(frame: VehicleContext, state: VehicleState, *, now: datetime) -> Place | None:
    row = state.signal(catalogue.PRECISE_LOCATION)
    if row is None or row.body is None:
        return None
    latitude, longitude = row.body["latitude"], row.body["longitude"]
    name = geocoder_for(fleet=frame.fleet).get_name(latitude, longitude)
    return Place(latitude, longitude, str(name or ""), row, formatting.is_stale(row, now=now))


def _location_problem(state: VehicleState, reason: _Reasons) -> str:
    row = state.signals.get(catalogue.PRECISE_LOCATION.code)
    return reason.text(row) if row else ""


def _missing(state: VehicleState, reason: _Reasons) -> list[UnavailableData]:
    """Groups missing values by reason. Those that the driver could allow come first."""
    by_reason: dict[tuple[bool, str], list[str]] = {}
    for signal in dict.fromkeys(_EXPLAINED):
        row = state.signals.get(signal.code)
        if row is None or row.body is not None:
            continue
        if text := reason.text(row):
            key = reason.can_request(row), text
            by_reason.setdefault(key, []).append(str(signal.label))
    return [
        UnavailableData(text, labels, can_request)
        for (can_request, text), labels in sorted(
            by_reason.items(), key=lambda each: (not each[0][0], each[0][1])
        )
    ]
