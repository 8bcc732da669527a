"""Errors that Smartcar reports several times in short succession are counted as one."""

import json
from datetime import timedelta
from typing import Any

import pytest

from connect import health
from connect.models import Connection
from tests.webhooks.helpers import payload, post
from vehicles.models import Vehicle
from webhooks import processing
from webhooks.models import EntryState, InboxEntry, VehicleError
from webhooks.replay import replay

pytestmark = pytest.mark.django_db
ACCOUNT = "documentation/vehicle-error-authentication-failed.json"


def report_error(vehicle: Vehicle, event_id: str, *, minutes: float = 0, **changes: Any) -> None:
    """Processes an error event about the vehicle, received `minutes` ago."""
    message = payload(ACCOUNT)
    message["eventId"] = event_id
    message["data"]["vehicle"]["id"] = vehicle.smartcar_id
    message["data"]["errors"][0] |= changes
    post(json.dumps(message).encode())
    newest = InboxEntry.objects.latest("id")
    newest.received_at -= timedelta(minutes=minutes)
    newest.save()
    processing.process_waiting()


def counts() -> list[int]:
    return [each.count for each in VehicleError.objects.order_by("first_at")]


@pytest.fixture
def health_reports(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The reports that reach the connections' health."""
    received: list[Any] = []
    original = health.on_errors

    def record(*, reports: Any) -> None:
        received.extend(reports)
        original(reports=reports)

    monkeypatch.setattr(health, "on_errors", record)
    return received


def test_near_duplicates_are_merged_and_reported_once(
    vehicle: Vehicle, connection: Connection, health_reports: list[Any]
) -> None:
    for number, minutes in enumerate((9, 5, 1)):
        report_error(vehicle, f"event-{number}", minutes=minutes)
    (error,) = VehicleError.objects.all()
    assert (error.count, error.last_at - error.first_at > timedelta(minutes=7)) == (3, True)
    assert [str(report.evidence) for report in health_reports] == ["event event-0"]


def test_error_after_the_window_is_reported_again(
    vehicle: Vehicle, connection: Connection, health_reports: list[Any]
) -> None:
    report_error(vehicle, "event-1", minutes=10)
    report_error(vehicle, "event-2", minutes=4)
    assert counts() == [1, 1]
    assert len(health_reports) == 2


@pytest.mark.parametrize(
    "changes", [{"state": "RESOLVED"}, {"code": "ACCOUNT_ISSUE"}, {"signals": ["Closure.IsLocked"]}]
)
def test_different_error_is_counted_separately(
    vehicle: Vehicle, connection: Connection, changes: dict[str, Any]
) -> None:
    report_error(vehicle, "event-1")
    report_error(vehicle, "event-2", **changes)
    assert counts() == [1, 1]


def test_replaying_counts_nothing_twice(
    vehicle: Vehicle, connection: Connection, health_reports: list[Any]
) -> None:
    for number in range(3):
        report_error(vehicle, f"event-{number}", minutes=3 - number)
    before = list(VehicleError.objects.values())
    replay(entries=InboxEntry.objects.all())
    processing.process_waiting()
    assert list(VehicleError.objects.values()) == before
    assert len(health_reports) == 1
    assert set(InboxEntry.objects.values_list("state", flat=True)) == {EntryState.PROCESSED}


def test_endless_error_is_split_from_time_to_time(
    vehicle: Vehicle, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.vehicle_errors.MAX_EVENTS", 2)
    for number in range(3):
        report_error(vehicle, f"event-{number}")
    assert sorted(counts()) == [1, 2]
