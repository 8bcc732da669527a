"""Partitions by month: made ahead, filled from what strayed, dropped; retention by fleet."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from accounts.models import Fleet
from accounts.services import create_fleet
from tests.vehicles.readings import read
from vehicles import catalogue, partitions, retention, rollups, tasks
from vehicles.dates import add_months, month_start, retention_start
from vehicles.history import series
from vehicles.models import HourRollup, Reading, Vehicle
from vehicles.partitions import DAYS, HOURS, READINGS, TABLES

pytestmark = pytest.mark.django_db
# Long after any month that the installation made partitions for.
NOW = datetime(2087, 6, 15, 8, tzinfo=UTC)
JUNE = month_start(NOW)
OLD = datetime(2086, 11, 20, 12, tzinfo=UTC)


def make(*, now: datetime = NOW) -> int:
    return partitions.create(now=now, since=retention.oldest_retained(now=now))


def rows_of(relation: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {relation}")
        return int(cursor.fetchone()[0])


def neighbour_of(fleet: Fleet, *, readings: int, rollups: int) -> Vehicle:
    """A car of another fleet, which keeps its history for as many months."""
    owner = fleet.members.get()
    other = create_fleet(name="Other", slug="other", owner=owner, api_version="v3")
    Fleet.objects.filter(pk=other.pk).update(raw_retention_months=readings, rollup_retention_months=rollups)
    return Vehicle.objects.create(fleet=other, smartcar_id="neighbour")


def test_this_month_and_the_next_have_partitions_of_each_table(fleet: Fleet) -> None:
    assert make() == 4 * len(TABLES)
    for table in TABLES:
        assert {add_months(JUNE, ahead) for ahead in range(4)} <= set(partitions.months(table))
    assert make() == 0


def test_after_installation_there_is_room_for_today(vehicle: Vehicle) -> None:
    """A migration alone is enough: beat may come later."""
    now = datetime.now(UTC)
    assert {month_start(now), add_months(month_start(now), 1)} <= set(partitions.months(READINGS))


def test_a_row_of_any_time_is_written_and_found(vehicle: Vehicle) -> None:
    times = [datetime(year, 1, 1, tzinfo=UTC) for year in (2001, 2026, 2099)]
    read(vehicle, [(at, 50) for at in times])
    shown = series(
        vehicle=vehicle,
        signal=catalogue.STATE_OF_CHARGE,
        start=times[0],
        end=times[-1] + timedelta(days=1),
        resolution="raw",
    )
    assert [point.at for point in shown] == times


def test_strayed_rows_move_into_their_month(vehicle: Vehicle) -> None:
    old = [NOW - timedelta(days=30 * months) for months in (2, 5, 5)]
    future = add_months(JUNE, 8)
    read(vehicle, [(at + timedelta(minutes=place), 50) for place, at in enumerate([*old, future])])
    assert rows_of(READINGS.stray) == 4
    make()
    assert rows_of(READINGS.stray) == 1
    assert rows_of(READINGS.partition(month_start(old[1]))) == 2
    make(now=future)
    assert rows_of(READINGS.stray) == 0
    assert Reading.objects.count() == 4


def test_strays_that_nobody_keeps_get_no_partition_and_are_deleted(vehicle: Vehicle) -> None:
    read(vehicle, [(NOW - timedelta(days=3000), 50)])
    make()
    assert rows_of(READINGS.stray) == 1
    assert retention.purge(now=NOW) == 1
    assert not Reading.objects.exists()


def test_a_month_that_no_fleet_keeps_is_dropped(vehicle: Vehicle) -> None:
    make(now=OLD)
    read(vehicle, [(OLD, 50)])
    Fleet.objects.update(raw_retention_months=7, rollup_retention_months=12)
    retention.purge(now=NOW)
    assert rows_of(READINGS.partition(month_start(OLD))) == 1
    retention.purge(now=add_months(JUNE, 1))
    assert month_start(OLD) not in partitions.months(READINGS)
    assert not Reading.objects.exists()
    assert month_start(OLD) in partitions.months(HOURS)


def test_of_a_month_that_another_fleet_keeps_only_ones_own_rows_are_deleted(
    fleet: Fleet, vehicle: Vehicle
) -> None:
    make(now=OLD)
    other = neighbour_of(fleet, readings=3, rollups=24)
    read(vehicle, [(OLD, 50)])
    read(other, [(OLD, 50), (NOW, 40)])
    rollups.compute_rollups(now=OLD + timedelta(days=2))
    make()
    assert retention.purge(now=NOW) == 1
    assert set(Reading.objects.values_list("vehicle", "observed_at")) == {(vehicle.pk, OLD), (other.pk, NOW)}
    assert HourRollup.objects.filter(vehicle=other, start=OLD).exists()
    assert retention.purge(now=NOW) == 0


def test_summaries_outlive_their_readings_and_a_late_reading_does_not_harm_them(vehicle: Vehicle) -> None:
    make(now=OLD)
    Fleet.objects.update(raw_retention_months=3, rollup_retention_months=24)
    read(vehicle, [(OLD, 50), (OLD + timedelta(minutes=30), 60)])
    rollups.compute_rollups(now=OLD + timedelta(days=2))
    retention.purge(now=NOW)
    read(vehicle, [(OLD + timedelta(minutes=10), 99)])
    rollups.compute_rollups(now=NOW)
    retention.purge(now=NOW)
    assert not Reading.objects.exists()
    for resolution in ("hour", "day"):
        (summary,) = series(
            vehicle=vehicle,
            signal=catalogue.STATE_OF_CHARGE,
            start=OLD - timedelta(days=1),
            end=OLD + timedelta(days=1),
            resolution=resolution,
        )
        assert (summary.minimum, summary.maximum, summary.count) == (50, 60, 2)


def test_summaries_are_kept_at_least_as_long_as_readings(fleet: Fleet) -> None:
    Fleet.objects.update(raw_retention_months=24, rollup_retention_months=1)
    oldest = retention.oldest_retained(now=NOW)
    assert oldest[READINGS] == oldest[HOURS] == oldest[DAYS] == retention_start(NOW, 24)


def test_the_task_does_all_of_it(vehicle: Vehicle) -> None:
    read(vehicle, [(datetime(2002, 1, 1, tzinfo=UTC), 50)])
    tasks.maintain_partitions()
    tasks.compute_rollups()
    assert not Reading.objects.exists()


@pytest.fixture
def another_session(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A connection to the same database, in a transaction of its own."""
    named = connection.get_connection_params()
    with psycopg.connect(
        **{key: named[key] for key in ("dbname", "host", "user") if key in named}
    ) as session:
        yield session


