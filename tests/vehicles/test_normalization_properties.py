"""Normalization of arbitrary input: no implausible value passes, and only rejections are raised."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Shape, Signal
from vehicles.normalization import ImplausibleValueError, normalize
from vehicles.units import Unit

SIGNALS = st.sampled_from(list(CATALOGUE.values()))
PERCENT_SIGNALS = st.sampled_from(
    [s for s in CATALOGUE.values() if s.shape is Shape.NUMBER and s.unit is Unit.PERCENT]
)
# fmt: off
KEYS = st.sampled_from([
    "value", "unit", "percentage", "values", "doors", "windows", "isOpen", "isLocked", "row", "column",
    "tirePressure", "latitude", "longitude", "heading", "direction", "locationType", "limit", "type",
    "condition", "activeLimit", "capacity", "availableCapacities", "status", "description", "rowCount",
    "additionalValues",
])
# fmt: on
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-2, 260)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["percent", "bar", "kPa", "psi", "km", "miles", "watts", "kW", "fraction", "invalid"])
)
OBJECTS = st.dictionaries(KEYS, LEAVES, max_size=5)
BODIES = st.dictionaries(KEYS, LEAVES | OBJECTS | st.lists(OBJECTS | LEAVES, max_size=3), max_size=5)


@given(signal=SIGNALS, body=BODIES)
def test_any_body_becomes_storable_or_is_rejected(signal: Signal, body: dict[str, Any]) -> None:
    try:
        canonical = normalize(signal, body).body
    except ImplausibleValueError as rejection:
        assert rejection.reason
        return
    assert canonical
    stored = orjson.dumps(canonical)
    assert orjson.loads(stored) == canonical
    assert b"\\u0000" not in stored


@given(signal=PERCENT_SIGNALS, value=LEAVES, unit=st.sampled_from(["percent", "fraction", None]))
def test_percentage_is_always_from_0_to_100(signal: Signal, value: Any, unit: str | None) -> None:
    try:
        canonical = normalize(signal, {"value": value, "unit": unit}).body
    except ImplausibleValueError:
        return
    assert 0 <= canonical["value"] <= 100
    assert canonical["unit"] == "percent"


@given(
    limits=st.lists(st.floats() | st.integers(-10, 200), max_size=4),
    active=st.floats() | st.integers(-10, 200),
)
def test_charge_limit_is_always_from_0_to_100(limits: list[float], active: float) -> None:
    values = [{"type": "GLOBAL", "limit": limit} for limit in limits]
    try:
        body = normalize(catalogue.CHARGE_LIMITS, {"values": values, "activeLimit": active}).body
    except ImplausibleValueError:
        return
    assert all(0 <= limit["limit"] <= 100 for limit in body["values"])
    assert body["activeLimit"] is None or 0 <= body["activeLimit"] <= 100


@given(
    values=st.lists(st.floats() | st.floats(0, 800) | st.integers() | st.none(), min_size=1, max_size=4),
    unit=st.sampled_from(["bar", "psi", "kPa", None]),
)
def test_tire_pressure_is_always_plausible(values: list[Any], unit: str | None) -> None:
    tires = [{"row": 0, "column": at, "tirePressure": value} for at, value in enumerate(values)]
    try:
        body = normalize(catalogue.TIRES, {"values": tires, "unit": unit}).body
    except ImplausibleValueError:
        return
    pressures = [tire["tirePressure"] for tire in body["values"]]
    assert all(pressure is None or 0 <= pressure <= 1100 for pressure in pressures)
    assert 699.9 not in pressures


@given(latitude=st.floats(), longitude=st.floats())
def test_location_is_always_on_earth_and_never_0_0(latitude: float, longitude: float) -> None:
    try:
        body = normalize(catalogue.PRECISE_LOCATION, {"latitude": latitude, "longitude": longitude}).body
    except ImplausibleValueError:
        return
    assert abs(body["latitude"]) <= 90
    assert abs(body["longitude"]) <= 180
    assert (body["latitude"], body["longitude"]) != (0, 0)
