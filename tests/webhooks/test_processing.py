"""Processing of the inbox into the data of vehicles."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError
from django.utils import timezone

from accounts.models import Fleet
from connect.models import Connection, ConnectionState
from tests.webhooks.helpers import PAYLOADS, payload, post, state_of
from vehicles import catalogue, services
from vehicles.models import LatestSignal, Reading, Vehicle
from webhooks import event_parsing, processing
from webhooks.models import EntryState, InboxEntry, Source
from webhooks.parsing import parse_delivery
from webhooks.replay import replay

pytestmark = pytest.mark.django_db
AT = 1_760_000_000_000
LOCK = catalogue.IS_LOCKED.code


def states() -> list[str]:
    return list(InboxEntry.objects.order_by("id").values_list("state", flat=True))


def test_delivery_updates_the_latest_state_and_history(vehicle: Vehicle, connection: Connection) -> None:
    post(state_of(vehicle.smartcar_id, locked=True, at=AT))
    assert processing.process_waiting() == 1
    row = LatestSignal.objects.get(vehicle=vehicle, code=LOCK)
    assert (row.value, row.observed_at) == (True, datetime.fromtimestamp(AT / 1000, UTC))
    assert Reading.objects.count() == 1


def test_first_data_makes_a_pending_connection_active(vehicle: Vehicle, connection: Connection) -> None:
    post(state_of(vehicle.smartcar_id, locked=True, at=AT))
    processing.process_waiting()
    connection.refresh_from_db()
    assert connection.state == ConnectionState.ACTIVE


def test_event_sent_twice_is_recorded_once(vehicle: Vehicle, connection: Connection) -> None:
    body = state_of(vehicle.smartcar_id, locked=True, at=AT)
    post(body)
    post(body)
    processing.process_waiting()
    post(body)
    processing.process_waiting()
    assert states() == [EntryState.PROCESSED, EntryState.DUPLICATE, EntryState.DUPLICATE]
    assert Reading.objects.count() == 1


def test_deliveries_out_of_order_end_in_the_newest_state(vehicle: Vehicle, connection: Connection) -> None:
    for event, locked, at in (("b", False, AT + 60_000), ("a", True, AT)):
        post(state_of(vehicle.smartcar_id, event_id=event, locked=locked, at=at))
        processing.process_waiting()
    assert LatestSignal.objects.get(vehicle=vehicle, code=LOCK).value is False
    assert Reading.objects.count() == 2


def test_delivery_for_an_unknown_vehicle_is_quarantined_until_the_vehicle_is_connected(
    vehicle: Vehicle,
) -> None:
    post(state_of(vehicle.smartcar_id, locked=True, at=AT))
    processing.process_waiting()
    assert processing.release_quarantined() == 0
    assert states() == [EntryState.QUARANTINED]
    Connection.objects.create(
        fleet=vehicle.fleet, vehicle=vehicle, smartcar_user_id="user-1", api_version="v3", mode="live"
    )
    assert processing.release_quarantined() == 1
    processing.process_waiting()
    assert states() == [EntryState.PROCESSED]
    assert LatestSignal.objects.filter(vehicle=vehicle).exists()


def test_removed_connection_accepts_no_data(vehicle: Vehicle, connection: Connection) -> None:
    connection.move_to(ConnectionState.REMOVED, now=timezone.now())
    post(state_of(vehicle.smartcar_id, locked=True, at=AT))
    processing.process_waiting()
    assert states() == [EntryState.QUARANTINED]
    assert not LatestSignal.objects.exists()


def test_a_test_delivery_is_not_recorded_as_data(vehicle: Vehicle, connection: Connection) -> None:
    post(state_of(vehicle.smartcar_id, locked=True, at=AT, mode="TEST"))
    processing.process_waiting()
    assert states() == [EntryState.TEST]
    assert not LatestSignal.objects.exists()


def test_an_unknown_event_type_is_quarantined_and_stays(vehicle: Vehicle, connection: Connection) -> None:
    body = json.loads(state_of(vehicle.smartcar_id, locked=True, at=AT)) | {"eventType": "CONNECTION_NEWS"}
    post(json.dumps(body).encode())
    processing.process_waiting()
    assert processing.release_quarantined() == 0
    assert states() == [EntryState.QUARANTINED]


def test_signed_invalid_delivery_is_undeliverable_with_a_reason(db: None) -> None:
    post(b"{ not json")
    processing.process_waiting()
    entry = InboxEntry.objects.get()
    assert entry.state == EntryState.DEAD
    assert entry.note


@pytest.mark.parametrize("poison_error", [ZeroDivisionError, DataError])
def test_poison_message_does_not_block_the_others(
    vehicle: Vehicle,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    poison_error: type[Exception],
) -> None:
    original = parse_delivery

    def fail_on_poison(raw: bytes, **options: Any) -> object:
        if b"poison" in raw:
            raise poison_error("value out of range\nDETAIL: it repeats the row")
        return original(raw, **options)

    monkeypatch.setattr(event_parsing, "parse_delivery", fail_on_poison)
    post(state_of(vehicle.smartcar_id, event_id="poison", locked=False, at=AT))
    post(state_of(vehicle.smartcar_id, event_id="good", locked=True, at=AT))
    processing.process_waiting()
    assert states() == [EntryState.WAITING, EntryState.PROCESSED]
    poison = InboxEntry.objects.earliest("id")
    assert poison.attempts == 1
    assert poison.traceback.endswith(f"{poison_error.__name__}: value out of range")
    assert poison.next_try_at is not None
    assert poison.next_try_at > timezone.now()


def test_message_that_cannot_be_recorded_is_attributed_to_its_vehicle(
    vehicle: Vehicle, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(services, "ingest_readings", broken)
    post(state_of(vehicle.smartcar_id, locked=False, at=AT))
    processing.process_waiting()
    assert InboxEntry.objects.get().smartcar_vehicle_id == vehicle.smartcar_id


def test_database_error_does_not_count_as_an_attempt(
    vehicle: Vehicle, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> object:
        raise OperationalError("the connection was lost")

    monkeypatch.setattr(services, "ingest_readings", broken)
    post(state_of(vehicle.smartcar_id, locked=False, at=AT))
    with pytest.raises(OperationalError):
        processing.process_waiting()
    entry = InboxEntry.objects.get()
    assert (entry.state, entry.attempts) == (EntryState.WAITING, 0)


def test_poison_message_is_undeliverable_after_its_attempts(
    vehicle: Vehicle, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(raw: bytes, **options: Any) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(event_parsing, "parse_delivery", broken)
    post(state_of(vehicle.smartcar_id, locked=False, at=AT))
    for _ in range(processing.ATTEMPTS):
        InboxEntry.objects.update(next_try_at=None)
        processing.process_waiting()
    assert states() == [EntryState.DEAD]


def test_replaying_everything_changes_nothing(vehicle: Vehicle, connection: Connection) -> None:
    for event, locked, at in (("a", True, AT), ("b", False, AT + 60_000)):
        post(state_of(vehicle.smartcar_id, event_id=event, locked=locked, at=at))
    processing.process_waiting()
    before = (list(LatestSignal.objects.values()), list(Reading.objects.values()))
    assert replay(entries=InboxEntry.objects.all()) == 2
    processing.process_waiting()
    assert (list(LatestSignal.objects.values()), list(Reading.objects.values())) == before


def test_documented_error_event_marks_its_signals_and_resolved_clears_them(fleet: Fleet) -> None:
    error = payload("documentation/vehicle-error.json")
    vehicle_id = error["data"]["vehicle"]["id"]
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=vehicle_id)
    Connection.objects.create(
        fleet=vehicle.fleet, vehicle=vehicle, smartcar_user_id="u", api_version="v3", mode="live"
    )
    post((PAYLOADS / "documentation/vehicle-error.json").read_bytes())
    processing.process_waiting()
    row = LatestSignal.objects.get(vehicle=vehicle, code=catalogue.PRECISE_LOCATION.code)
    assert (row.status, row.error_type) == ("ERROR", "COMPATIBILITY")
    post((PAYLOADS / "documentation/vehicle-error-resolved.json").read_bytes())
    processing.process_waiting()
    row.refresh_from_db()
    assert row.status == "SUCCESS"


def test_one_error_event_never_ends_the_connection(fleet: Fleet) -> None:
    name = "documentation/vehicle-error-authentication-failed.json"
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=payload(name)["data"]["vehicle"]["id"])
    connection = Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="u",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )
    post((PAYLOADS / name).read_bytes())
    processing.process_waiting()
    connection.refresh_from_db()
    assert connection.state == ConnectionState.ACTIVE


@pytest.mark.parametrize(
    ("source", "name"),
    [(Source.PULL_V3, "answers/v3-signals.json"), (Source.PULL_V2, "answers/v2-batch.json")],
)
def test_api_responses_are_processed_like_deliveries(
    vehicle: Vehicle, connection: Connection, source: str, name: str
) -> None:
    InboxEntry.objects.create(
        source=source,
        received_at=timezone.now() - timedelta(seconds=1),
        body=(PAYLOADS / name).read_bytes(),
        smartcar_vehicle_id=vehicle.smartcar_id,
    )
    processing.process_waiting()
    assert states() == [EntryState.PROCESSED]
    assert LatestSignal.objects.filter(vehicle=vehicle, code=catalogue.STATE_OF_CHARGE.code).exists()


def test_vehicle_in_two_fleets_is_updated_in_both(
    vehicle: Vehicle, connection: Connection, outsider: object
) -> None:
    twin = Vehicle.objects.create(fleet=Fleet.objects.get(slug="red"), smartcar_id=vehicle.smartcar_id)
    Connection.objects.create(
        fleet=twin.fleet, vehicle=twin, smartcar_user_id="user-1", api_version="v3", mode="live"
    )
    post(state_of(vehicle.smartcar_id, locked=True, at=AT))
    processing.process_waiting()
    assert LatestSignal.objects.filter(code=LOCK).count() == 2
