"""The history of a signal: every reading, hours and days that are right however the readings came, and thinned out."""

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
    """It is December: everything these tests record is over."""
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


def worked_out(
    readings: Readings, resolution: Literal["hour", "day"], zone: str
) -> list[tuple[datetime, float, float, float, int]]:
    """Hours or days the slow way: start, mean, lowest, highest, count."""
    place = ZoneInfo(zone)
    grouped = defaultdict(list)
    for at, value in sorted(readings):
        local = at.astimezone(place)
        start = (
            at.replace(minute=0, second=0, microsecond=0)
            if resolution == "hour"
            else datetime(local.year, local.month, local.day, tzinfo=place).astimezone(UTC)
        )
        grouped[start].append((at, value))
    return [(start, *_summed_up(start, group, resolution, place)) for start, group in grouped.items()]


def _summed_up(
    start: datetime, group: list[tuple[datetime, float]], resolution: str, place: ZoneInfo
) -> tuple[float, float, float, int]:
    if resolution == "hour":
        end = start + timedelta(hours=1)
    else:
        tomorrow = start.astimezone(place).date() + timedelta(days=1)
        end = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=place).astimezone(UTC)
    values = [value for _, value in group]
    ends = [*(at for at, _ in group[1:]), end]
    held = [(until - at).total_seconds() for (at, _), until in zip(group, ends, strict=True)]
    mean = sum(value * weight for value, weight in zip(values, held, strict=True)) / sum(held)
    return mean, min(values), max(values), len(values)


def assert_right(vehicle: Vehicle, readings: Readings, zone: str) -> None:
    resolutions: tuple[Literal["hour", "day"], ...] = ("hour", "day")
    for resolution in resolutions:
        shown = [
            (p.at.astimezone(UTC), p.value, p.minimum, p.maximum, p.count)
            for p in points(vehicle, resolution)
        ]
        expected = worked_out(readings, resolution, zone)
        assert [each[0] for each in shown] == [each[0] for each in expected]
        for mine, theirs in zip(shown, expected, strict=True):
            assert mine[1:] == pytest.approx(theirs[1:], abs=1e-3)


moments = st.integers(-4 * 24 * 60, 4 * 24 * 60).map(
    lambda minute: NOON + timedelta(minutes=minute, seconds=7)
)
some_readings = st.lists(
    st.tuples(moments, st.integers(0, 100)), min_size=1, max_size=25, unique_by=lambda each: each[0]
)


