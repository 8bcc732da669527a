import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.vehicles.energy import charged, power_at, seconds_to_charge

SOC = st.floats(0, 100)
KW = st.floats(3, 250)
BATTERY = st.floats(10, 140)


@given(soc=SOC, seconds=st.floats(0, 200_000), kw=KW, battery=BATTERY, fast=st.booleans())
def test_charging_never_loses_and_never_exceeds_full(
    soc: float, seconds: float, kw: float, battery: float, fast: bool
) -> None:
    after = charged(soc, seconds=seconds, kw=kw, battery=battery, fast=fast)
    assert soc - 1e-9 <= after <= 100.0


@given(soc=SOC, target=SOC, kw=KW, battery=BATTERY, fast=st.booleans())
def test_the_time_to_a_target_is_the_time_it_takes(
    soc: float, target: float, kw: float, battery: float, fast: bool
) -> None:
    seconds = seconds_to_charge(soc, target, kw=kw, battery=battery, fast=fast)
    after = charged(soc, seconds=seconds, kw=kw, battery=battery, fast=fast)
    assert after == pytest.approx(max(soc, target), abs=1e-6)


def test_power_is_constant_up_to_80_percent_and_tapers_above() -> None:
    powers = [power_at(soc, kw=100.0, fast=True) for soc in (10, 50, 80, 90, 100)]
    assert powers[:3] == [100.0, 100.0, 100.0]
    assert 100.0 > powers[3] > powers[4] > 0.0


def test_the_last_fifth_takes_longer_than_a_fifth_before() -> None:
    before = seconds_to_charge(60, 80, kw=150, battery=75, fast=True)
    last = seconds_to_charge(80, 100, kw=150, battery=75, fast=True)
    assert last > 1.5 * before


def test_a_home_charger_fills_a_battery_overnight() -> None:
    assert seconds_to_charge(20, 80, kw=7.2, battery=75, fast=False) == pytest.approx(6.8 * 3600, rel=0.05)
