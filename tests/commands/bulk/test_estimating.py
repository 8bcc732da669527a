"""Estimates of bulk commands: their duration, and the maximum number of vehicles."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from commands.bulk.eta import RESERVE, Throughput, duration, max_vehicles
from commands.types import CommandType

FREE = Throughput(available=None, per_minute=2, concurrency=10, seconds=12)
TIGHT = Throughput(available=120, per_minute=2, concurrency=32, seconds=12)
HOURS = timedelta(hours=12)


def test_without_a_budget_the_response_times_set_the_duration() -> None:
    assert duration(vehicles=0, throughput=FREE) == timedelta(0)
    assert duration(vehicles=1, throughput=FREE) == timedelta(seconds=12)
    assert duration(vehicles=1000, throughput=FREE) == timedelta(seconds=1200)


def test_commands_beyond_the_budget_wait_for_its_refill() -> None:
    excess = 1000 - (120 - RESERVE)
    assert duration(vehicles=1000, throughput=TIGHT) == timedelta(minutes=excess / 2, seconds=12)


def test_a_budget_without_refill_never_finishes() -> None:
    empty = Throughput(available=100, per_minute=0, concurrency=9, seconds=1)
    assert duration(vehicles=500, throughput=empty) == timedelta.max


def test_unlocks_are_limited_to_what_fits_into_a_minute() -> None:
    assert max_vehicles(kind=CommandType.UNLOCK, throughput=FREE, longest=HOURS) == 50
    assert max_vehicles(kind=CommandType.UNLOCK, throughput=TIGHT, longest=HOURS) == 120 - RESERVE + 2
    assert max_vehicles(kind=CommandType.LOCK, throughput=TIGHT, longest=HOURS) == 120 - RESERVE + 2 * 60 * 12


@given(
    count=st.integers(0, 5000),
    available=st.one_of(st.none(), st.integers(0, 500)),
    per_minute=st.floats(0.5, 600),
    concurrency=st.integers(1, 64),
    seconds=st.floats(1, 180),
)
def test_duration_grows_with_vehicles_and_the_maximum_is_in_time(
    count: int, available: int | None, per_minute: float, concurrency: int, seconds: float
) -> None:
    throughput = Throughput(
        available=available, per_minute=per_minute, concurrency=concurrency, seconds=seconds
    )
    assert duration(vehicles=count, throughput=throughput) <= duration(
        vehicles=count + 1, throughput=throughput
    )
    maximum = max_vehicles(kind=CommandType.LOCK, throughput=throughput, longest=HOURS)
    assert maximum is not None
    late = timedelta(seconds=seconds)  # The last command is sent in time; its response takes longer.
    assert duration(vehicles=maximum, throughput=throughput) <= HOURS + late
