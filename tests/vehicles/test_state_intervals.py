"""Intervals in which a signal had the same value, and the readings next to a period."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vehicles.readings import NOON, read
from vehicles import catalogue
from vehicles.history import has_more, neighbors
from vehicles.models import Reading, Vehicle
from vehicles.readings import NewReading, insert_readings
from vehicles.state_intervals import state_intervals

pytestmark = pytest.mark.django_db
LOCKED, SOC = catalogue.IS_LOCKED, catalogue.STATE_OF_CHARGE
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GOOD_FOR = timedelta(hours=2)


def record(vehicle: Vehicle, *values: tuple[datetime, Any]) -> None:
    insert_readings(
        readings=[NewReading(vehicle.pk, LOCKED.code, at, {"value": value}) for at, value in values]
    )


@given(
    minutes=st.lists(st.integers(-400, 700), max_size=25, unique=True).map(sorted),
    values=st.lists(st.booleans(), min_size=25, max_size=25),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_intervals_equal_those_found_reading_by_reading(
    vehicle: Vehicle, minutes: list[int], values: list[bool]
) -> None:
    Reading.objects.all().delete()
    readings = [(NOON + minute * MINUTE, value) for minute, value in zip(minutes, values, strict=False)]
    record(vehicle, *readings)
    start, end = NOON, NOON + 10 * HOUR
    before = [each for each in readings if start - GOOD_FOR <= each[0] < start][-1:]
    expected: list[list[Any]] = []
    for at, value in [*before, *(each for each in readings if start <= each[0] < end)]:
        if expected and expected[-1][2] == value and at - expected[-1][1] <= GOOD_FOR:
            expected[-1][1] = at
        else:
            expected.append([at, at, value])
    intervals = state_intervals(vehicle=vehicle, signal=LOCKED, start=start, end=end)
    assert [[run.start, run.last, run.body["value"]] for run in intervals] == expected


def test_limit_returns_the_newest_intervals(vehicle: Vehicle) -> None:
    record(vehicle, *((NOON + turn * MINUTE, turn % 2 == 0) for turn in range(9)))
    intervals = state_intervals(vehicle=vehicle, signal=LOCKED, start=NOON, end=NOON + HOUR, limit=3)
    assert [run.start for run in intervals] == [NOON + turn * MINUTE for turn in (6, 7, 8)]


def test_signal_without_readings_has_no_intervals_and_no_neighbors(vehicle: Vehicle) -> None:
    assert state_intervals(vehicle=vehicle, signal=LOCKED, start=NOON, end=NOON + HOUR) == []
    nearest = neighbors(vehicle=vehicle, signal=SOC, start=NOON, end=NOON + HOUR, within=HOUR)
    assert nearest == (None, None)
    assert not has_more(vehicle=vehicle, signal=SOC, start=NOON, end=NOON + HOUR, than=0)


def test_neighbors_are_the_nearest_readings_within_reach(vehicle: Vehicle) -> None:
    read(
        vehicle,
        [
            (NOON - 3 * HOUR, 1),
            (NOON - HOUR, 2),
            (NOON, 3),
            (NOON + HOUR, 4),
            (NOON + 2 * HOUR, 5),
        ],
    )
    period = {"vehicle": vehicle, "signal": SOC, "start": NOON, "end": NOON + HOUR}
    before, after = neighbors(**period, within=2 * HOUR)  # type: ignore[arg-type]
    assert (before and before.value, after and after.value) == (2, 4)
    before, after = neighbors(**period, within=30 * MINUTE)  # type: ignore[arg-type]
    assert (before, after and after.value) == (None, 4)


@pytest.mark.parametrize(("than", "more"), [(2, True), (3, False), (4, False)])
def test_has_more_compares_the_number_of_readings(vehicle: Vehicle, than: int, more: bool) -> None:
    read(vehicle, [(NOON + turn * HOUR, turn) for turn in range(4)])
    assert has_more(vehicle=vehicle, signal=SOC, start=NOON, end=NOON + 3 * HOUR, than=than) is more
