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
from connect.driver_portal import privacy
from connect.models import Connection, ConnectionState
from dashboard.vehicle_page.base import VehicleContext
from dashboard.vehicle_page.diagnostics import checked_systems, list_warnings
from dashboard.vehicle_page.schematic import SIGNALS as DRAWN
from dashboard.vehicle_page.schematic import build_schematic
from dashboard.vehicle_page.unavailability import granted_permissions, is_ungranted, unavailability_reason
from vehicles import catalogue, formatting
from vehicles.catalogue import Signal
from vehicles.current_state import is_current, is_state
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
    catalogue.FUEL_LEVEL,
    catalogue.FUEL_RANGE,
    catalogue.LOW_VOLTAGE_SOC,
    catalogue.LOW_VOLTAGE_STATUS,
    catalogue.EXTERNAL_TEMPERATURE,
    catalogue.INTERNAL_TEMPERATURE,
    catalogue.IS_ONLINE,
    catalogue.IS_ASLEEP,
    catalogue.FIRMWARE,
)
_FUEL = (catalogue.FUEL_LEVEL, catalogue.FUEL_RANGE)
_ENERGY = (catalogue.STATE_OF_CHARGE, catalogue.RANGE)
# Zero at all other times.
_WHILE_CHARGING = (catalogue.TIME_TO_COMPLETE, catalogue.CHARGE_WATTAGE)
# Signals whose absence is explained to users.
_EXPLAINED = (*_ENERGY, *CHARGING, *FACTS, catalogue.PRECISE_LOCATION, *DRAWN)


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

    Two queries, and one more each if a level and a location are known.
    """
    now = timezone.now()
    vehicle = frame.vehicle
    granted = granted_permissions(connections)
    fact = _facts(state, units=vehicle.units, granted=granted, now=now)
    hidden = privacy.privacy_for_vehicle(vehicle_ids=[vehicle.pk], now=now).is_hidden(vehicle.pk, at=now)
    charging_now = state.current_value(catalogue.IS_CHARGING, now=now)
    charge, fuel = fact(catalogue.STATE_OF_CHARGE), fact(catalogue.FUEL_LEVEL)
    main = charge or fuel
    return {
        "fleet": frame.fleet,
        "vehicle": vehicle,
        "connections": connections,
        "charge": charge,
        "fuel": fuel,
        "level": main.row.value if main else None,
        "low": main is not None and main.row.value < get_settings(fleet=frame.fleet).low_battery,
        "limit": _limit(state),
        "range": fact(catalogue.RANGE) or fact(catalogue.FUEL_RANGE),
        "is_charging": charging_now is True,
        "charging": [each for signal in CHARGING if (each := fact(signal))],
        "facts": [each for signal in FACTS if (each := fact(signal)) and (charge or signal not in _FUEL)],
        "schematic": build_schematic(state, units=vehicle.units, now=now),
        "drawn": [
            each for signal in (catalogue.DOORS, catalogue.WINDOWS, catalogue.TIRES) if (each := fact(signal))
        ],
        "place": None if hidden else _place(frame, state, now=now),
        "place_hidden": hidden,
        "location_problem": _location_problem(state, granted),
        "alerts": list_warnings(state),
        "checked": checked_systems(state),
        "missing": _missing(state, granted),
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
    return crc32(f"{reports}{links}{hidden}{vehicle.units}{vehicle}".encode())


def _facts(
    state: VehicleState, *, units: str, granted: frozenset[str] | None, now: datetime
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
        return Fact(label, value, row, stale, unavailability_reason(row, granted=granted))

    return fact


def _applies(row: LatestSignal, charging: bool | None, *, now: datetime) -> bool:
    """Returns whether a value that vehicles report only while charging says anything about now.

    If it is unknown whether the vehicle is charging, the value itself must be current.
    """
    return is_current(row, now=now) if charging is None else charging


def _limit(state: VehicleState) -> float | None:
    """Returns the active charge limit in percent."""
    row = state.signal(catalogue.CHARGE_LIMITS)
    if row is None or row.body is None:
        return None
    limits = [each["limit"] for each in row.body["values"] if each.get("limit") is not None]
    active: float | None = row.body.get("activeLimit")
    return active if active is not None else limits[0] if limits else None


def _place(frame: VehicleContext, state: VehicleState, *, now: datetime) -> Place | None:
    row = state.signal(catalogue.PRECISE_LOCATION)
    if row is None or row.body is None:
        return None
    latitude, longitude = row.body["latitude"], row.body["longitude"]
    name = geocoder_for(fleet=frame.fleet).get_name(latitude, longitude)
    return Place(latitude, longitude, str(name or ""), row, formatting.is_stale(row, now=now))


def _location_problem(state: VehicleState, granted: frozenset[str] | None) -> str:
    row = state.signals.get(catalogue.PRECISE_LOCATION.code)
    return unavailability_reason(row, granted=granted) if row else ""


def _missing(state: VehicleState, granted: frozenset[str] | None) -> list[UnavailableData]:
    """Groups missing values by reason. Those that the driver could allow come first."""
    by_reason: dict[tuple[bool, str], list[str]] = {}
    for signal in dict.fromkeys(_EXPLAINED):
        row = state.signals.get(signal.code)
        if row is None or row.body is not None:
            continue
        reason = unavailability_reason(row, granted=granted)
        if reason:
            key = is_ungranted(row, granted=granted), reason
            by_reason.setdefault(key, []).append(str(signal.label))
    return [
        UnavailableData(reason, labels, can_request)
        for (can_request, reason), labels in sorted(
            by_reason.items(), key=lambda each: (not each[0][0], each[0][1])
        )
    ]