@given(readings=some_readings, zone=st.sampled_from(ZONES), order=st.randoms(), rounds=st.integers(1, 4))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hours_and_days_are_those_of_all_readings_however_late_and_disordered_they_came(
    fleet: Fleet, readings: list[tuple[datetime, float]], zone: str, order: random.Random, rounds: int
) -> None:
    """Readings come in any order and again, sums are made in between; what is shown is right at each step."""
    Fleet.objects.filter(pk=fleet.pk).update(time_zone=zone)
    fleet.refresh_from_db()
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=str(uuid.uuid4()))
    arriving = list(readings)
    order.shuffle(arriving)
    for turn in range(rounds):
        arrived = arriving[: len(arriving) * (turn + 1) // rounds]
        read(vehicle, arrived)
        assert_right(vehicle, arrived, zone)
        rollups.compute_rollups(now=LATER)
        assert not DirtyHour.objects.exists()
        assert not DirtyDay.objects.exists()
        assert_right(vehicle, arrived, zone)
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
        assert_right(vehicle, readings, zone)
        assert DayRollup.objects.filter(vehicle=vehicle).count() == len(worked_out(readings, "day", zone))


def test_a_fleets_unknown_time_zone_counts_as_utc_and_stops_nothing(fleet: Fleet, vehicle: Vehicle) -> None:
    Fleet.objects.filter(pk=fleet.pk).update(time_zone="Mars/Olympus_Mons")
    vehicle = Vehicle.objects.get(pk=vehicle.pk)
    read(vehicle, [(NOON, 50)])
    rollups.compute_rollups(now=LATER)
    assert_right(vehicle, [(NOON, 50)], "UTC")


def test_an_hour_that_runs_is_weighed_up_to_now(vehicle: Vehicle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(minutes=30))
    read(vehicle, [(NOON, 40), (NOON + timedelta(minutes=20), 70)])
    rollups.compute_rollups(now=NOON + timedelta(minutes=30))
    (hour,) = points(vehicle, "hour")
    assert hour.value == 50
    assert not HourRollup.objects.exists()


def test_the_first_hour_and_day_are_whole_ones(vehicle: Vehicle) -> None:
    read(vehicle, [(NOON + timedelta(minutes=5), 40), (NOON + timedelta(minutes=50), 70)])
    half_past = NOON + timedelta(minutes=30)
    assert [p.count for p in points(vehicle, "hour", start=half_past)] == [2]
    assert [p.count for p in points(vehicle, "day", start=half_past)] == [2]
    assert [p.count for p in points(vehicle, "raw", start=half_past)] == [1]


def test_raw_is_every_reading_of_any_shape_in_order(vehicle: Vehicle) -> None:
    place, code = {"latitude": 52.5, "longitude": 13.4}, catalogue.PRECISE_LOCATION.code
    lock = catalogue.IS_LOCKED.code
    insert_readings(
        readings=[
            NewReading(vehicle.pk, lock, NOON + timedelta(minutes=1), {"value": False}),
            NewReading(vehicle.pk, lock, NOON, {"value": True}),
            NewReading(vehicle.pk, code, NOON, place),
        ]
    )
    assert [p.value for p in points(vehicle, "raw", signal=catalogue.IS_LOCKED)] == [True, False]
    assert [p.value for p in points(vehicle, "raw", signal=catalogue.PRECISE_LOCATION)] == [place]
    with pytest.raises(NotANumberError):
        points(vehicle, "hour", signal=catalogue.IS_LOCKED)


def test_a_code_that_nobody_knows_yet_is_kept(vehicle: Vehicle) -> None:
    body = {"value": 7, "unit": "flux"}
    insert_readings(readings=[NewReading(vehicle.pk, "brandnew-thing", NOON, body)] * 2)
    reading = Reading.objects.get()
    assert (reading.signal.code, reading.body) == ("brandnew-thing", body)
    assert not DirtyHour.objects.exists()
    insert_readings(readings=[NewReading(vehicle.pk, "brandnew-thing", LATER, body)])
    assert SignalCode.objects.count() == 1


def test_of_two_values_of_one_time_the_first_stays(vehicle: Vehicle) -> None:
    read(vehicle, [(NOON, 50), (NOON, 51)])
    read(vehicle, [(NOON, 52)])
    assert [p.value for p in points(vehicle, "raw")] == [50]


def test_a_limit_ends_the_list(vehicle: Vehicle) -> None:
    read(vehicle, [(NOON + timedelta(hours=hour), hour) for hour in range(9)])
    resolutions: tuple[Resolution, ...] = ("raw", "hour")
    for resolution in resolutions:
        shown = series(vehicle=vehicle, signal=SOC, start=NOON, end=LATER, resolution=resolution, limit=4)
        assert [p.value for p in shown] == [0, 1, 2, 3]


@given(
    values=st.lists(st.integers(0, 100), min_size=3, max_size=300),
    wanted=st.integers(2, 60),
    step=st.sampled_from([1, 13, 60, 240]),
    rolled=st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_thinned_out_the_peaks_stay(
    fleet: Fleet, values: list[int], wanted: int, step: int, rolled: bool
) -> None:
    """At most so many, all of them real readings, in order, and the highest and lowest among them."""
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=str(uuid.uuid4()))
    begin = NOON - timedelta(minutes=step * len(values))
    readings = [(begin + timedelta(minutes=step * at), value) for at, value in enumerate(values)]
    read(vehicle, readings)
    if rolled:
        rollups.compute_rollups(now=LATER)
    shown = [(p.at, p.value) for p in points(vehicle, wanted, start=begin, end=NOON)]
    assert len(shown) <= wanted
    assert set(shown) <= set(readings)
    assert all(before[0] <= after[0] for before, after in pairwise(shown))
    if len(values) <= wanted:
        assert shown == readings
    assert {min(values), max(values)} <= {value for _, value in shown}
    if wanted > 2:
        assert shown[-1] == readings[-1]


def test_fewer_than_two_points_are_refused(vehicle: Vehicle) -> None:
    with pytest.raises(ValueError, match="At least 2"):
        points(vehicle, 1)


@pytest.mark.parametrize("resolution", ["raw", "hour", "day", 50])
def test_only_the_months_asked_for_are_looked_at(vehicle: Vehicle, resolution: Resolution) -> None:
    read(vehicle, [(NOON + timedelta(minutes=minute), minute % 50) for minute in range(100)])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        points(vehicle, resolution, start=NOON, end=NOON + timedelta(hours=3))
    for query in asked.captured_queries:
        if "vehicles_reading" not in query["sql"]:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {query['sql']}")
            plan = [
                line for (line,) in cursor.fetchall() if "vehicles_" in line and "never executed" not in line
            ]
        touched = {word for line in plan for word in line.split() if word.startswith("vehicles_reading_")}
        assert all(word.startswith("vehicles_reading_2026_11") for word in touched), plan
