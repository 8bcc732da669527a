"""Coordinates as users type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles.places.coordinate_parsing import parse_degrees, parse_pair

degrees = st.floats(-180, 180).map(lambda value: round(value, 6))


@given(degrees, degrees, st.sampled_from([", ", ",", " ", ";", " ; "]))
def test_pair_is_split(one: float, other: float, between: str) -> None:
    first, second = f"{one:.6f}", f"{other:.6f}"
    assert parse_pair(f" {first}{between}{second} ") == (first, second)


@given(degrees, degrees, st.sampled_from(["; ", ";", " ", " ; "]))
def test_pair_with_decimal_commas_is_split(one: float, other: float, between: str) -> None:
    first, second = f"{one:.6f}".replace(".", ","), f"{other:.6f}".replace(".", ",")
    assert parse_pair(f"{first}{between}{second}") == (first, second)


@given(degrees)
def test_degrees_are_parsed_with_point_or_comma(value: float) -> None:
    for text in (f"{value:.6f}", f" {value:.6f}° ", f"{value:.6f}".replace(".", ",")):
        assert parse_degrees(text, limit=180) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "north", "1e2", "nan", "inf", "37.80.1", "90.0001", "-91", "1234"])
def test_invalid_latitude_is_rejected(text: str) -> None:
    assert parse_degrees(text, limit=90) is None


@pytest.mark.parametrize("text", ["", "37.8", "37.8,", "1, 2, 3", "here, there"])
def test_invalid_pair_is_rejected(text: str) -> None:
    assert parse_pair(text) is None


@given(st.text(max_size=40))
def test_any_text_is_handled(text: str) -> None:
    parse_degrees(text, limit=90)
    parse_pair(text)
