"""A car's rhythm is measured; one that is silent beyond it is read, less and less often."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from connect.models import Connection, ConnectionState
from tests.webhooks.helpers import PAYLOADS, post, state_of
from vehicles.models import Vehicle
from webhooks import processing, silence_monitor
from webhooks.models import DeliveryCadence, InboxEntry, Source
from webhooks.silence_monitor import VehicleDelivery

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.fixture
def subscribed(connection: Connection) -> Connection:
    connection.subscribed_at = NOON
    connection.state = ConnectionState.ACTIVE
    connection.save()
    return connection


def delivered(vehicle: Vehicle, *, at: datetime) -> DeliveryCadence:
    silence_monitor.record_deliveries({vehicle.pk: VehicleDelivery(at=at, make="TESLA")})
    return DeliveryCadence.objects.get(vehicle=vehicle)


def test_it_starts_with_what_is_documented_for_the_make(vehicle: Vehicle) -> None:
    assert delivered(vehicle, at=NOON).usual_seconds == 300


def test_it_follows_the_cars_own_gaps(vehicle: Vehicle) -> None:
    for turn in range(200):
        last = delivered(vehicle, at=NOON + minutes(30 * turn))
    assert last.usual_seconds == pytest.approx(1800, rel=0.05)


def test_a_night_counts_by_its_length(vehicle: Vehicle) -> None:
    for turn in range(20):
        delivered(vehicle, at=NOON + minutes(5 * turn))
    after = delivered(vehicle, at=NOON + minutes(100 + 600))
    assert timedelta(hours=2) < timedelta(seconds=after.usual_seconds) < timedelta(hours=5)


def test_what_is_older_or_the_same_changes_nothing(vehicle: Vehicle) -> None:
    before = delivered(vehicle, at=NOON)
    for at in (NOON, NOON - minutes(60)):
        after = delivered(vehicle, at=at)
        assert (after.last_delivery_at, after.usual_seconds) == (NOON, before.usual_seconds)


def test_a_silent_car_is_read_once_and_then_less_and_less_often(
    vehicle: Vehicle, subscribed: Connection
) -> None:
    delivered(vehicle, at=NOON)
    assert silence_monitor.poll_silent(now=NOON + minutes(14)) == []
    reads = [
        step
        for step in range(15, 60 * 24, 5)
        if silence_monitor.poll_silent(now=NOON + minutes(step)) == [subscribed.pk]
    ]
    assert reads == [15, 75, 195, 435, 915]


def test_a_delivery_ends_the_silence(vehicle: Vehicle, subscribed: Connection) -> None:
    delivered(vehicle, at=NOON)
    silence_monitor.poll_silent(now=NOON + minutes(15))
    after = delivered(vehicle, at=NOON + minutes(16))
    assert (after.reads, after.next_read_at) == (0, None)
    assert silence_monitor.poll_silent(now=NOON + minutes(20)) == []


def test_a_read_that_found_no_room_is_made_later(vehicle: Vehicle, subscribed: Connection) -> None:
    delivered(vehicle, at=NOON)
    silence_monitor.poll_silent(now=NOON + minutes(15))
    silence_monitor.defer(vehicle_id=vehicle.pk, until=NOON + minutes(17))
    assert silence_monitor.poll_silent(now=NOON + minutes(16)) == []
    assert silence_monitor.poll_silent(now=NOON + minutes(17)) == [subscribed.pk]
    assert DeliveryCadence.objects.get().reads == 1


@pytest.mark.parametrize(
    ("state", "read"),
    [
        (ConnectionState.STALE, True),
        (ConnectionState.NEEDS_REAUTHENTICATION, False),
        (ConnectionState.REMOVED, False),
    ],
)
def test_only_cars_that_can_be_called_are_read(
    vehicle: Vehicle, subscribed: Connection, state: ConnectionState, read: bool
) -> None:
    delivered(vehicle, at=NOON)
    Connection.objects.update(state=state)
    assert bool(silence_monitor.poll_silent(now=NOON + timedelta(days=1))) == read


def test_a_car_that_is_not_subscribed_is_not_missed(vehicle: Vehicle, connection: Connection) -> None:
    delivered(vehicle, at=NOON)
    assert silence_monitor.poll_silent(now=NOON + timedelta(days=1)) == []


def test_a_subscribed_car_that_never_delivered_is_read(vehicle: Vehicle, subscribed: Connection) -> None:
    assert silence_monitor.poll_silent(now=NOON + minutes(4)) == []
    assert silence_monitor.poll_silent(now=NOON + minutes(5)) == [subscribed.pk]
    assert silence_monitor.poll_silent(now=NOON + minutes(6)) == []


def test_what_the_car_sent_counts_and_what_was_read_does_not(
    vehicle: Vehicle, connection: Connection, run_enqueued: Callable[[], list[str]]
) -> None:
    InboxEntry.objects.create(
        source=Source.PULL_V3,
        received_at=timezone.now(),
        body=(PAYLOADS / "answers/v3-signals.json").read_bytes(),
        smartcar_vehicle_id=vehicle.smartcar_id,
    )
    processing.process_waiting()
    assert not DeliveryCadence.objects.exists()
    post(state_of(vehicle.smartcar_id, locked=True, at=1_760_000_000_000))
    processing.process_waiting()
    assert DeliveryCadence.objects.get().last_delivery_at == InboxEntry.objects.latest("id").received_at
