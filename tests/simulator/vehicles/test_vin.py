import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.vehicles.vin import build_vin, check_digit
from tests.simulator.vehicles.fleets import simulation

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


@pytest.mark.parametrize("vin", ["1M8GDM9AXKP042788", "11111111111111111", "5GZCZ43D13S812715"])
def test_the_check_digit_of_published_vins(vin: str) -> None:
    assert check_digit(vin) == vin[8]


@given(
    manufacturer=st.text(LETTERS, min_size=3, max_size=3),
    description=st.text(LETTERS, min_size=5, max_size=5),
    year=st.integers(2012, 2030),
    plant=st.sampled_from(LETTERS),
    serial=st.integers(0, 10**7),
)
def test_a_built_vin_is_valid(
    manufacturer: str, description: str, year: int, plant: str, serial: int
) -> None:
    vin = build_vin(manufacturer=manufacturer, description=description, year=year, plant=plant, serial=serial)
    assert re.fullmatch(r"[A-HJ-NPR-Z0-9]{17}", vin)
    assert vin.startswith(manufacturer + description)
    assert check_digit(vin) == vin[8]


def test_the_tenth_position_is_the_model_year() -> None:
    vins = [
        build_vin(manufacturer="5YJ", description="3E1EB", year=year, plant="F", serial=1)
        for year in (2020, 2023, 2026)
    ]
    assert [vin[9] for vin in vins] == ["L", "P", "T"]


def test_the_vins_of_a_fleet_are_valid_and_differ() -> None:
    vins = [vehicle.vin for vehicle in simulation(vehicles=500).vehicles.values()]
    assert len(set(vins)) == 500
    assert all(check_digit(vin) == vin[8] for vin in vins)
