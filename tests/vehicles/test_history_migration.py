"""Data recorded before history had partitions is migrated into them. Runs in its own database."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from vehicles import catalogue

_PROJECT = Path(__file__).resolve().parents[2]
_DATABASE = "before_partitions"
NOW = datetime.now(UTC).replace(microsecond=0)
ROWS = [
    (catalogue.ODOMETER.code, NOW, {"value": 1234.5, "unit": "km"}),
    (catalogue.ODOMETER.code, NOW - timedelta(days=900), {"value": 12, "unit": "km"}),
    (
        catalogue.RANGE.code,
        NOW,
        {"value": 300, "unit": "km", "additionalValues": [{"type": "RATED", "value": 320}]},
    ),
    (catalogue.IS_LOCKED.code, NOW, {"value": True}),
    (catalogue.PRECISE_LOCATION.code, NOW, {"latitude": 52.5, "longitude": 13.4}),
    ("brandnew-thing", NOW, {"value": 7, "unit": "flux"}),
]


@pytest.fixture
def url() -> Iterator[str]:
    """An empty database next to the test database."""
    server = os.environ["DATABASE_URL"]
    head, _, options = server.partition("?")
    base, _, _ = head.rpartition("/")
    with psycopg.connect(server.replace("postgres:", "postgresql:", 1), autocommit=True) as session:
        session.execute(f"DROP DATABASE IF EXISTS {_DATABASE}")
        session.execute(f"CREATE DATABASE {_DATABASE}")
        yield f"{base}/{_DATABASE}?{options}"
        session.execute(f"DROP DATABASE {_DATABASE} WITH (FORCE)")


def migrate(url: str, *target: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0", *target],
        check=True,
        cwd=_PROJECT,
        env=os.environ | {"DATABASE_URL": url},
    )


def test_old_readings_are_migrated_with_their_bodies_and_queued_for_rollups(url: str) -> None:
    migrate(url, "vehicles", "0001")
    with psycopg.connect(url.replace("postgres:", "postgresql:", 1), autocommit=True) as session:
        session.execute(
            "INSERT INTO accounts_fleet (id, name, slug, generation, unit_system, time_zone, created_at) "
            "VALUES (1, 'Blue', 'blue', 'v3', 'metric', 'UTC', now())"
        )
        session.execute(
            "INSERT INTO vehicles_vehicle "
            "(id, fleet_id, smartcar_id, name, plate, vin, make, model, powertrain, mode, created_at) "
            "VALUES (1, 1, 'car', '', '', '', '', '', '', '', now())"
        )
        for code, at, body in ROWS:
            session.execute(
                "INSERT INTO vehicles_reading (vehicle_id, code, observed_at, body) VALUES (1, %s, %s, %s)",
                [code, at, json.dumps(body)],
            )
        migrate(url, "vehicles", "0003")
        migrated = session.execute(
            "SELECT code, observed_at, value, rest FROM vehicles_reading JOIN vehicles_signalcode AS named "
            "ON named.id = signal_id"
        ).fetchall()
        assert {(code, at): (value, rest) for code, at, value, rest in migrated} == {
            (ROWS[0][0], ROWS[0][1]): (1234.5, None),
            (ROWS[1][0], ROWS[1][1]): (12, None),
            (ROWS[2][0], ROWS[2][1]): (300, ROWS[2][2]),
            (ROWS[3][0], ROWS[3][1]): (None, ROWS[3][2]),
            (ROWS[4][0], ROWS[4][1]): (None, ROWS[4][2]),
            (ROWS[5][0], ROWS[5][1]): (None, ROWS[5][2]),
        }
        due = session.execute("SELECT count(*) FROM vehicles_duehour").fetchone()
        assert due == (3,)


def test_old_vehicles_get_snapshots(url: str) -> None:
    migrate(url, "vehicles", "0004")
    with psycopg.connect(url.replace("postgres:", "postgresql:", 1), autocommit=True) as session:
        session.execute(
            "INSERT INTO accounts_fleet (id, name, slug, generation, unit_system, time_zone, created_at) "
            "VALUES (1, 'Blue', 'blue', 'v3', 'metric', 'UTC', now())"
        )
        for vehicle_id in (1, 2):
            session.execute(
                "INSERT INTO vehicles_vehicle (id, fleet_id, smartcar_id, name, plate, vin, make, model, powertrain, "
                'mode, created_at, "group", driver, unit_system) '
                "VALUES (%s, 1, %s, '', '', '', '', '', '', '', now(), '', '', '')",
                [vehicle_id, f"car-{vehicle_id}"],
            )
        for code, body in (
            ("tractionbattery-stateofcharge", '{"value": 61.5, "unit": "percent"}'),
            ("closure-islocked", '{"value": false}'),
            ("location-preciselocation", '{"latitude": 52.5, "longitude": 13.4}'),
        ):
            session.execute(
                "INSERT INTO vehicles_latestsignal (vehicle_id, code, body, observed_at, reported_at, status, "
                "error_type, error_code, error_description, notes) "
                "VALUES (1, %s, %s, '2026-11-20T12:00Z', now(), 'SUCCESS', '', '', '', '{}')",
                [code, body],
            )
        migrate(url, "vehicles", "0005")
        snapshots = session.execute(
            "SELECT vehicle_id, charge, locked, latitude, longitude, charging FROM vehicles_summary ORDER BY 1"
        ).fetchall()
    assert snapshots == [(1, 61.5, False, 52.5, 13.4, None), (2, None, None, None, None, None)]
