"""The history of a signal: all readings, hours and days that are correct in any order of arrival, and downsampling."""

import random
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Fleet
from tests.vehicles.readings import NOON, read
from vehicles import catalogue, rollups
from vehicles.catalogue import Signal
from vehicles.history import NotANumberError, Point, Resolution, series
from vehicles.models import DayRollup, DirtyDay, DirtyHour, HourRollup, Reading, SignalCode, Vehicle
from vehicles.readings import NewReading, insert_readings

pytestmark = pytest.mark.django_db
SOC = catalogue.STATE_OF_CHARGE
LATER = NOON + timedelta(days=20)
ZONES = ("UTC", "Asia/Kathmandu", "America/Los_Angeles", "Pacific/Chatham")
Readings = Sequence[tuple[datetime, float]]


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the clock to December, so that everything the tests record is in the past."""
    monkeypatch.setattr(timezone, "now", lambda: LATER)


def points(
    vehicle: Vehicle,
    resolution: Resolution,
    *,
    signal: Signal = SOC,
    start: datetime = NOON - timedelta(days=10),
    end: datetime = NOON + timedelta(days=10),
) -> list[Point]:
    return series(vehicle=vehicle, signal=signal, resolution=resolution, start=start, end=end)


def expected_rollups(
    readings: Readings, resolution: Literal["hour", "day"], zone: str
) -> list[tuple[datetime, float, float, float, int]]:
    """Computes hours or days the slow way: start, mean, minimum, maximum, count."""
    time_zone = ZoneInfo(zone)
    grouped = defaultdict(list)
    for at, value in sorted(readings):
        local = at.astimezone(time_zone)
        start = (
            at.replace(minute=0, second=0, microsecond=0)
            if resolution == "hour"
            else datetime(local.year, local.month, local.day, tzinfo=time_zone).astimezone(UTC)
        )
        grouped[start].append((at, value))
    return [(start, *_statistics(start, group, resolution, time_zone)) for start, group in grouped.items()]


def _statistics(
    start: datetime, group: list[tuple[datetime, float]], resolution: str, time_zone: ZoneInfo
) -> tuple[float, float, float, int]:
    if resolution == "hour":
        end = start + timedelta(hours=1)
    else:
        tomorrow = start.astimezone(time_zone).date() + timedelta(days=1)
        end = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=time_zone).astimezone(UTC)
    values = [value for _, value in group]
    ends = [*(at for at, _ in group[1:]), end]
    durations = [(until - at).total_seconds() for (at, _), until in zip(group, ends, strict=True)]
    mean = sum(value * weight for value, weight in zip(values, durations, strict=True)) / sum(durations)
    return mean, min(values), max(values), len(values)


def assert_rollups(vehicle: Vehicle, readings: Readings, zone: str) -> None:
    resolutions: tuple[Literal["hour", "day"], ...] = ("hour", "day")
    for resolution in resolutions:
        shown = [
            (p.at.astimezone(UTC), p.value, p.minimum, p.maximum, p.count)
            for p in points(vehicle, resolution)
        ]
        expected = expected_rollups(readings, resolution, zone)
        assert [each[0] for each in shown] == [each[0] for each in expected]
        for actual_row, expected_row in zip(shown, expected, strict=True):
            assert actual_row[1:] == pytest.approx(expected_row[1:], abs=1e-3)


moments = st.integers(-4 * 24 * 60, 4 * 24 * 60).map(
    lambda minute: NOON + timedelta(minutes=minute, seconds=7)
)
some_readings = st.lists(
    st.tuples(moments, st.integers(0, 100)), min_size=1, max_size=25, unique_by=lambda each: each[0]
)


@given(readings=some_readings, zone=st.sampled_from(ZONES), order=st.randoms(), rounds=st.integers(1, 4))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hours_and_days_are_correct_for_any_order_and_delay_of_readings(
    fleet: Fleet, readings: list[tuple[datetime, float]], zone: str, order: random.Random, rounds: int
) -> None:
    """Readings arrive in any order, repeatedly, with roll-ups in between. The results are correct after each step."""
    Fleet.objects.filter(pk=fleet.pk).update(time_zone=zone)
    fleet.refresh_from_db()
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=str(uuid.uuid4()))
    shuffled = list(readings)
    order.shuffle(shuffled)
    for turn in range(rounds):
        arrived = shuffled[: len(shuffled) * (turn + 1) // rounds]
        read(vehicle, arrived)
        assert_rollups(vehicle, arrived, zone)
        rollups.compute_rollups(now=LATER)
        assert not DirtyHour.objects.exists()
        assert not DirtyDay.objects.exists()
        assert_rollups(vehicle, arrived, zone)
    assert sum(HourRollup.objects.filter(vehicle=vehicle).values_list("count", flat=True)) == len(readings)
    assert sum(DayRollup.objects.filter(vehicle=vehicle).values_list("count", flat=True)) == len(readings)


@given(readings=some_readings, zones=st.permutations(ZONES))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_days_follow_the_fleets_time_zone(
    fleet: Fleet, readings: list[tuple[datetime, float]], zones: list[str]
) -> None:
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=str(uuid.uuid4()))
    read(vehicle, readings)
    for zone in zones:
        Fleet.objects.filter(pk=fleet.pk).update(time_zone=zone)
        fleet.refresh_from_db()
        rollups.compute_rollups(now=LATER)
        assert_rollups(vehicle, readings, zone)
        assert DayRollup.objects.filter(vehicle=vehicle).count() == len(
            expected_rollups(readings, "day", zone)
        )


def test_unknown_time_zone_of_a_fleet_counts_as_utc(fleet: Fleet, vehicle: Vehicle) -> None:
    Fleet.objects.filter(pk=fleet.pk).update(time_zone="Mars/Olympus_Mons")
    vehicle = Vehicle.objects.get(pk=vehicle.pk)
    read(vehicle, [(NOON, 50)])
    rollups.compute_rollups(now=LATER)
    assert_rollups(vehicle, [(NOON, 50)], "UTC")


def test_current_hour_is_weighted_up_to_now(vehicle: Vehicle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(minutes=30))
    read(vehicle, [(NOON, 40), (NOON + timedelta(minutes=20), 70)])
    rollups.compute_rollups(now=NOON + timedelta(minutes=30))
    (hour,) = points(vehicle, "hour")
    assert hour.value == 50
    assert not HourRollup.objects.exists()


def test_first_hour_and_day_are_complete(vehicle: Vehicle) -> None:
    read(vehicle, [(NOON + timedelta(minutes=5), 40), (NOON + timedelta(minutes=50), 70)])
    half_past = NOON + timedelta(minutes=30)
    assert [p.count for p in points(vehicle, "hour", start=half_past)] == [2]
    assert [p.count for p in points(vehicle, "day", start=half_past)] == [2]
    assert [p.count for p in points(vehicle, "raw", start=half_past)] == [1]


def test_raw_returns_every_reading_of_any_shape_in_order(vehicle: Vehicle) -> None:
    location, code = {"latitude": 52.5, "longitude": 13.4}, catalogue.PRECISE_LOCATION.code
    lock = catalogue.IS_LOCKED.code
    insert_readings(
        readings=[
            NewReading(vehicle.pk, lock, NOON + timedelta(minutes=1), {"value": False}),
            NewReading(vehicle.pk, lock, NOON, {"value": True}),
            NewReading(vehicle.pk, code, NOON, location),
        ]
    )
    assert [p.value for p in points(vehicle, "raw", signal=catalogue.IS_LOCKED)] == [True, False]
    assert [p.value for p in points(vehicle, "raw", signal=catalogue.PRECISE_LOCATION)] == [location]
    with pytest.raises(NotANumberError):
        points(vehicle, "hour", signal=catalogue.IS_LOCKED)


def test_unknown_code_is_stored(vehicle: Vehicle) -> None:
    body = {"value": 7, "unit": "flux"}
    insert_readings(readings=[NewReading(vehicle.pk, "brandnew-thing", NOON, body)] * 2)
    reading = Reading.objects.get()
    assert (reading.signal.code, reading.body) == ("brandnew-thing", body)
    assert not DirtyHour.objects.exists()
    insert_readings(readings=[NewReading(vehicle.pk, "brandnew-thing", LATER, body)])
    assert SignalCode.objects.filter(code="brandnew-thing", fleet=vehicle.fleet).count() == 1


def test_first_of_two_values_with_the_same_time_is_retained(vehicle: Vehicle) -> None:
    read(vehicle, [(NOON, 50), (NOON, 51)])
    read(vehicle, [(NOON, 52)])
    assert [p.value for p in points(vehicle, "raw")] == [50]


def test_limit_ends_the_list(vehicle: Vehicle) -> None:
    read(vehicle, [(NOON + timedelta(hours=hour), hour) for hour in range(9)])
    resolutions: tuple[Resolution, ...] = ("raw", "hour")
    for resolution in resolutions:
        shown = series(vehicle=vehicle, signal=SOC, start=NOON, end=LATER, resolution=resolution, limit=4)
        assert [p.value for p in shown] == [0, 1, 2, 3]


@given(
    values=st.lists(st.integers(0, 100), min_size=3, max_size=300),
    max_points=st.integers(2, 60),
    step=st.sampled_from([1, 13, 60, 240]),
    rolled=st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_downsampling_retains_the_peaks(
    fleet: Fleet, values: list[int], max_points: int, step: int, rolled: bool
) -> None:
    """Returns at most `max_points` real readings in order, including the minimum and maximum."""
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=str(uuid.uuid4()))
    start = NOON - timedelta(minutes=step * len(values))
    readings = [(start + timedelta(minutes=step * at), value) for at, value in enumerate(values)]
    read(vehicle, readings)
    if rolled:
        rollups.compute_rollups(now=LATER)
    shown = [(p.at, p.value) for p in points(vehicle, max_points, start=start, end=NOON)]
    assert len(shown) <= max_points
    assert set(shown) <= set(readings)
    assert all(before[0] <= after[0] for before, after in pairwise(shown))
    if len(values) <= max_points:
        assert shown == readings
    assert {min(values), max(values)} <= {value for _, value in shown}
    if max_points > 2:
        assert shown[-1] == readings[-1]


def test_fewer_than_two_points_are_rejected(vehicle: Vehicle) -> None:
    with pytest.raises(ValueError, match="At least 2"):
        points(vehicle, 1)


@pytest.mark.parametrize("resolution", ["raw", "hour", "day", 50])
def test_only_partitions_of_the_requested_months_are_read(vehicle: Vehicle, resolution: Resolution) -> None:
    read(vehicle, [(NOON + timedelta(minutes=minute), minute % 50) for minute in range(100)])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        points(vehicle, resolution, start=NOON, end=NOON + timedelta(hours=3))
    for query in queries.captured_queries:
        if "vehicles_reading" not in query["sql"]:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {query['sql']}")
            plan = [
                line for (line,) in cursor.fetchall() if "vehicles_" in line and "never executed" not in line
            ]
        touched = {
            relation for line in plan for relation in line.split() if relation.startswith("vehicles_reading_")
        }
        assert all(relation.startswith("vehicles_reading_2026_11") for relation in touched), plan
