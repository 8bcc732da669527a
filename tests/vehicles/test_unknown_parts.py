"""Unknown is not closed: summaries of several parts say what wasn't reported."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import UnitSystem
from vehicles import catalogue
from vehicles.formatting import format_value
from vehicles.normalization import NoValueError, normalize
from webhooks.parsing.v2 import read_answers

STATES = st.sampled_from([True, False, None])


def openings(*states: bool | None) -> dict[str, Any]:
    values = [{"row": at // 2, "column": at % 2, "isOpen": state} for at, state in enumerate(states)]
    return {"values": values, "rowCount": 2, "columnCount": 2}


def text_of(*states: bool | None) -> str:
    return format_value(code=catalogue.DOORS.code, body=openings(*states), units=UnitSystem.METRIC)


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ((False, False, False, False), "All closed"),
        ((False, False, None, None), "2 of 4 closed, 2 not reported"),
        ((True, False, None, None), "1 of 4 open, 2 not reported"),
        ((True, False, False, False), "1 of 4 open"),
        ((None, None), "Not reported"),
    ],
)
def test_summary_of_doors(states: tuple[bool | None, ...], text: str) -> None:
    assert text_of(*states) == text


@given(states=st.lists(STATES, min_size=1, max_size=8))
def test_all_closed_means_that_each_one_was_reported_closed(states: list[bool | None]) -> None:
    assert (text_of(*states) == "All closed") == all(state is False for state in states)
    assert ("not reported" in text_of(*states).lower()) == (None in states)


@pytest.mark.parametrize("signal", [catalogue.DOORS, catalogue.WINDOWS], ids=lambda signal: signal.code)
@pytest.mark.parametrize("unknown", [None, "UNKNOWN", "unavailable", "n/a"])
def test_openings_without_any_state_have_no_value(signal: catalogue.Signal, unknown: str | None) -> None:
    entries = [{"row": 0, "column": at, "isOpen": unknown, "isLocked": None} for at in range(2)]
    with pytest.raises(NoValueError):
        normalize(signal, {"values": entries})


def test_unknown_door_among_others_stays_unknown() -> None:
    entries = [{"row": 0, "column": 0, "isOpen": False}, {"row": 0, "column": 1, "isOpen": "UNKNOWN"}]
    body = normalize(catalogue.DOORS, {"values": entries}).body
    assert [door["isOpen"] for door in body["values"]] == [False, None]


def test_v2_states_that_are_unknown_are_no_values() -> None:
    security = {
        "doors": [{"type": "frontLeft", "status": "UNKNOWN"}, {"type": "frontRight", "status": "CLOSED"}],
        "windows": [{"type": "frontLeft", "status": "UNKNOWN"}],
        "storage": [{"type": "rear", "status": "UNKNOWN"}],
    }
    answers = [
        {"path": "/security", "code": 200, "body": security},
        {"path": "/charge", "code": 200, "body": {"isPluggedIn": True, "state": "UNKNOWN"}},
    ]
    readings, _skipped = read_answers(answers, latest=None)
    bodies = {reading.code: reading.body for reading in readings}
    doors = bodies[catalogue.DOORS.code] or {}
    assert [door["isOpen"] for door in doors["values"]] == [None, False]
    for signal in (catalogue.WINDOWS, catalogue.REAR_TRUNK, catalogue.IS_CHARGING):
        assert bodies[signal.code] is None


def test_tires_keep_their_places_in_words() -> None:
    values = [
        {"row": 0, "column": 0, "tirePressure": 240},
        {"row": 0, "column": 1, "tirePressure": None},
        {"row": 1, "column": 0, "tirePressure": 260},
        {"row": 1, "column": 1, "tirePressure": 250},
    ]
    body = {"values": values, "rowCount": 2, "columnCount": 2, "unit": "kPa"}
    assert format_value(code=catalogue.TIRES.code, body=body, units=UnitSystem.METRIC) == (
        "Front left 2.4 bar · front right not reported · rear left 2.6 bar · rear right 2.5 bar"
    )


@pytest.mark.parametrize("status", ["UNKNOWN", "unavailable", "", None])
def test_unknown_condition_of_a_system_is_neither_well_nor_a_warning(status: str | None) -> None:
    with pytest.raises(NoValueError):
        normalize(catalogue.ABS, {"status": status})


@pytest.mark.parametrize(
    "body",
    [
        {"values": {"activeLimit": 80, "unit": "percent", "values": [{"type": "GLOBAL", "limit": 80}]}},
        {"values": {"activeLimit": 80, "values": [{"type": "GLOBAL", "limit": 80}]}, "unit": "percent"},
    ],
)
def test_nested_charge_limits_of_dashboard_tests(body: dict[str, Any]) -> None:
    assert normalize(catalogue.CHARGE_LIMITS, body).body == {
        "values": [{"type": "GLOBAL", "limit": 80, "condition": None}],
        "activeLimit": 80,
        "unit": "percent",
    }


@pytest.mark.parametrize("key", ["values", "doors"])
def test_nested_doors_of_dashboard_tests(key: str) -> None:
    door = {"row": 0, "column": 0, "isOpen": False, "isLocked": True}
    body = normalize(catalogue.DOORS, {"values": {key: [door], "rowCount": 2, "columnCount": 2}}).body
    assert body == {"values": [door], "rowCount": 2, "columnCount": 2}


def test_nested_number() -> None:
    body = normalize(catalogue.STATE_OF_CHARGE, {"value": {"value": 72, "unit": "percent"}}).body
    assert body == {"value": 72, "unit": "percent"}
