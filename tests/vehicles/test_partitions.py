"""Monthly partitions: created ahead, filled from the default partition, and dropped; retention by fleet."""

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
# Long after any month for which the installation created partitions.
NOW = datetime(2087, 6, 15, 8, tzinfo=UTC)
JUNE = month_start(NOW)
OLD = datetime(2086, 11, 20, 12, tzinfo=UTC)


def create_partitions(*, now: datetime = NOW) -> int:
    return partitions.create(now=now, since=retention.oldest_retained(now=now))


def count_rows(relation: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {relation}")
        return int(cursor.fetchone()[0])


def create_neighbor(fleet: Fleet, *, readings: int, rollups: int) -> Vehicle:
    """A vehicle of another fleet with this retention, in months."""
    owner = fleet.members.get()
    other = create_fleet(name="Other", slug="other", owner=owner, api_version="v3")
    Fleet.objects.filter(pk=other.pk).update(raw_retention_months=readings, rollup_retention_months=rollups)
    return Vehicle.objects.create(fleet=other, smartcar_id="neighbour")


def test_this_month_and_the_next_have_partitions_of_each_table(fleet: Fleet) -> None:
    assert create_partitions() == 4 * len(TABLES)
    for table in TABLES:
        assert {add_months(JUNE, ahead) for ahead in range(4)} <= set(partitions.months(table))
    assert create_partitions() == 0


def test_migrations_create_partitions_for_today(vehicle: Vehicle) -> None:
    """Migrations are sufficient: beat may start later."""
    now = datetime.now(UTC)
    assert {month_start(now), add_months(month_start(now), 1)} <= set(partitions.months(READINGS))


def test_row_of_any_time_is_stored_and_found(vehicle: Vehicle) -> None:
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


def test_strayed_rows_move_to_the_partition_of_their_month(vehicle: Vehicle) -> None:
    old = [NOW - timedelta(days=30 * months) for months in (2, 5, 5)]
    future = add_months(JUNE, 8)
    read(vehicle, [(at + timedelta(minutes=index), 50) for index, at in enumerate([*old, future])])
    assert count_rows(READINGS.stray) == 4
    create_partitions()
    assert count_rows(READINGS.stray) == 1
    assert count_rows(READINGS.partition(month_start(old[1]))) == 2
    create_partitions(now=future)
    assert count_rows(READINGS.stray) == 0
    assert Reading.objects.count() == 4


def test_strayed_rows_beyond_retention_get_no_partition_and_are_deleted(vehicle: Vehicle) -> None:
    read(vehicle, [(NOW - timedelta(days=3000), 50)])
    create_partitions()
    assert count_rows(READINGS.stray) == 1
    assert retention.purge(now=NOW) == 1
    assert not Reading.objects.exists()


def test_month_beyond_the_retention_of_all_fleets_is_dropped(vehicle: Vehicle) -> None:
    create_partitions(now=OLD)
    read(vehicle, [(OLD, 50)])
    Fleet.objects.update(raw_retention_months=7, rollup_retention_months=12)
    retention.purge(now=NOW)
    assert count_rows(READINGS.partition(month_start(OLD))) == 1
    retention.purge(now=add_months(JUNE, 1))
    assert month_start(OLD) not in partitions.months(READINGS)
    assert not Reading.objects.exists()
    assert month_start(OLD) in partitions.months(HOURS)


def test_only_own_rows_are_deleted_from_a_month_that_another_fleet_retains(
    fleet: Fleet, vehicle: Vehicle
) -> None:
    create_partitions(now=OLD)
    other = create_neighbor(fleet, readings=3, rollups=24)
    read(vehicle, [(OLD, 50)])
    read(other, [(OLD, 50), (NOW, 40)])
    rollups.compute_rollups(now=OLD + timedelta(days=2))
    create_partitions()
    assert retention.purge(now=NOW) == 1
    assert set(Reading.objects.values_list("vehicle", "observed_at")) == {(vehicle.pk, OLD), (other.pk, NOW)}
    assert HourRollup.objects.filter(vehicle=other, start=OLD).exists()
    assert retention.purge(now=NOW) == 0


def test_rollups_outlive_their_readings_and_are_not_changed_by_a_late_reading(vehicle: Vehicle) -> None:
    create_partitions(now=OLD)
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


def test_rollups_are_retained_at_least_as_long_as_readings(fleet: Fleet) -> None:
    Fleet.objects.update(raw_retention_months=24, rollup_retention_months=1)
    oldest = retention.oldest_retained(now=NOW)
    assert oldest[READINGS] == oldest[HOURS] == oldest[DAYS] == retention_start(NOW, 24)


def test_task_maintains_partitions_and_retention(vehicle: Vehicle) -> None:
    read(vehicle, [(datetime(2002, 1, 1, tzinfo=UTC), 50)])
    tasks.maintain_partitions()
    tasks.compute_rollups()
    assert not Reading.objects.exists()


@pytest.fixture
def another_session(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A connection to the same database, in its own transaction."""
    named = connection.get_connection_params()
    with psycopg.connect(
        **{key: named[key] for key in ("dbname", "host", "user") if key in named}
    ) as session:
        yield session


@pytest.mark.django_db(transaction=True)
def test_partition_in_use_is_dropped_by_a_later_run(
    another_session: psycopg.Connection, vehicle: Vehicle
) -> None:
    month = add_months(JUNE, 20)
    create_partitions(now=month)
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
def test_uncommitted_readings_of_a_dirty_hour_are_included_later(
    another_session: psycopg.Connection, vehicle: Vehicle
) -> None:
    """The hour is already dirty, and must not be rolled up before the readings are visible."""
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
def test_only_one_process_computes_rollups_at_a_time(
    another_session: psycopg.Connection, vehicle: Vehicle
) -> None:
    read(vehicle, [(OLD, 50)])
    another_session.execute("SELECT pg_advisory_xact_lock(%s)", [rollups._LOCK])
    assert rollups.compute_rollups(now=NOW) == 0
    another_session.rollback()
    assert rollups.compute_rollups(now=NOW) == 2