@pytest.mark.django_db(transaction=True)
def test_a_partition_in_use_waits_for_the_next_time(
    another_session: psycopg.Connection, vehicle: Vehicle
) -> None:
    month = add_months(JUNE, 20)
    make(now=month)
    another_session.execute(f"SELECT count(*) FROM {READINGS.partition(month)}")
    try:
        assert not partitions.drop(table=READINGS, month=month)
        another_session.rollback()
        assert partitions.drop(table=READINGS, month=month)
    finally:
        another_session.rollback()
        for table in TABLES:
            for ahead in range(4):
                partitions.drop(table=table, month=add_months(month, ahead))


@pytest.mark.django_db(transaction=True)
def test_readings_that_are_just_being_added_to_a_due_hour_are_not_left_out(
    another_session: psycopg.Connection, vehicle: Vehicle
) -> None:
    """Their hour is due already, and must not be summed up before they can be seen."""
    read(vehicle, [(OLD, 50)])
    another_session.execute(
        "INSERT INTO vehicles_reading (vehicle_id, signal_id, observed_at, value) "
        "SELECT vehicle_id, signal_id, %s, 70 FROM vehicles_reading",
        [OLD + timedelta(minutes=30)],
    )
    another_session.execute(
        "INSERT INTO vehicles_duehour AS due SELECT * FROM vehicles_duehour "
        "ON CONFLICT (vehicle_id, signal_id, start) DO UPDATE SET start = due.start WHERE false"
    )
    assert rollups.compute_rollups(now=NOW) == 0
    another_session.commit()
    assert rollups.compute_rollups(now=NOW) == 2
    assert HourRollup.objects.get().maximum == 70


@pytest.mark.django_db(transaction=True)
def test_one_process_sums_up_at_a_time(another_session: psycopg.Connection, vehicle: Vehicle) -> None:
    read(vehicle, [(OLD, 50)])
    another_session.execute("SELECT pg_advisory_xact_lock(%s)", [rollups._LOCK])
    assert rollups.compute_rollups(now=NOW) == 0
    another_session.rollback()
    assert rollups.compute_rollups(now=NOW) == 2
