"""How long many commands take, and how many are not too many."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from commands.bulk.eta import RESERVE, Throughput, duration, max_vehicles
from commands.types import CommandType

FREE = Throughput(available=None, per_minute=2, concurrency=10, seconds=12)
TIGHT = Throughput(available=120, per_minute=2, concurrency=32, seconds=12)
HOURS = timedelta(hours=12)


def test_without_a_budget_the_cars_set_the_pace() -> None:
    assert duration(vehicles=0, throughput=FREE) == timedelta(0)
    assert duration(vehicles=1, throughput=FREE) == timedelta(seconds=12)
    assert duration(vehicles=1000, throughput=FREE) == timedelta(seconds=1200)


def test_what_the_bucket_does_not_hold_waits_for_its_refill() -> None:
    beyond = 1000 - (120 - RESERVE)
    assert duration(vehicles=1000, throughput=TIGHT) == timedelta(minutes=beyond / 2, seconds=12)


def test_a_bucket_that_never_fills_again_has_no_end() -> None:
    empty = Throughput(available=100, per_minute=0, concurrency=9, seconds=1)
    assert duration(vehicles=500, throughput=empty) == timedelta.max


def test_only_as_many_unlocks_as_a_minute_holds() -> None:
    assert max_vehicles(kind=CommandType.UNLOCK, throughput=FREE, longest=HOURS) == 50
    assert max_vehicles(kind=CommandType.UNLOCK, throughput=TIGHT, longest=HOURS) == 120 - RESERVE + 2
    assert max_vehicles(kind=CommandType.LOCK, throughput=TIGHT, longest=HOURS) == 120 - RESERVE + 2 * 60 * 12


@given(
    cars=st.integers(0, 5000),
    room=st.one_of(st.none(), st.integers(0, 500)),
    per_minute=st.floats(0.5, 600),
    at_once=st.integers(1, 64),
    seconds=st.floats(1, 180),
)
def test_more_cars_never_take_less_time_and_the_most_are_in_time(
    cars: int, room: int | None, per_minute: float, at_once: int, seconds: float
) -> None:
    pace = Throughput(available=room, per_minute=per_minute, concurrency=at_once, seconds=seconds)
    assert duration(vehicles=cars, throughput=pace) <= duration(vehicles=cars + 1, throughput=pace)
    most = max_vehicles(kind=CommandType.LOCK, throughput=pace, longest=HOURS)
    assert most is not None
    late = timedelta(seconds=seconds)  # The last one is sent in time; its answer takes its own.
    assert duration(vehicles=most, throughput=pace) <= HOURS + late
