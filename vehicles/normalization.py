"""Normalizes a signal's body to its canonical form: one shape, one unit, plausible values only.

The shapes are those of `catalogue.Shape`, based on Smartcar's documentation of each signal group. Unknown keys are
dropped. Pure functions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vehicles import catalogue, structured_values
from vehicles.catalogue import Shape, Signal
from vehicles.correction_notes import CorrectionNote
from vehicles.quantities import (
    ImplausibleValueError,
    NoValueError,
    charge_limit,
    number,
    quantity,
    read_unit,
    round_float,
)
from vehicles.tire_pressures import to_kilopascals
from vehicles.unit_claims import UnitClaim, read_claim
from vehicles.units import Unit

__all__ = ["AmbiguousUnitError", "ImplausibleValueError", "NoValueError", "Normalized", "normalize"]

Body = dict[str, Any]
_TEXT_LIMIT = 200
_LIST_LIMIT = 200
_PLACEHOLDERS = {"", "invalid", "<invalid>", "null", "undefined"}
_UNKNOWN = _PLACEHOLDERS | {"unknown", "unavailable", "not_available", "not available", "n/a", "none"}
_TRUTH: dict[str | int, bool] = {"true": True, "false": False, 1: True, 0: False}
_DIRECTIONS = {"N", "NE", "E", "SE", "S", "SW", "W", "NW"}


@dataclass(frozen=True, slots=True)
class Normalized:
    """A canonical body, and a note on each correction, as it is stored (vehicles.correction_notes).

    `claim` is about the unit of a number whose label can't be trusted (vehicles.unit_claims).
    """

    body: Body
    notes: tuple[str, ...] = ()
    claim: UnitClaim | None = field(default=None, compare=False)


class AmbiguousUnitError(ImplausibleValueError):
    """The payload alone doesn't show the number's unit. The vehicle's earlier values may (`claim`)."""

    def __init__(self, claim: UnitClaim) -> None:
        super().__init__(claim.ambiguity)
        self.claim = claim


def normalize(signal: Signal, body: Mapping[str, Any]) -> Normalized:
    """Returns the canonical form of `body`.

    Raises ImplausibleValueError (with the reason) if the value is implausible or can't be parsed, and its subclasses
    NoValueError if there is no value, and AmbiguousUnitError if the value is one in either of two units.
    """
    notes: list[str] = []
    flat = _flat(body)
    claim = read_claim(signal, *_measured(signal, flat)) if signal.shape is Shape.NUMBER else None
    if claim is not None and claim.unit is None:
        raise AmbiguousUnitError(claim)
    canonical = _SHAPES[signal.shape](signal, flat, notes)
    return Normalized(canonical, tuple(dict.fromkeys(notes)), claim)


