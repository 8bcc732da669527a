"""Charge limits for AC and DC, and the one in effect."""

from typing import Any

import pytest

from accounts.models import UnitSystem
from commands.expected_signals import expected_state
from commands.types import CommandType
from vehicles import catalogue
from vehicles.charge_limits import limit_in_effect, limits_by_current
from vehicles.formatting import format_value
from vehicles.normalization import normalize


def limits(*entries: dict[str, Any], active: float | None = None) -> dict[str, Any]:
    return normalize(
        catalogue.CHARGE_LIMITS, {"values": list(entries), "activeLimit": active, "unit": "percent"}
    ).body


def of_current(current: str, limit: float) -> dict[str, Any]:
    return {"type": "CHARGING_TYPE", "limit": limit, "condition": {"chargingType": current}}


AC, DC = of_current("AC", 80), of_current("dc", 100)
HOME = {"type": "LOCATION", "limit": 70, "condition": {"name": "Home"}}


@pytest.mark.parametrize(
    ("body", "in_effect", "text"),
    [
        (limits(AC, DC, active=80), 80, "80% (AC 80%, DC 100%)"),
        (limits(AC, DC, active=100), 100, "100% (AC 80%, DC 100%)"),
        (limits(AC, DC), None, "AC 80%, DC 100%"),
        (limits(of_current("AC", 90), of_current("DC", 90)), 90, "90% (AC 90%, DC 90%)"),
        (limits({"type": "GLOBAL", "limit": 85}, HOME), 85, "85%"),
        (limits(HOME), 70, "70%"),
        (limits({"limit": 60, "chargingType": "AC"}), 60, "60% (AC 60%)"),
        (limits(active=75), 75, "75%"),
    ],
)
def test_limit_in_effect_and_the_limits_by_current(
    body: dict[str, Any], in_effect: float | None, text: str
) -> None:
    assert limit_in_effect(body) == in_effect
    assert format_value(code=catalogue.CHARGE_LIMITS.code, body=body, units=UnitSystem.METRIC) == text


def test_limits_of_both_currents_are_told_apart() -> None:
    assert limits_by_current(limits(DC, AC)) == {"AC": 80, "DC": 100}


@pytest.mark.parametrize(("sent", "expected"), [(1, 100), (0.8, 80), (80, 80), (100, 100), (0.5, 50)])
@pytest.mark.parametrize("unit", ["percent", "fraction", None])
def test_limit_up_to_1_is_a_fraction(sent: float, expected: float, unit: str | None) -> None:
    entry = {"type": "GLOBAL", "limit": sent}
    body = normalize(catalogue.CHARGE_LIMITS, {"values": [entry], "activeLimit": sent, "unit": unit}).body
    assert (body["values"][0]["limit"], body["activeLimit"]) == (expected, expected)


@pytest.mark.parametrize(
    ("body", "percent", "expected"),
    [(limits(AC, DC), 80, True), (limits(AC, DC), 90, None), (limits(AC, DC, active=80), 90, False)],
)
def test_limit_of_either_current_confirms_a_command(
    body: dict[str, Any], percent: int, expected: bool | None
) -> None:
    state = expected_state(CommandType.SET_CHARGE_LIMIT)
    assert state is not None
    assert state.evaluate(body, {"percent": percent}) is expected


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([(0.2, 0.8)], [(20, 80)]),
        ([(0.2, 1)], [(20, 100)]),
        ([(1, 1)], [(100, 100)]),
        ([(1, 80)], [(1, 80)]),
        ([(0.8, 60), (40, 100)], [(0.8, 60), (40, 100)]),
        ([(20, 0.9)], [(20, 90)]),
        ([(0, 0)], [(0, 0)]),
    ],
)
def test_states_of_charge_in_records(
    records: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    sent = [{"startStateOfCharge": start, "endStateOfCharge": end} for start, end in records]
    body = normalize(catalogue.CHARGE_RECORDS, {"values": sent}).body
    assert [(each["startStateOfCharge"], each["endStateOfCharge"]) for each in body["values"]] == expected
