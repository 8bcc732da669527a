"""Charge schedules: stored, reported and followed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.vehicles import CommandRejected, Vehicle
from simulator.vehicles.charge_schedules import Schedule, next_window, parse_clock
from simulator.vehicles.city import Place
from simulator.vehicles.city_time import CITY_TIME, DAY, weekday
from tests.simulator.vehicles.fleets import HOUR, START, select_vehicles, simulation, times

HERE = Place("", "", 37.76, -122.44)


def tesla() -> Vehicle:
    return select_vehicles(simulation(), make="TESLA", model="Model Y")[0]


def timers(vehicle: Vehicle, now: float) -> list[dict[str, Any]]:
    body = vehicle.signal("charge-chargetimers", now=now).body
    assert body is not None
    return list(body["values"])


def at_base(vehicle: Vehicle) -> dict[str, float]:
    latitude, longitude = vehicle.lifecycle.weekly_schedule.base.point
    return {"latitude": latitude, "longitude": longitude}


def test_a_daily_schedule_is_read_back_and_deleted() -> None:
    vehicle = tesla()
    number = vehicle.command(
        "set_daily_schedule", now=START, **at_base(vehicle), start_time="08:00", stop_time="10:00"
    )
    (timer,) = timers(vehicle, START)
    assert (timer["type"], timer["scheduleType"], timer["scheduleId"]) == ("LOCATION", "DAILY", number)
    assert timer["schedules"][0]["startTime"] == "08:00:00"
    assert len(timer["schedules"][0]["days"]) == 7
    assert vehicle.command("delete_schedule", now=START + 1, schedule_id=number) == number
    assert timers(vehicle, START + 1) == []
    with pytest.raises(CommandRejected, match="RESOURCE_NOT_FOUND"):
        vehicle.command("delete_schedule", now=START + 2, schedule_id=number)


def test_weekly_and_workweek_schedules_name_their_days() -> None:
    vehicle, window = tesla(), {"startTime": "22:00", "stopTime": "06:00"}
    vehicle.command(
        "set_weekly_schedule", now=START, **at_base(vehicle), days={"monday": window, "sunday": window}
    )
    vehicle.command("set_workweek_schedule", now=START, **at_base(vehicle), weekdays=window)
    days = [[entry["days"] for entry in timer["schedules"]] for timer in timers(vehicle, START)]
    assert days == [[["MONDAY"], ["SUNDAY"]], [["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]]]


def test_a_second_schedule_of_a_kind_at_a_place_replaces_the_first() -> None:
    vehicle = tesla()
    for hour in ("08:00", "09:00"):
        vehicle.command(
            "set_daily_schedule", now=START, **at_base(vehicle), start_time=hour, stop_time="12:00"
        )
    assert [timer["schedules"][0]["startTime"] for timer in timers(vehicle, START)] == ["09:00:00"]


@pytest.mark.parametrize(
    "times_", [("8:00", "10:00"), ("08:00", "24:00"), ("08:00", "08:00"), (8, 10), ("08:00", None)]
)
def test_malformed_times_are_invalid(times_: tuple[Any, Any]) -> None:
    vehicle = tesla()
    with pytest.raises(CommandRejected, match="VALIDATION"):
        vehicle.command(
            "set_daily_schedule", now=START, **at_base(vehicle), start_time=times_[0], stop_time=times_[1]
        )
    assert timers(vehicle, START) == []


@pytest.mark.parametrize("days", [{}, {"someday": {}}, {"monday": "8"}, None])
def test_malformed_days_are_invalid(days: Any) -> None:
    with pytest.raises(CommandRejected, match="VALIDATION"):
        tesla().command("set_weekly_schedule", now=START, latitude=37.7, longitude=-122.4, days=days)


def test_volvo_accepts_daily_schedules_only_and_others_none() -> None:
    volvo, ford = (
        select_vehicles(simulation(), make=make, powertrain="BEV")[0] for make in ("VOLVO", "FORD")
    )
    window = {"startTime": "22:00", "stopTime": "06:00"}
    assert volvo.command(
        "set_daily_schedule", now=START, **at_base(volvo), start_time="01:00", stop_time="05:00"
    )
    for vehicle, name, rest in (
        (volvo, "set_workweek_schedule", {"weekdays": window}),
        (ford, "set_daily_schedule", {"start_time": "01:00", "stop_time": "05:00"}),
    ):
        with pytest.raises(CommandRejected, match="COMPATIBILITY:VEHICLE_NOT_CAPABLE"):
            vehicle.command(name, now=START, **at_base(vehicle), **rest)


def test_a_scheduled_vehicle_charges_at_its_base_in_the_window_only() -> None:
    vehicle = tesla()
    begun = START + DAY
    vehicle.command(
        "set_daily_schedule", now=begun, **at_base(vehicle), start_time="02:00", stop_time="04:00"
    )
    hours = set()
    for now in times(begun + DAY, days=6, step=600):
        state = vehicle.observe(now)
        if state.charging and state.at_base:
            hours.add(int((now + CITY_TIME) % DAY // HOUR))
    assert hours <= {2, 3}
    assert hours


@given(
    first=st.integers(0, 86_399),
    last=st.integers(0, 86_399),
    days=st.sets(st.integers(0, 6), min_size=1),
    moment=st.floats(START, START + 30 * DAY),
)
def test_the_next_window_is_open_or_lies_ahead_on_one_of_its_days(
    first: int, last: int, days: set[int], moment: float
) -> None:
    schedule = Schedule("s", "WEEKLY", 37.76, -122.44, ((first, last, tuple(sorted(days))),))
    window = next_window([schedule], place=HERE, moment=moment)
    if first == last:
        return
    assert window is not None
    start, end = window
    assert end > moment
    assert start <= moment + 8 * DAY
    assert weekday(int((start + CITY_TIME) // DAY)) in days
    assert (start + CITY_TIME) % DAY == pytest.approx(first)


def test_a_schedule_applies_only_near_its_place() -> None:
    schedule = Schedule("s", "DAILY", 37.70, -122.44, ((0, 3600, tuple(range(7))),))
    assert next_window([schedule], place=HERE, moment=START) is None


@given(st.text(max_size=8))
def test_only_clock_times_are_parsed(text: str) -> None:
    seconds = parse_clock(text)
    if seconds is not None:
        assert 0 <= seconds < 86_400
        assert [int(part) for part in text.split(":")][:2] == [seconds // 3600, seconds // 60 % 60]
