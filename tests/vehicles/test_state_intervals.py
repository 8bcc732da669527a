"""What a signal kept saying, for how long; and the readings beside a stretch of time."""

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


def say(vehicle: Vehicle, *told: tuple[datetime, Any]) -> None:
    insert_readings(
        readings=[NewReading(vehicle.pk, LOCKED.code, at, {"value": value}) for at, value in told]
    )


@given(
    minutes=st.lists(st.integers(-400, 700), max_size=25, unique=True).map(sorted),
    values=st.lists(st.booleans(), min_size=25, max_size=25),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_runs_are_what_going_through_the_readings_one_by_one_finds(
    vehicle: Vehicle, minutes: list[int], values: list[bool]
) -> None:
    Reading.objects.all().delete()
    told = [(NOON + minute * MINUTE, value) for minute, value in zip(minutes, values, strict=False)]
    say(vehicle, *told)
    start, end = NOON, NOON + 10 * HOUR
    before = [each for each in told if start - GOOD_FOR <= each[0] < start][-1:]
    expected: list[list[Any]] = []
    for at, value in [*before, *(each for each in told if start <= each[0] < end)]:
        if expected and expected[-1][2] == value and at - expected[-1][1] <= GOOD_FOR:
            expected[-1][1] = at
        else:
            expected.append([at, at, value])
    found = state_intervals(vehicle=vehicle, signal=LOCKED, start=start, end=end)
    assert [[run.start, run.last, run.body["value"]] for run in found] == expected


def test_of_many_runs_the_newest_are_given(vehicle: Vehicle) -> None:
    say(vehicle, *((NOON + turn * MINUTE, turn % 2 == 0) for turn in range(9)))
    found = state_intervals(vehicle=vehicle, signal=LOCKED, start=NOON, end=NOON + HOUR, limit=3)
    assert [run.start for run in found] == [NOON + turn * MINUTE for turn in (6, 7, 8)]


def test_a_signal_never_told_has_neither_runs_nor_neighbours(vehicle: Vehicle) -> None:
    assert state_intervals(vehicle=vehicle, signal=LOCKED, start=NOON, end=NOON + HOUR) == []
    beside = neighbors(vehicle=vehicle, signal=SOC, start=NOON, end=NOON + HOUR, within=HOUR)
    assert beside == (None, None)
    assert not has_more(vehicle=vehicle, signal=SOC, start=NOON, end=NOON + HOUR, than=0)


def test_neighbours_are_the_nearest_readings_within_reach(vehicle: Vehicle) -> None:
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
    asked = {"vehicle": vehicle, "signal": SOC, "start": NOON, "end": NOON + HOUR}
    before, after = neighbors(**asked, within=2 * HOUR)  # type: ignore[arg-type]
    assert (before and before.value, after and after.value) == (2, 4)
    before, after = neighbors(**asked, within=30 * MINUTE)  # type: ignore[arg-type]
    assert (before, after and after.value) == (None, 4)


@pytest.mark.parametrize(("than", "more"), [(2, True), (3, False), (4, False)])
def test_whether_there_are_more_readings_than_so_many(vehicle: Vehicle, than: int, more: bool) -> None:
    read(vehicle, [(NOON + turn * HOUR, turn) for turn in range(4)])
    assert has_more(vehicle=vehicle, signal=SOC, start=NOON, end=NOON + 3 * HOUR, than=than) is more
