"""The vehicle from above, with its nose at the top. Pure functions.

Shows what signals currently report about doors, windows, lids, charge port, tires and lock, as shapes
(templates/dashboard/vehicle_page/schematic.html) and as text. Coordinates are those of the drawing, 300 wide and 460
high, in whole numbers. What the vehicle doesn't report, or reported too long ago (vehicles.current_state), is UNKNOWN
and is drawn as such, never as closed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext

from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.current_state import is_current
from vehicles.formatting import display_unit
from vehicles.models import LatestSignal
from vehicles.part_names import Side, part_name, side_of
from vehicles.selectors import VehicleState
from vehicles.units import Unit, convert, symbol

# The position of the cabin with doors and windows, and of the axles.
CABIN = (164, 306)
FRONT_AXLE, REAR_AXLE = 118, 332
TANDEM = 52
# A tire with less than this share of the pressure on the same axle is marked as low.
LOW = 0.85
_MOST_NAMES = 3

SIGNALS = (
    catalogue.DOORS,
    catalogue.WINDOWS,
    catalogue.FRONT_TRUNK,
    catalogue.ENGINE_COVER,
    catalogue.REAR_TRUNK,
    catalogue.TAILGATE,
    catalogue.SUNROOF,
    catalogue.CHARGE_PORT_OPEN,
    catalogue.CABLE_CONNECTED,
    catalogue.IS_CHARGING,
    catalogue.TIRES,
    catalogue.IS_LOCKED,
)


class Condition(StrEnum):
    """The condition of a part, the most important first."""

    OPEN = "open"
    LOW = "low"
    UNLOCKED = "unlocked"
    CLOSED = "closed"
    UNKNOWN = "unknown"


_RANK = list(Condition)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the vehicle as text: "Front left door", "open"; `row` is the signal that reported it.

    `outdated` means that `words` are only the last known state. `reported` is whether the vehicle reports what matters
    most about it: whether it is open, or its pressure.
    """

    name: str
    words: str
    condition: Condition
    row: LatestSignal
    reported: bool = True
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A door or a window: its side, and its position along the vehicle."""

    side: str
    top: int
    height: int
    condition: Condition


@dataclass(frozen=True, slots=True)
class Tire:
    """A tire by its upper left corner; `pressure` is the number without a unit, "" if unknown."""

    side: str
    x: int
    y: int
    pressure: str
    label_x: int
    label_y: int
    low: bool


@dataclass(frozen=True, slots=True)
class Port:
    """The charge port. `cable` and `charging` are true only if the vehicle reports so."""

    condition: Condition
    cable: bool
    charging: bool


@dataclass(frozen=True, slots=True)
class Schematic:
    """All that is drawn, and the same as text.

    `lock` is CLOSED for locked. `sunroof` and `port` are None if the vehicle doesn't report one. `headline` summarizes
    everything in one sentence, `parts` has the details. `pressure_unit` is the unit of the tire labels, "" without any.
    """

    doors: Sequence[Panel]
    windows: Sequence[Panel]
    front: Condition
    rear: Condition
    sunroof: Condition | None
    port: Port | None
    tires: Sequence[Tire]
    lock: Condition
    headline: str
    parts: Sequence[Part]
    pressure_unit: str

    @property
    def attention(self) -> bool:
        """Whether anything is open or unlocked, or a tire is low."""
        worth = (Condition.OPEN, Condition.LOW)
        return self.lock is Condition.UNLOCKED or any(part.condition in worth for part in self.parts)


_LOW_TIRE = gettext_lazy("%(pressure)s, lower than others on this axle")


def build_schematic(state: VehicleState, *, units: str, now: datetime) -> Schematic:
    """Returns the schematic as of `now` for the latest valid values, with tire pressures in the unit system `units`."""
    doors = _openings(state, catalogue.DOORS, now)
    windows = _openings(state, catalogue.WINDOWS, now)
    lids = {
        signal: _lid(state, signal, now)
        for signal in (
            catalogue.FRONT_TRUNK,
            catalogue.ENGINE_COVER,
            catalogue.REAR_TRUNK,
            catalogue.TAILGATE,
            catalogue.SUNROOF,
        )
    }
    tires, tire_parts = _tires(state, units=units)
    lock = _lock(state, now)
    parts = [
        *(part for _panel, part in doors),
        *(part for _panel, part in windows),
        *(part for part in lids.values() if part),
        *_port_parts(state, now),
        *tire_parts,
    ]
    return Schematic(
        doors=[panel for panel, _part in doors] or _unknown(2),
        windows=[panel for panel, _part in windows] or _unknown(_rows(state, catalogue.DOORS) or 2),
        front=_worst(lids[catalogue.FRONT_TRUNK], lids[catalogue.ENGINE_COVER]),
        rear=_worst(lids[catalogue.REAR_TRUNK], lids[catalogue.TAILGATE]),
        sunroof=sunroof.condition if (sunroof := lids[catalogue.SUNROOF]) else None,
        port=_port(state, now),
        tires=tires or _bare_tires(2, 2),
        lock=lock,
        headline=_headline(parts, lock),
        parts=parts,
        pressure_unit=symbol(display_unit(Unit.KILOPASCAL, units=units)) if tires else "",
    )


def _openings(state: VehicleState, signal: Signal, now: datetime) -> list[tuple[Panel, Part]]:
    row = state.signal(signal)
    if row is None or row.body is None:
        return []
    rows, columns = row.body["rowCount"], row.body["columnCount"]
    drawn = []
    for opening in row.body["values"]:
        side = side_of(opening["column"], columns)
        top, height = _span(opening["row"], rows)
        name = part_name(signal, row=opening["row"], column=opening["column"], rows=rows, columns=columns)
        part = _opening_part(name, opening, row, now)
        drawn.append((Panel(side, top, height, part.condition), part))
    return drawn


def _unknown(rows: int) -> list[Panel]:
    """Returns doors or windows in unknown condition."""
    return [Panel(side, *_span(row, rows), Condition.UNKNOWN) for row in range(rows) for side in Side]


def _rows(state: VehicleState, signal: Signal) -> int:
    row = state.signal(signal)
    return int(row.body["rowCount"]) if row and row.body else 0


def _span(row: int, rows: int) -> tuple[int, int]:
    """Returns top and height of one row of the cabin."""
    top, bottom = CABIN
    each = (bottom - top) // rows
    return top + row * each, each


def _condition(opening: Mapping[str, Any]) -> Condition:
    is_open, is_locked = opening.get("isOpen"), opening.get("isLocked")
    if is_open:
        return Condition.OPEN
    if is_locked is False:
        return Condition.UNLOCKED
    return Condition.UNKNOWN if is_open is None and is_locked is None else Condition.CLOSED


def _words(opening: Mapping[str, Any], condition: Condition) -> str:
    is_open, is_locked = opening.get("isOpen"), opening.get("isLocked")
    if condition is Condition.OPEN:
        return pgettext("of a door", "open")
    if is_open is None and is_locked is None:
        return gettext("not reported")
    if is_locked is None:
        return pgettext("of a door", "closed")
    if is_open is None:
        return pgettext("of a door", "locked") if is_locked else pgettext("of a door", "unlocked")
    return pgettext("of a door", "closed, locked") if is_locked else pgettext("of a door", "closed, unlocked")


def _opening_part(name: str, opening: Mapping[str, Any], row: LatestSignal, now: datetime) -> Part:
    condition = _condition(opening)
    reported = opening.get("isOpen") is not None
    return _as_of(now, Part(name, _words(opening, condition), condition, row, reported))


def _as_of(now: datetime, part: Part) -> Part:
    """Returns the part with its reported condition, or with the last known one if it may have changed since."""
    if part.condition is Condition.UNKNOWN or is_current(part.row, now=now):
        return part
    words = gettext("%(state)s (last known)") % {"state": part.words}
    return replace(part, words=words, condition=Condition.UNKNOWN, outdated=True)


def _lid(state: VehicleState, signal: Signal, now: datetime) -> Part | None:
    row = state.signal(signal)
    if row is None or row.body is None:
        return None
    return _opening_part(str(signal.label), row.body, row, now)


def _worst(*parts: Part | None) -> Condition:
    """Returns the condition to draw if several signals report about one lid."""
    conditions = [part.condition for part in parts if part]
    return min(conditions, key=_RANK.index, default=Condition.UNKNOWN)


def _port(state: VehicleState, now: datetime) -> Port | None:
    """Returns the charge port, or None if the vehicle has never reported anything about charging."""
    signals = (catalogue.CHARGE_PORT_OPEN, catalogue.CABLE_CONNECTED, catalogue.IS_CHARGING)
    if all(state.value(signal) is None for signal in signals):
        return None
    flap, cable, charging = (state.current_value(signal, now=now) for signal in signals)
    condition = Condition.UNKNOWN if flap is None else Condition.OPEN if flap else Condition.CLOSED
    return Port(condition, cable=cable is True or charging is True, charging=charging is True)


def _port_parts(state: VehicleState, now: datetime) -> list[Part]:
    """Returns port and cable as text. A port that is open because the cable is plugged in counts as closed."""
    parts = []
    plugged = state.current_value(catalogue.CABLE_CONNECTED, now=now)
    flap, cable = state.signal(catalogue.CHARGE_PORT_OPEN), state.signal(catalogue.CABLE_CONNECTED)
    if flap is not None:
        condition = Condition.OPEN if flap.value and not plugged else Condition.CLOSED
        words = pgettext("of a door", "open") if flap.value else pgettext("of a door", "closed")
        parts.append(_as_of(now, Part(gettext("Charge port"), words, condition, flap)))
    if cable is not None:
        if plugged is not None and state.current_value(catalogue.IS_CHARGING, now=now):
            words = gettext("plugged in, charging")
        else:
            words = gettext("plugged in") if cable.value else gettext("not plugged in")
        parts.append(_as_of(now, Part(gettext("Charging cable"), words, Condition.CLOSED, cable)))
    return parts


def _lock(state: VehicleState, now: datetime) -> Condition:
    locked = state.current_value(catalogue.IS_LOCKED, now=now)
    if locked is None:
        return Condition.UNKNOWN
    return Condition.CLOSED if locked else Condition.UNLOCKED


def _tires(state: VehicleState, *, units: str) -> tuple[list[Tire], list[Part]]:
    row = state.signal(catalogue.TIRES)
    if row is None or row.body is None:
        return [], []
    rows, columns = row.body["rowCount"], row.body["columnCount"]
    unit = display_unit(Unit.KILOPASCAL, units=units)
    tires, parts = [], []
    for tire in row.body["values"]:
        at = tire["row"]
        kilopascals = tire.get("tirePressure")
        low = kilopascals is not None and _is_low(kilopascals, at, row.body["values"])
        pressure = "" if kilopascals is None else _pressure(kilopascals, unit)
        tires.append(_tire(at, tire["column"], rows, columns, pressure=pressure, low=low))
        words = f"{pressure} {symbol(unit)}" if pressure else gettext("not reported")
        parts.append(
            Part(
                part_name(catalogue.TIRES, row=at, column=tire["column"], rows=rows, columns=columns),
                str(_LOW_TIRE) % {"pressure": words} if low else words,
                Condition.UNKNOWN if not pressure else Condition.LOW if low else Condition.CLOSED,
                row,
                bool(pressure),
            )
        )
    return tires, parts


def _pressure(kilopascals: float, unit: Unit) -> str:
    """Formats the pressure: bar with one decimal, as 2.4 and 2.6 differ considerably, psi in whole numbers."""
    value = convert(kilopascals, source=Unit.KILOPASCAL, target=unit)
    return number_format(value, decimal_pos=1 if unit is Unit.BAR else 0)


def _is_low(kilopascals: float, at: int, tires: Iterable[Mapping[str, Any]]) -> bool:
    others = [each["tirePressure"] for each in tires if each["row"] == at and each.get("tirePressure")]
    return bool(others) and kilopascals < LOW * max(others)


def _bare_tires(rows: int, columns: int) -> list[Tire]:
    """Returns tires without a reported pressure."""
    return [
        _tire(row, column, rows, columns, pressure="", low=False)
        for row in range(rows)
        for column in range(columns)
    ]


def _tire(row: int, column: int, rows: int, columns: int, *, pressure: str, low: bool) -> Tire:
    """Positions a tire.

    The first row is at the front, all others are behind each other at the rear; twin tires are side by side.
    """
    axle = FRONT_AXLE if row == 0 else REAR_AXLE - (rows - 1 - row) * TANDEM
    side = side_of(column, columns)
    outermost = column if side is Side.LEFT else columns - 1 - column
    x = 80 + 12 * outermost if side is Side.LEFT else 204 - 12 * outermost
    label_x = 70 if side is Side.LEFT else 230
    return Tire(side, x, axle - 23, pressure, label_x, axle + 5 + 18 * outermost, low)


def _headline(parts: Sequence[Part], lock: Condition) -> str:
    """Returns a summary of the vehicle's condition at a glance."""
    opened = [part for part in parts if part.condition is Condition.OPEN]
    low = sum(1 for part in parts if part.condition is Condition.LOW)
    sentences = [_openings_summary(opened, parts), _lock_summary(lock), _unreported_summary(parts)]
    if low:
        sentences.append(
            ngettext("%(n)d tire has low pressure.", "%(n)d tires have low pressure.", low) % {"n": low}
        )
    return " ".join(filter(None, sentences))


