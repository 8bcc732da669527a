"""Errors that Smartcar tells several times in short succession are one."""

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


def tell(vehicle: Vehicle, event_id: str, *, minutes: float = 0, **changes: Any) -> None:
    """An error event about the car, received so many minutes before now, and processed."""
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
def heard_by_lifecycle(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The reports that reach the connections' lifecycle."""
    told: list[Any] = []
    honest = health.on_errors

    def listening(*, reports: Any) -> None:
        told.extend(reports)
        honest(reports=reports)

    monkeypatch.setattr(health, "on_errors", listening)
    return told


def test_near_duplicates_are_merged_and_the_lifecycle_hears_one(
    vehicle: Vehicle, connection: Connection, heard_by_lifecycle: list[Any]
) -> None:
    for number, minutes in enumerate((9, 5, 1)):
        tell(vehicle, f"event-{number}", minutes=minutes)
    (error,) = VehicleError.objects.all()
    assert (error.count, error.last_at - error.first_at > timedelta(minutes=7)) == (3, True)
    assert [str(report.evidence) for report in heard_by_lifecycle] == ["event event-0"]


def test_after_the_window_it_is_told_again(
    vehicle: Vehicle, connection: Connection, heard_by_lifecycle: list[Any]
) -> None:
    tell(vehicle, "event-1", minutes=10)
    tell(vehicle, "event-2", minutes=4)
    assert counts() == [1, 1]
    assert len(heard_by_lifecycle) == 2


@pytest.mark.parametrize(
    "changes", [{"state": "RESOLVED"}, {"code": "ACCOUNT_ISSUE"}, {"signals": ["Closure.IsLocked"]}]
)
def test_another_error_is_another(vehicle: Vehicle, connection: Connection, changes: dict[str, Any]) -> None:
    tell(vehicle, "event-1")
    tell(vehicle, "event-2", **changes)
    assert counts() == [1, 1]


def test_replaying_counts_nothing_twice(
    vehicle: Vehicle, connection: Connection, heard_by_lifecycle: list[Any]
) -> None:
    for number in range(3):
        tell(vehicle, f"event-{number}", minutes=3 - number)
    before = list(VehicleError.objects.values())
    replay(entries=InboxEntry.objects.all())
    processing.process_waiting()
    assert list(VehicleError.objects.values()) == before
    assert len(heard_by_lifecycle) == 1
    assert set(InboxEntry.objects.values_list("state", flat=True)) == {EntryState.PROCESSED}


def test_an_error_without_end_begins_anew_now_and_then(
    vehicle: Vehicle, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.vehicle_errors.MAX_EVENTS", 2)
    for number in range(3):
        tell(vehicle, f"event-{number}")
    assert sorted(counts()) == [1, 2]