def _flat(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the body without the extra level that the tests of Smartcar's dashboard have."""
    for key in ("values", "value"):
        nested = body.get(key)
        if isinstance(nested, Mapping):
            return {name: value for name, value in body.items() if name != key} | dict(nested)
    return body


def _measured(signal: Signal, body: Mapping[str, Any]) -> tuple[Any, Any]:
    """Returns the number and its unit, as received."""
    raw, unit = body.get("value"), body.get("unit")
    if raw is None and signal.unit is Unit.PERCENT and body.get("percentage") is not None:
        return body["percentage"], Unit.PERCENT
    return raw, unit


def _number(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    raw, unit = _measured(signal, body)
    canonical: Body = {"value": quantity(raw, unit, signal=signal, notes=notes)}
    if signal.unit is not None:
        canonical["unit"] = signal.unit.value
    if signal is catalogue.RANGE and (others := _other_ranges(signal, body, notes)):
        canonical["additionalValues"] = others
    return canonical


def _other_ranges(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> list[Body]:
    """Returns the rated, ideal and estimated ranges that newer payloads have in addition to the range."""
    others: list[Body] = []
    for entry in _entries(body.get("additionalValues"), notes):
        try:
            value = quantity(entry.get("value"), body.get("unit"), signal=signal, notes=notes)
        except ImplausibleValueError as error:
            notes.append(CorrectionNote.RANGE_LEFT_OUT.note(reason=error.reason))
            continue
        others.append({"type": _text(entry.get("type")).upper(), "value": value})
    return others


def _boolean(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    value = _truth(body.get("value"), notes)
    if value is None:
        raise NoValueError(CorrectionNote.NO_VALUE.message())
    return {"value": value}


def _truth(raw: Any, notes: list[str]) -> bool | None:
    if raw is None or isinstance(raw, bool):
        return raw
    if _is_unknown(raw):
        return None
    value = _TRUTH.get(raw.lower() if isinstance(raw, str) else raw) if isinstance(raw, str | int) else None
    if value is None:
        raise ImplausibleValueError(CorrectionNote.NOT_A_BOOLEAN.message())
    notes.append(CorrectionNote.BOOLEAN_CONVERTED.note())
    return value


def _is_unknown(raw: Any) -> bool:
    """Returns whether the vehicle says that it doesn't know the state."""
    return isinstance(raw, str) and raw.strip().lower() in _UNKNOWN


def _plain_text(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    raw = body.get("value")
    if raw is not None and not isinstance(raw, str | int | float):
        raise ImplausibleValueError(CorrectionNote.NOT_TEXT.message())
    text = _text(raw)
    if text.lower() in _PLACEHOLDERS:
        raise NoValueError((CorrectionNote.PLACEHOLDER if text else CorrectionNote.NO_VALUE).message())
    return {"value": text}


def _choice(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    text = _plain_text(signal, body, notes)["value"]
    if _is_unknown(text):
        raise NoValueError(CorrectionNote.PLACEHOLDER.message())
    return {"value": text.upper().replace(" ", "_").replace("-", "_")}


def _text(raw: Any) -> str:
    """Returns text of limited length. A number becomes text; null, objects and lists become ""."""
    return structured_values.text(str(raw), _TEXT_LIMIT) if isinstance(raw, str | int | float) else ""


def _status(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    status = _text(body.get("status")).upper()
    if _is_unknown(status):
        raise NoValueError(CorrectionNote.NO_STATUS.message())
    return {"status": status, "description": _text(body.get("description"))}


def _location(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    latitude, longitude = number(body.get("latitude"), notes), number(body.get("longitude"), notes)
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ImplausibleValueError(CorrectionNote.IMPOSSIBLE_LOCATION.message())
    if abs(latitude) < 0.01 and abs(longitude) < 0.01:
        raise ImplausibleValueError(CorrectionNote.NULL_LOCATION.message())
    # Six decimals are a tenth of a meter, so that an unchanged location has an unchanged value.
    canonical: Body = {"latitude": round(latitude, 6), "longitude": round(longitude, 6)}
    canonical.update(_heading(body.get("heading"), notes))
    direction = _text(body.get("direction")).upper()
    if direction in _DIRECTIONS:
        canonical["direction"] = direction
    if kind := _text(body.get("locationType")).upper():
        canonical["locationType"] = kind
    return canonical


def _heading(raw: Any, notes: list[str]) -> Body:
    try:
        heading = number(raw, notes)
    except ImplausibleValueError:
        return {}
    if not 0 <= heading <= 360:
        notes.append(CorrectionNote.HEADING_LEFT_OUT.note())
        return {}
    return {"heading": round_float(heading % 360)}


def _closure(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    raw_open = body.get("isOpen", body.get("value"))
    canonical: Body = {"isOpen": _truth(raw_open, notes), "isLocked": _truth(body.get("isLocked"), notes)}
    if canonical["isOpen"] is None and canonical["isLocked"] is None:
        raise NoValueError(CorrectionNote.NO_CLOSURE_STATE.message())
    return canonical


def _openings(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    entries = _entries(_first(body, "values", signal.name.lower()), notes)
    values = [opening for entry in entries if (opening := _opening(entry, notes))]
    if all(opening["isOpen"] is None and opening["isLocked"] is None for opening in values):
        raise NoValueError(CorrectionNote.NO_OPENING_STATE.message())
    return {"values": values} | _grid(body, values)


def _opening(entry: Mapping[str, Any], notes: list[str]) -> Body | None:
    place = _place(entry)
    try:
        state = {key: _truth(entry.get(key), notes) for key in ("isOpen", "isLocked")}
    except ImplausibleValueError:
        place = None
    if place is None:
        notes.append(CorrectionNote.OPENING_LEFT_OUT.note())
        return None
    return place | state


def _tires(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    unit = read_unit(body.get("unit"), expected=Unit.KILOPASCAL)
    placed: list[tuple[Body, Any]] = []
    for entry in _entries(_first(body, "values", "tires"), notes):
        if place := _place(entry):
            placed.append((place, entry.get("tirePressure")))
        else:
            notes.append(CorrectionNote.TIRE_LEFT_OUT.note())
    pressures = to_kilopascals([raw for _place, raw in placed], unit, notes)
    if not any(pressures):
        raise NoValueError(CorrectionNote.NO_TIRE_READING.message())
    values = [
        place | {"tirePressure": pressure} for (place, _raw), pressure in zip(placed, pressures, strict=True)
    ]
    return {"values": values} | _grid(body, values) | {"unit": Unit.KILOPASCAL.value}


def _place(entry: Mapping[str, Any]) -> Body | None:
    """Returns the row from the front and the column from the left, each from 0; None if one is missing or invalid."""
    place = {key: entry.get(key) for key in ("row", "column")}
    if all(type(at) is int and 0 <= at < 20 for at in place.values()):
        return place
    return None


def _grid(body: Mapping[str, Any], values: list[Body]) -> Body:
    """Returns the numbers of rows and columns, counted if the vehicle doesn't report them or reports too few."""
    counts: Body = {}
    for key, at in (("rowCount", "row"), ("columnCount", "column")):
        reported = body.get(key)
        counted = 1 + max(value[at] for value in values)
        counts[key] = reported if type(reported) is int and counted <= reported <= 20 else counted
    return counts


def _charge_limits(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    unit = read_unit(body.get("unit"), expected=Unit.PERCENT)
    values = [limit for entry in _entries(body.get("values"), notes) if (limit := _limit(entry, unit, notes))]
    active = _limit_or_none(body.get("activeLimit"), unit, notes)
    if not values and active is None:
        raise NoValueError(CorrectionNote.NO_CHARGE_LIMIT.message())
    return {"values": values, "activeLimit": active, "unit": Unit.PERCENT.value}


def _limit(entry: Mapping[str, Any], unit: Unit | None, notes: list[str]) -> Body | None:
    limit = _limit_or_none(entry.get("limit"), unit, notes)
    if limit is None:
        return None
    condition = structured_values.condition(entry.get("condition"))
    if current := _text(entry.get("chargingType")).upper():
        condition = {"chargingType": current} | (condition or {})
    kind = _text(entry.get("type")).upper() or ("CHARGING_TYPE" if current else "GLOBAL")
    return {"type": kind, "limit": limit, "condition": condition}


def _limit_or_none(raw: Any, unit: Unit | None, notes: list[str]) -> int | float | None:
    try:
        return charge_limit(number(raw, notes), unit, notes)
    except NoValueError:
        return None
    except ImplausibleValueError as error:
        notes.append(CorrectionNote.CHARGE_LIMIT_LEFT_OUT.note(reason=error.reason))
        return None


def _capacity(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    unit = body.get("unit")
    choices: list[Body] = []
    for entry in _entries(body.get("availableCapacities"), notes):
        capacity = _capacity_or_none(entry.get("capacity"), unit, signal, notes)
        choices.append({"capacity": capacity, "description": _text(entry.get("description"))})
    capacity = _capacity_or_none(body.get("capacity"), unit, signal, notes)
    if capacity is None and not choices:
        raise NoValueError(CorrectionNote.NO_CAPACITY.message())
    return {
        "capacity": capacity,
        "source": _text(body.get("source")).upper(),
        "availableCapacities": choices,
        "unit": Unit.KILOWATT_HOUR.value,
    }


def _capacity_or_none(raw: Any, unit: Any, signal: Signal, notes: list[str]) -> int | float | None:
    try:
        return quantity(raw, unit, signal=signal, notes=notes)
    except NoValueError:
        return None


def _drive_mode(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    canonical = {
        "canonical": _text(body.get("canonical")).upper(),
        "oemDisplayName": _text(body.get("oemDisplayName")),
    }
    if not any(canonical.values()):
        raise NoValueError(CorrectionNote.NO_DRIVE_MODE.message())
    return canonical


def _values(signal: Signal, body: Mapping[str, Any], notes: list[str]) -> Body:
    raw = _first(body, "values", "value")
    if raw is None:
        raise NoValueError(CorrectionNote.NO_LIST.message())
    if not isinstance(raw, list):
        raise ImplausibleValueError(CorrectionNote.NOT_A_LIST.message())
    records = structured_values.structured_values(signal, raw[:_LIST_LIMIT])
    if len(records) < len(raw):
        notes.append(CorrectionNote.ENTRIES_LEFT_OUT.note(count=len(raw) - len(records)))
    return {"values": records}


def _first(body: Mapping[str, Any], *keys: str) -> Any:
    """Returns the first of these that isn't null, or None."""
    return next((body[key] for key in keys if body.get(key) is not None), None)


def _entries(raw: Any, notes: list[str]) -> list[Mapping[str, Any]]:
    """Returns the objects of a list. Other entries are left out, with a note."""
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise ImplausibleValueError(CorrectionNote.NOT_A_LIST.message())
    entries = [entry for entry in raw[:_LIST_LIMIT] if isinstance(entry, Mapping)]
    if len(entries) < len(raw):
        notes.append(CorrectionNote.ENTRIES_LEFT_OUT.note(count=len(raw) - len(entries)))
    return entries


_SHAPES: dict[Shape, Callable[[Signal, Mapping[str, Any], list[str]], Body]] = {
    Shape.NUMBER: _number,
    Shape.BOOLEAN: _boolean,
    Shape.TEXT: _plain_text,
    Shape.CHOICE: _choice,
    Shape.STATUS: _status,
    Shape.LOCATION: _location,
    Shape.CLOSURE: _closure,
    Shape.OPENINGS: _openings,
    Shape.TIRES: _tires,
    Shape.CHARGE_LIMITS: _charge_limits,
    Shape.CAPACITY: _capacity,
    Shape.DRIVE_MODE: _drive_mode,
    Shape.VALUES: _values,
}