def _openings_summary(opened: Sequence[Part], parts: Sequence[Part]) -> str:
    if opened:
        more = len(opened) - _MOST_NAMES
        if more > 0:
            return gettext("Open: %(names)s and %(more)d more.") % {"names": _names(opened), "more": more}
        return gettext("Open: %(names)s.") % {"names": _names(opened)}
    closures = [part for part in parts if part.row.code.startswith(catalogue.DOORS.group.lower())]
    if any(part.reported and part.condition in (Condition.CLOSED, Condition.UNLOCKED) for part in closures):
        return gettext("Everything reported is closed.")
    if any(part.outdated for part in closures):
        return gettext("Doors and windows not reported recently.")
    return gettext("Doors and windows not reported.")


def _unreported_summary(parts: Sequence[Part]) -> str:
    """Returns which parts of a signal with several parts the vehicle doesn't report."""
    signals = {part.row.code for part in parts if part.reported}
    unreported = [part for part in parts if not part.reported and part.row.code in signals]
    if not unreported:
        return ""
    more = len(unreported) - _MOST_NAMES
    if more > 0:
        return gettext("Not reported: %(names)s and %(more)d more.") % {
            "names": _names(unreported),
            "more": more,
        }
    return gettext("Not reported: %(names)s.") % {"names": _names(unreported)}


def _names(parts: Sequence[Part]) -> str:
    return ", ".join(dict.fromkeys(part.name for part in parts[:_MOST_NAMES]))


def _lock_summary(lock: Condition) -> str:
    if lock is Condition.UNKNOWN:
        return ""
    return gettext("Locked.") if lock is Condition.CLOSED else gettext("Unlocked.")
