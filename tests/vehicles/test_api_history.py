"""History in the API: raw in pages, by hour, by day, and downsampled, in the requested units."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from vehicles import catalogue
from vehicles.api import history
from vehicles.catalogue import Signal
from vehicles.models import Vehicle
from vehicles.observations import SignalReading, SignalStatus
from vehicles.services import ReceivedReading, ingest_readings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHOLE_DAY = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}


@pytest.fixture
def reader(owner: User, browser_of: Callable[[User], Client]) -> Client:
    return browser_of(owner)


def address(vehicle: Vehicle, signal: Signal = catalogue.ODOMETER) -> str:
    return f"/api/v1/vehicles/{vehicle.smartcar_id}/signals/{signal.code}/history/"


def record(vehicle: Vehicle, signal: Signal, bodies: dict[datetime, dict[str, Any]]) -> None:
    """Records the bodies as readings of these times."""
    ingest_readings(
        batch=[
            ReceivedReading(
                vehicle_id=vehicle.pk,
                observation=SignalReading(signal.code, SignalStatus.SUCCESS, body=body, oem_updated_at=at),
                received_at=at,
                sequence=None,
            )
            for at, body in bodies.items()
        ]
    )


def record_drive(vehicle: Vehicle, *, minutes: int, start: datetime = NOON) -> None:
    """Records a vehicle that drives one kilometer per minute, starting at 100 km."""
    bodies = {
        start + timedelta(minutes=minute): {"value": 100 + minute, "unit": "km"} for minute in range(minutes)
    }
    record(vehicle, catalogue.ODOMETER, bodies)


def test_every_reading_has_its_time(reader: Client, vehicle: Vehicle) -> None:
    record_drive(vehicle, minutes=2)
    answer = reader.get(address(vehicle), WHOLE_DAY).json()
    assert answer == {
        "vehicle": vehicle.smartcar_id,
        "fleet": "blue",
        "signal": catalogue.ODOMETER.code,
        "unit": "km",
        "resolution": "raw",
        "from": "2026-11-20T00:00:00+00:00",
        "to": "2026-11-21T00:00:00+00:00",
        "points": [
            {"at": "2026-11-20T12:00:00+00:00", "value": 100},
            {"at": "2026-11-20T12:01:00+00:00", "value": 101},
        ],
        "next": None,
    }


def test_pages_contain_every_reading_once(
    reader: Client, vehicle: Vehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "RAW_PAGE", 3)
    record_drive(vehicle, minutes=8)
    record_drive(vehicle, minutes=2, start=NOON - timedelta(days=70))
    query = {"from": "2026-09-01T00:00:00Z", "to": "2026-11-21T00:00:00Z", "units": "imperial"}
    page = reader.get(address(vehicle), query).json()
    values = [point["value"] for point in page["points"]]
    pages = 1
    while page["next"]:
        page = reader.get(page["next"]).json()
        assert page["unit"] == "mi"
        values += [point["value"] for point in page["points"]]
        pages += 1
    assert [round(value * 1.609344) for value in values] == [100, 101, *range(100, 108)]
    assert pages == 5


def test_hours_and_days_have_mean_minimum_maximum_and_count(reader: Client, vehicle: Vehicle) -> None:
    vehicle.fleet.time_zone = "America/Los_Angeles"
    vehicle.fleet.save()
    record_drive(vehicle, minutes=90)
    first, second = reader.get(address(vehicle), WHOLE_DAY | {"resolution": "hour"}).json()["points"]
    assert (first["at"], first["minimum"], first["maximum"], first["count"]) == (
        "2026-11-20T12:00:00+00:00",
        100,
        159,
        60,
    )
    assert 129 <= first["value"] <= 130
    assert (second["minimum"], second["maximum"], second["count"]) == (160, 189, 30)
    (day,) = reader.get(address(vehicle), WHOLE_DAY | {"resolution": "day"}).json()["points"]
    assert day["at"] == "2026-11-20T00:00:00-08:00"
    assert (day["minimum"], day["maximum"], day["count"]) == (100, 189, 90)


def test_downsampling_retains_the_peaks(reader: Client, vehicle: Vehicle) -> None:
    bodies = {
        NOON + timedelta(minutes=minute): {"value": 999 if minute == 137 else minute % 7, "unit": "km"}
        for minute in range(300)
    }
    record(vehicle, catalogue.FUEL_RANGE, bodies)
    url = address(vehicle, catalogue.FUEL_RANGE)
    points = reader.get(url, WHOLE_DAY | {"resolution": "20"}).json()["points"]
    assert len(points) <= 20
    assert max(point["value"] for point in points) == 999


def test_location_is_returned_whole_and_only_raw(reader: Client, vehicle: Vehicle) -> None:
    location = {"latitude": 37.77, "longitude": -122.41}
    record(vehicle, catalogue.PRECISE_LOCATION, {NOON: location})
    url = address(vehicle, catalogue.PRECISE_LOCATION)
    answer = reader.get(url, WHOLE_DAY).json()
    assert answer["points"] == [{"at": "2026-11-20T12:00:00+00:00", "value": location}]
    assert answer["unit"] is None
    refused = reader.get(url, WHOLE_DAY | {"resolution": "hour"})
    assert refused.status_code == 400
    assert "Ask for raw" in refused.json()["errors"]["resolution"][0]


def test_default_period_is_the_last_day(reader: Client, vehicle: Vehicle) -> None:
    answer = reader.get(address(vehicle)).json()
    length = datetime.fromisoformat(answer["to"]) - datetime.fromisoformat(answer["from"])
    assert length == timedelta(days=1)
    assert answer["points"] == []


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"from": "2026-11-21T00:00:00Z", "to": "2026-11-20T00:00:00Z"}, "from"),
        ({"to": "0001-01-01T00:00:00Z"}, "to"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"resolution": "1"}, "resolution"),
        ({"resolution": "5001"}, "resolution"),
        ({"resolution": "week"}, "resolution"),
        ({"resolution": "²"}, "resolution"),
        ({"from": "2020-01-01T00:00:00Z", "resolution": "hour"}, "resolution"),
        ({"units": "nautical"}, "units"),
        ({"limit": "5"}, "limit"),
    ],
)
def test_invalid_parameter_is_rejected_by_name(
    reader: Client, vehicle: Vehicle, query: dict[str, str], named: str
) -> None:
    answer = reader.get(address(vehicle), query)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [named]


def test_unknown_signal_has_no_history(reader: Client, vehicle: Vehicle) -> None:
    answer = reader.get(f"/api/v1/vehicles/{vehicle.smartcar_id}/signals/no-such/history/")
    assert answer.status_code == 404
    assert "signal" in answer.json()["detail"]
