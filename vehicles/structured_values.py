"""Parses records in a signal's body (charging sessions, timers, trouble codes, service visits) key by key.

A table has the keys of each record, from Smartcar's documentation of the signal. Other keys are dropped.
`sanitize_json` is for values whose keys aren't documented: it retains everything, within bounds. Pure functions.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.quantities import (
    LARGEST_FRACTION,
    ImplausibleValueError,
    number,
    round_float,
    within_bounds,
)
from vehicles.units import Unit

Reader = Callable[[Any], Any]
_TEXT_LIMIT = 500
_LIST_LIMIT = 100
_DEPTH_LIMIT = 5


def text(raw: str, limit: int = _TEXT_LIMIT) -> str:
    """Trims text, truncates it to `limit` characters and removes NUL, which PostgreSQL can't store."""
    return raw.replace("\x00", "").strip()[:limit]


def sanitize_json(raw: Any, depth: int = _DEPTH_LIMIT) -> Any:
    """Returns a copy of a JSON value that is safe to store: limited in depth and length, with finite numbers.

    Longer values are truncated. Values that are nested deeper or aren't JSON become None.
    """
    if isinstance(raw, Mapping) and depth:
        items = list(raw.items())[:_LIST_LIMIT]
        return {text(str(key)): sanitize_json(value, depth - 1) for key, value in items}
    if isinstance(raw, list) and depth:
        return [sanitize_json(value, depth - 1) for value in raw[:_LIST_LIMIT]]
    return _leaf(raw)


def _leaf(raw: Any) -> Any:
    """Returns text, a finite number, a boolean or None; None for anything else."""
    if isinstance(raw, str):
        return text(raw)
    if isinstance(raw, bool) or raw is None:
        return raw
    if isinstance(raw, int | float) and abs(raw) <= 1e15:  # false for NaN
        return round_float(raw)
    return None


def _coordinate(raw: Any) -> float | None:
    try:
        value = number(raw, [])
    except ImplausibleValueError:
        return None
    return round(value, 6) if abs(value) <= 180 else None


def _upper(raw: Any) -> str | None:
    return text(raw).upper() if isinstance(raw, str) else None


def _level(raw: Any) -> int | float | None:
    """Returns a state of charge as received, as a fraction or in percent; see `_with_percentages`."""
    try:
        return round_float(within_bounds(number(raw, []), Unit.PERCENT))
    except ImplausibleValueError:
        return None


_LEVELS = ("startStateOfCharge", "endStateOfCharge")


def _with_percentages(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns charging records with their states of charge in percent.

    They are fractions if none of the list exceeds 1. A single one is a fraction, too, if the charge would have fallen
    otherwise.
    """
    levels = [level for record in records for key in _LEVELS if (level := record.get(key)) is not None]
    in_percent = any(level > LARGEST_FRACTION for level in levels)
    return [_with_percentage(record, in_percent=in_percent) for record in records]


def _with_percentage(record: dict[str, Any], *, in_percent: bool) -> dict[str, Any]:
    start, end = (record.get(key) for key in _LEVELS)
    if not in_percent:
        fractions = {key: record[key] for key in _LEVELS if record.get(key) is not None}
    elif start is not None and end is not None and end <= LARGEST_FRACTION and end < start:
        fractions = {_LEVELS[1]: end}
    else:
        fractions = {}
    return record | {key: round_float(min(100, 100 * level)) for key, level in fractions.items()}


def _object(keys: Mapping[str, Reader]) -> Reader:
    def read(raw: Any) -> dict[str, Any] | None:
        if not isinstance(raw, Mapping):
            return None
        return {key: reader(raw[key]) for key, reader in keys.items() if key in raw}

    return read


def _list(item: Reader) -> Reader:
    def read(raw: Any) -> list[Any]:
        if not isinstance(raw, list):
            return []
        return [value for entry in raw[:_LIST_LIMIT] if (value := item(entry)) is not None]

    return read


def _keys(names: str, **special: Reader) -> dict[str, Reader]:
    return dict.fromkeys(names.split(), _leaf) | special


_place = _object(_keys("name address", latitude=_coordinate, longitude=_coordinate))


def _timer(raw: Any) -> dict[str, Any] | None:
    """Returns a charge timer as received: the documentation describes its keys without their names."""
    return sanitize_json(raw) | {"type": _upper(raw.get("type"))} if isinstance(raw, Mapping) else None


condition: Reader = _object(
    _keys(
        "name address connectorType type",
        chargingType=_upper,
        latitude=_coordinate,
        longitude=_coordinate,
    )
)
"""Parses where a charge limit or timer applies; None if it applies everywhere."""

_RECORDS: dict[str, Reader] = {
    catalogue.CHARGE_RECORDS.code: _object(
        _keys(
            "id startTime endTime energyAdded connectorType isPublicCharger",
            type=_upper,
            chargingType=_upper,
            condition=condition,
            startStateOfCharge=_level,
            endStateOfCharge=_level,
            cost=_object(_keys("currency energyAmount otherAmount")),
            location=_place,
        )
    ),
    catalogue.CHARGE_TIMERS.code: _timer,
    catalogue.DTC_LIST.code: _object(_keys("code timestamp")),
    catalogue.SERVICE_RECORDS.code: _object(
        _keys(
            "id time odometer",
            cost=_object(_keys("amount currency")),
            tasks=_list(_object(_keys("id description"))),
            details=_list(_object(_keys("id description"))),
        )
    ),
}


def structured_values(signal: Signal, entries: Sequence[Any]) -> list[Any]:
    """Returns the entries of the signal's list with their documented keys, without those that aren't valid."""
    read = _RECORDS.get(signal.code, _leaf)
    values = [value for entry in entries if (value := read(entry)) is not None]
    return _with_percentages(values) if signal is catalogue.CHARGE_RECORDS else values
