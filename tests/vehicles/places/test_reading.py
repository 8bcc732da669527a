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


BERLIN = (52.505, 13.41)


@pytest.mark.parametrize(
    "text",
    [
        "52.505 N, 13.41 E",
        "52,505 N, 13,41 E",
        "N 52.505 E 13.41",
        "52.505°N 13.41°E",
        "13.41 E, 52.505 N",
        "52.505°, 13.41°",
        "52° 30' 18\" N, 13° 24' 36\" E",
        "52°30′18″N13°24′36″E",
        "52°30'18.0''N 13°24'36.0''E",
        "52° 30.3' N 13° 24,6' E",
        "52 30 18 N 13 24 36 E",
        "52:30:18N, 13:24:36E",
        "52°30'18\", 13°24'36\"",
        "52,505, 13,41",
        "https://www.google.com/maps/place/Berlin/@52.1,13.1,15z/data=!3m1!4b1!4m5!3m4!8m2!3d52.505!4d13.41",
        "https://www.google.com/maps/@52.505,13.41,17z",
        "https://www.google.com/maps/search/?api=1&query=52.505%2C13.41",
        "https://maps.google.com/?q=loc:52.505,13.41",
        "https://www.google.com/maps/search/52.505,+13.41",
        "https://www.openstreetmap.org/#map=17/52.505/13.41",
        "https://www.openstreetmap.org/?mlat=52.505&mlon=13.41#map=12/52.1/13.1",
        "https://maps.apple.com/?ll=52.505,13.41&q=Place",
        "https://www.bing.com/maps?cp=52.505~13.41&lvl=11.0",
        "https://wego.here.com/?map=52.505,13.41,15,normal",
        "geo:52.505,13.41;u=35",
        "geo:0,0?q=52.505,13.41(Depot)",
    ],
)
def test_pasted_forms_of_coordinates_are_understood(text: str) -> None:
    pair = parse_pair(text)
    assert pair is not None
    place = parse_degrees(pair[0], limit=90), parse_degrees(pair[1], limit=180)
    assert place == pytest.approx(BERLIN)


def test_south_and_west_are_negative() -> None:
    pair = parse_pair("33° 52' S, 70,5 W")
    assert pair is not None
    assert parse_degrees(pair[0], limit=90) == pytest.approx(-(33 + 52 / 60))
    assert parse_degrees(pair[1], limit=180) == -70.5


@pytest.mark.parametrize(("language", "degrees"), [("de", 13.5), ("fr", -13.5), ("en", None)])
def test_the_letter_o_means_east_in_german_and_west_in_french(language: str, degrees: float | None) -> None:
    assert parse_degrees("13,5° O", limit=180, language=language) == degrees


@pytest.mark.parametrize("text", ["52,5", "-52,5", "52,5163", "52,13"])
def test_a_number_with_a_decimal_comma_is_no_pair(text: str) -> None:
    assert parse_pair(text) is None


@given(st.floats(0, 89.99), st.floats(0, 179.99), st.sampled_from("NS"), st.sampled_from("EW"), st.booleans())
def test_degrees_minutes_and_seconds_are_summed(
    lat: float, lon: float, north: str, east: str, swapped: bool
) -> None:
    parts = [f"{_dms(lat)} {north}", f"{_dms(lon)} {east}"]
    pair = parse_pair(", ".join(reversed(parts) if swapped else parts))
    assert pair is not None
    assert parse_degrees(pair[0], limit=90) == pytest.approx(lat * (1 if north == "N" else -1), abs=2e-5)
    assert parse_degrees(pair[1], limit=180) == pytest.approx(lon * (1 if east == "E" else -1), abs=2e-5)


def _dms(degrees: float) -> str:
    tenths = round(degrees * 36_000)
    return f"{tenths // 36_000}° {tenths // 600 % 60}' {tenths % 600 / 10}\""


@pytest.mark.parametrize(
    "text", ["52° 60'", "52.5° 30'", "N 52 S", "-52 N", "52 30", "13 E", "1234 N", "52°30' E"]
)
def test_contradictory_latitude_is_rejected(text: str) -> None:
    assert parse_degrees(text, limit=90) is None


@pytest.mark.parametrize(
    "text",
    ["", "37.8", "37.8,", "1, 2, 3", "here, there", "52 N, 13", "https://maps.app.goo.gl/abc", "1,2,3,4"],
)
def test_invalid_pair_is_rejected(text: str) -> None:
    assert parse_pair(text) is None


@given(st.text(max_size=40) | st.text("0123456789.,;:°'\" NSEWO+-/", max_size=40))
def test_any_text_is_handled(text: str) -> None:
    parse_degrees(text, limit=90)
    parse_pair(text)
