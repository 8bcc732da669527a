"""Encoding of signal bodies for history rows, and decoding."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Shape
from vehicles.encoding import decode, encode
from vehicles.quantities import round_float

NUMBERS = [signal for signal in CATALOGUE.values() if signal.shape is Shape.NUMBER]


@given(signal=st.sampled_from(NUMBERS), value=st.floats(-1e9, 1e9).map(round_float))
def test_plain_number_is_stored_only_as_a_number(signal: catalogue.Signal, value: float) -> None:
    body = {"value": value} | ({"unit": signal.unit.value} if signal.unit else {})
    number, rest = encode(signal.code, body)
    assert (number, rest) == (value, None)
    assert decode(signal.code, value=number, rest=rest) == body


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (catalogue.IS_LOCKED.code, {"value": True}),
        (catalogue.PRECISE_LOCATION.code, {"latitude": 52.5, "longitude": 13.4}),
        (catalogue.SPEED.code, {"value": None}),
        (catalogue.SPEED.code, {"value": True}),
        ("brandnew-thing", {"value": 5, "unit": "parsec"}),
    ],
)
def test_other_bodies_are_stored_whole(code: str, body: dict[str, Any]) -> None:
    assert encode(code, body) == (None, body)
    assert decode(code, value=None, rest=body) == body


def test_number_with_additional_fields_is_stored_both_ways() -> None:
    body = {"value": 300, "unit": "km", "additionalValues": [{"type": "RATED", "value": 320}]}
    assert encode(catalogue.RANGE.code, body) == (300, body)
    assert decode(catalogue.RANGE.code, value=300, rest=body) == body
