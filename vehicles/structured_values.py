"""Records inside a signal's body (charging sessions, timers, trouble codes, service visits), key by key.

Which keys a record has is in a table after Smartcar's documentation of the signal; others stay out. `plain`
is for what nobody documents key by key: it keeps all, within bounds. Pure functions.
"""

from collections.abc import Callable, Mapping
from typing import Any

from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.quantities import ImplausibleValueError, number, percent, round_float
from vehicles.units import Unit

Reader = Callable[[Any], Any]
_TEXT_LIMIT = 500
_LIST_LIMIT = 100
_DEPTH_LIMIT = 5


def text(raw: str, limit: int = _TEXT_LIMIT) -> str:
    """Trimmed, cut to `limit` characters, and without NUL, which PostgreSQL cannot hold."""
    return raw.replace("\x00", "").strip()[:limit]


def sanitize_json(raw: Any, depth: int = _DEPTH_LIMIT) -> Any:
    """A copy of a JSON value that is safe to store: bounded in depth and length, numbers finite.

    What lies deeper, is longer or is no JSON value becomes None or is cut.
    """
    if isinstance(raw, Mapping) and depth:
        items = list(raw.items())[:_LIST_LIMIT]
        return {text(str(key)): sanitize_json(value, depth - 1) for key, value in items}
    if isinstance(raw, list) and depth:
        return [sanitize_json(value, depth - 1) for value in raw[:_LIST_LIMIT]]
    return _leaf(raw)


def _leaf(raw: Any) -> Any:
    """A text, finite number, boolean or None as it is; None for anything else."""
    if isinstance(raw, str):
        return text(raw)
    if isinstance(raw, bool) or raw is None:
        return raw
    if isinstance(raw, int | float) and abs(raw) <= 1e15:  # not so for a NaN
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


def _percent(raw: Any) -> int | float | None:
    try:
        return percent(number(raw, []), Unit.PERCENT, [])
    except ImplausibleValueError:
        return None


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
        return [kept for entry in raw[:_LIST_LIMIT] if (kept := item(entry)) is not None]

    return read


def _keys(names: str, **special: Reader) -> dict[str, Reader]:
    return dict.fromkeys(names.split(), _leaf) | special


_place = _object(_keys("name address", latitude=_coordinate, longitude=_coordinate))


def _timer(raw: Any) -> dict[str, Any] | None:
    """A charge timer as it came: its keys are documented by their meaning only, not by name."""
    return sanitize_json(raw) | {"type": _upper(raw.get("type"))} if isinstance(raw, Mapping) else None


condition: Reader = _object(
    _keys("name address connectorType type", latitude=_coordinate, longitude=_coordinate)
)
"""Where a charge limit or timer applies; None where it applies everywhere."""

_RECORDS: dict[str, Reader] = {
    catalogue.CHARGE_RECORDS.code: _object(
        _keys(
            "id startTime endTime energyAdded connectorType isPublicCharger",
            startStateOfCharge=_percent,
            endStateOfCharge=_percent,
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


def structured_value(signal: Signal, entry: Any) -> Any:
    """One entry of the signal's list with the keys documented for it; None where it is no such entry."""
    return _RECORDS.get(signal.code, _leaf)(entry)
