"""A vehicle's delivery cadence is measured. A vehicle without deliveries for longer is polled, less and less often."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Fleet, User
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


def record_delivery(vehicle: Vehicle, *, at: datetime) -> DeliveryCadence:
    silence_monitor.record_deliveries({vehicle.pk: VehicleDelivery(at=at, make="TESLA")})
    return DeliveryCadence.objects.get(vehicle=vehicle)


def test_starts_with_the_documented_interval_of_the_make(vehicle: Vehicle) -> None:
    assert record_delivery(vehicle, at=NOON).usual_seconds == 300


def test_follows_the_vehicles_own_intervals(vehicle: Vehicle) -> None:
    for turn in range(200):
        last = record_delivery(vehicle, at=NOON + minutes(30 * turn))
    assert last.usual_seconds == pytest.approx(1800, rel=0.05)


def test_a_night_is_weighted_by_its_length(vehicle: Vehicle) -> None:
    for turn in range(20):
        record_delivery(vehicle, at=NOON + minutes(5 * turn))
    after = record_delivery(vehicle, at=NOON + minutes(100 + 600))
    assert timedelta(hours=2) < timedelta(seconds=after.usual_seconds) < timedelta(hours=5)


def test_older_or_identical_delivery_changes_nothing(vehicle: Vehicle) -> None:
    before = record_delivery(vehicle, at=NOON)
    for at in (NOON, NOON - minutes(60)):
        after = record_delivery(vehicle, at=at)
        assert (after.last_delivery_at, after.usual_seconds) == (NOON, before.usual_seconds)


def test_vehicle_without_deliveries_is_polled_less_and_less_often(
    vehicle: Vehicle, subscribed: Connection
) -> None:
    record_delivery(vehicle, at=NOON)
    assert silence_monitor.poll_silent(now=NOON + minutes(14)) == []
    reads = [
        step
        for step in range(15, 60 * 24, 5)
        if silence_monitor.poll_silent(now=NOON + minutes(step)) == [subscribed.pk]
    ]
    assert reads == [15, 75, 195, 435, 915]


def test_delivery_ends_the_polling(vehicle: Vehicle, subscribed: Connection) -> None:
    record_delivery(vehicle, at=NOON)
    silence_monitor.poll_silent(now=NOON + minutes(15))
    after = record_delivery(vehicle, at=NOON + minutes(16))
    assert (after.reads, after.next_read_at) == (0, None)
    assert silence_monitor.poll_silent(now=NOON + minutes(20)) == []


def test_deferred_poll_is_made_later(vehicle: Vehicle, subscribed: Connection) -> None:
    record_delivery(vehicle, at=NOON)
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
def test_only_vehicles_that_can_be_called_are_polled(
    vehicle: Vehicle, subscribed: Connection, state: ConnectionState, read: bool
) -> None:
    record_delivery(vehicle, at=NOON)
    Connection.objects.update(state=state)
    assert bool(silence_monitor.poll_silent(now=NOON + timedelta(days=1))) == read


def test_fleets_take_turns(vehicle: Vehicle, subscribed: Connection, outsider: User) -> None:
    """A fleet with many silent vehicles, which have been due for longer, doesn't delay another fleet's."""
    other = Fleet.objects.get(slug="red")
    for number in range(silence_monitor.MAX_POLLS + 5):
        silent = Vehicle.objects.create(fleet=other, smartcar_id=f"silent-{number}")
        Connection.objects.create(
            fleet=other,
            vehicle=silent,
            smartcar_user_id="user-2",
            api_version="v3",
            state=ConnectionState.ACTIVE,
            subscribed_at=NOON,
        )
        record_delivery(silent, at=NOON - minutes(60))
    record_delivery(vehicle, at=NOON)
    first = silence_monitor.poll_silent(now=NOON + minutes(15))
    assert subscribed.pk in first
    assert len(first) == silence_monitor.MAX_POLLS
    assert len(silence_monitor.poll_silent(now=NOON + minutes(16))) == 6


def test_unsubscribed_vehicle_is_not_polled(vehicle: Vehicle, connection: Connection) -> None:
    record_delivery(vehicle, at=NOON)
    assert silence_monitor.poll_silent(now=NOON + timedelta(days=1)) == []


def test_subscribed_vehicle_that_never_delivered_is_polled(vehicle: Vehicle, subscribed: Connection) -> None:
    assert silence_monitor.poll_silent(now=NOON + minutes(4)) == []
    assert silence_monitor.poll_silent(now=NOON + minutes(5)) == [subscribed.pk]
    assert silence_monitor.poll_silent(now=NOON + minutes(6)) == []


def test_deliveries_count_for_the_cadence_and_reads_do_not(
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
