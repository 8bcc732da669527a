"""Encodes a body for a row of history: a plain number as a number, anything else as JSON. Pure functions."""

from typing import Any

from vehicles.catalogue import CATALOGUE, Shape
from vehicles.quantities import round_float


def encode(code: str, body: dict[str, Any]) -> tuple[float | None, dict[str, Any] | None]:
    """Returns (value, rest): the number of a number signal, and the body unless the number is all it contains."""
    signal = CATALOGUE.get(code)
    value = body.get("value")
    if signal is None or signal.shape is not Shape.NUMBER:
        return None, body
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, body
    return float(value), None if body == _plain(code, value) else body


def decode(code: str, *, value: float | None, rest: dict[str, Any] | None) -> dict[str, Any]:
    """Returns the body that was passed to `encode`."""
    if rest is not None:
        return rest
    return {} if value is None else _plain(code, round_float(value))


def _plain(code: str, value: float) -> dict[str, Any]:
    signal = CATALOGUE.get(code)
    unit = signal.unit if signal else None
    return {"value": value} if unit is None else {"value": value, "unit": unit.value}
