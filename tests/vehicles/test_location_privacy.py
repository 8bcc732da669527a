"""Which bodies reveal a location, and what remains of them."""

from typing import Any

import pytest

from vehicles import catalogue
from vehicles.location_privacy import reveals_location, without_location

PLACE = {"latitude": 52.51234, "longitude": 13.4}


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (catalogue.PRECISE_LOCATION.code, PLACE),
        (catalogue.IS_AT_HOME.code, {"value": True}),
        ("location-garage", {"value": "level 2"}),
        ("navigation-parked", {"value": {"spots": [{"LAT": 52.5, "Lng": 13.4}]}}),
        ("navigation-parked", {"value": {"gps-coords": [1]}}),
        ("navigation-parked", {"parkingLocation": "Unter den Linden"}),
        ("navigation-parked", {"value": [52.51234, 13.43219]}),
        ("navigation-parked", {"value": "at 52.51234,13.43219"}),
    ],
)
def test_a_location_is_left_out_as_a_whole(code: str, body: dict[str, Any]) -> None:
    assert reveals_location(code, body)
    assert without_location(code, body) is None


def test_a_signal_of_the_catalog_retains_its_other_values() -> None:
    body = {"values": [{"energyAdded": 7, "location": PLACE}]}
    assert reveals_location(catalogue.CHARGE_RECORDS.code, body)
    assert without_location(catalogue.CHARGE_RECORDS.code, body) == {"values": [{"energyAdded": 7}]}


def test_other_signals_reveal_nothing() -> None:
    assert not reveals_location("navigation-volume", {"value": 3})
    assert not reveals_location("navigation-volume", {"value": [3.25, 4.5], "platform": "lateral 1.5, 2.5"})
    assert not reveals_location(catalogue.STATE_OF_CHARGE.code, {"value": 3})
