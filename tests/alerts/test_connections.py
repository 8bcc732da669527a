"""Alerts of connections and token pairs: they begin and end with the change itself, and a net finds the rest."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Fleet, SmartcarApiVersion, User
from alerts import detectors
from alerts.messages import CONNECTION_TEXTS, alert_text
from alerts.models import Alert, AlertSettings
from alerts.types import AlertType
from connect import health
from connect.models import Connection, ConnectionState, UserToken
from connect.offboarding import services as removals
from connect.offboarding.models import ErasureScope
from connect.offboarding.worker import run
from connect.status import monitor
from connect.status.states import DEGRADED
from connect.v2 import user_tokens
from core import encryption
from smartcar_api import SmartcarError
from tests.alerts.helpers import begin, hear, open_alerts
from tests.smartcar import connect
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
State = ConnectionState


def connected(vehicle: Vehicle, state: ConnectionState = State.ACTIVE, **more: object) -> Connection:
    given = {"smartcar_user_id": "user-1", "api_version": SmartcarApiVersion.V3, "mode": "live"} | more
    return Connection.objects.create(fleet=vehicle.fleet, vehicle=vehicle, state=state, **given)


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    return connected(vehicle)


def move(connection: Connection, state: ConnectionState) -> None:
    connection.move_to(state, now=timezone.now())


def pair(days: float, **more: object) -> UserToken:
    ends = timezone.now() + timedelta(days=days)
    return UserToken.objects.create(
        smartcar_user_id="user-1",
        access_ciphertext=b"",
        refresh_ciphertext=b"",
        access_expires_at=ends,
        refresh_expires_at=ends,
        **more,
    )


@pytest.mark.parametrize("state", DEGRADED)
def test_every_state_of_trouble_is_told_in_its_own_words_and_ends_when_all_is_well(
    connection: Connection, state: ConnectionState
) -> None:
    move(connection, state)
    (notice,) = open_alerts()
    assert (notice.kind, notice.subject_id) == (AlertType.CONNECTION, connection.pk)
    assert alert_text(notice) == str(CONNECTION_TEXTS[state.value])
    move(connection, State.PENDING)
    assert open_alerts() == []


def test_there_are_no_words_for_other_states() -> None:
    assert set(CONNECTION_TEXTS) == {state.value for state in DEGRADED}


def test_silence_that_turns_out_to_need_the_driver_is_news_again(connection: Connection, owner: User) -> None:
    move(connection, State.STALE)
    Alert.objects.update(acknowledged_at=timezone.now(), acknowledged_by=owner, emailed_at=timezone.now())
    move(connection, State.NEEDS_REAUTHENTICATION)
    (notice,) = open_alerts()
    assert (notice.is_unacknowledged, notice.emailed_at) == (True, None)
    assert notice.payload == {"state": "needs_reauth"}


def test_another_trouble_of_the_same_weight_changes_the_words_only(connection: Connection) -> None:
    move(connection, State.PLAN_LIMIT)
    (before,) = open_alerts()
    move(connection, State.NEEDS_REAUTHENTICATION)
    (after,) = open_alerts()
    assert (after.pk, after.last_raised_at) == (before.pk, before.last_raised_at)
    assert after.payload == {"state": "needs_reauth"}


def test_silence_is_told_by_the_watch_and_over_with_the_next_data(connection: Connection) -> None:
    long_ago = timezone.now() - timedelta(hours=49)
    Connection.objects.update(state_since=long_ago)
    Vehicle.objects.update(last_seen_at=long_ago)
    monitor.monitor_connections(now=timezone.now())
    (notice,) = open_alerts()
    assert notice.payload == {"state": "stale"}
    health.on_data(received={(connection.vehicle_id, ""): timezone.now()})
    assert open_alerts() == []


def test_two_drivers_of_a_car_are_two_subjects(vehicle: Vehicle, connection: Connection) -> None:
    other = connected(vehicle, smartcar_user_id="user-2")
    move(connection, State.NEEDS_REAUTHENTICATION)
    move(other, State.NEEDS_REAUTHENTICATION)
    move(other, State.ACTIVE)
    assert [notice.subject_id for notice in open_alerts()] == [connection.pk]


def test_a_car_that_leaves_takes_its_notices_with_it(vehicle: Vehicle, connection: Connection) -> None:
    other = connected(vehicle, smartcar_user_id="user-2")
    hear(vehicle, charge=10, at=timezone.now())
    move(connection, State.STALE)
    move(connection, State.REMOVED)
    assert [notice.kind for notice in open_alerts()] == [AlertType.BATTERY]
    move(other, State.REMOVED)
    assert open_alerts() == []


def test_the_net_finds_what_nobody_told_and_ends_what_is_over(fleet: Fleet, vehicle: Vehicle) -> None:
    connection = connected(vehicle, State.NEEDS_REAUTHENTICATION)
    hear(vehicle, charge=10, at=timezone.now())
    Alert.objects.all().delete()
    detectors.run_all(now=timezone.now())
    assert {notice.kind for notice in open_alerts()} == {AlertType.CONNECTION, AlertType.BATTERY}
    detectors.run_all(now=timezone.now())
    assert len(open_alerts()) == 2
    Connection.objects.filter(pk=connection.pk).update(state=State.ACTIVE)
    vehicle.summary.charge = 80
    vehicle.summary.save()
    detectors.run_all(now=timezone.now())
    assert open_alerts() == []


def test_the_net_leaves_cars_alone_that_left_and_kinds_that_are_not_watched(
    fleet: Fleet, vehicle: Vehicle
) -> None:
    connection = connected(vehicle, State.REMOVED)
    hear(vehicle, charge=10, at=timezone.now())
    detectors.run_all(now=timezone.now())
    assert open_alerts() == []
    Connection.objects.filter(pk=connection.pk).update(state=State.STALE)
    AlertSettings.objects.create(fleet=fleet, kinds=[])
    detectors.run_all(now=timezone.now())
    assert open_alerts() == []


def test_a_pair_of_tokens_is_told_at_14_7_and_2_days_and_over_when_renewed(
    vehicle: Vehicle, fleet: Fleet, owner: User
) -> None:
    tokens = pair(15)
    bus = Vehicle.objects.create(fleet=fleet, smartcar_id="bus", name="Bus 9")
    for car in (vehicle, bus):
        connected(car, api_version=SmartcarApiVersion.V2, tokens=tokens)
    detectors.run_all(now=timezone.now())
    assert open_alerts() == []
    news = set()
    for days in (13.9, 10, 6.9, 5, 1.9, 1, -1):
        Alert.objects.update(acknowledged_at=timezone.now())
        UserToken.objects.update(refresh_expires_at=timezone.now() + timedelta(days=days))
        detectors.run_all(now=timezone.now())
        (notice,) = open_alerts()
        news.add(notice.last_raised_at)
        assert notice.is_unacknowledged == (days in (13.9, 6.9, 1.9))
    assert len(news) == 3
    assert notice.payload["cars"] == 2
    UserToken.objects.update(refresh_expires_at=timezone.now() + timedelta(days=60))
    detectors.run_all(now=timezone.now())
    assert open_alerts() == []


def test_a_renewal_ends_the_notice_of_its_pair_and_a_refusal_tells_of_the_connection_instead(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    (connection,) = connect(smartcar, fleet=fleet, user=owner, count=1).connections
    UserToken.objects.update(refresh_expires_at=timezone.now() + timedelta(days=5))
    detectors.run_all(now=timezone.now())
    assert [notice.kind for notice in open_alerts()] == [AlertType.TOKEN]
    user_tokens.refresh(tokens=UserToken.objects.get())
    assert open_alerts() == []
    UserToken.objects.update(refresh_ciphertext=encryption.encrypt("not a token Smartcar knows"))
    with pytest.raises(SmartcarError):
        user_tokens.refresh(tokens=UserToken.objects.get())
    (notice,) = open_alerts()
    assert (notice.kind, notice.subject_id) == (AlertType.CONNECTION, connection.pk)


@pytest.mark.parametrize("why", ["on v3", "ended", "revoked", "removed"])
def test_a_pair_that_nobody_lives_by_is_not_told(vehicle: Vehicle, why: str) -> None:
    tokens = pair(1, revoked_at=timezone.now() if why == "revoked" else None)
    connected(
        vehicle,
        {"ended": State.REVOKED, "removed": State.REMOVED}.get(why, State.ACTIVE),
        api_version=SmartcarApiVersion.V3 if why == "on v3" else SmartcarApiVersion.V2,
        tokens=tokens,
    )
    detectors.run_all(now=timezone.now())
    assert AlertType.TOKEN not in {notice.kind for notice in open_alerts()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("extent", "left"), [(ErasureScope.EVERYTHING, 0), (ErasureScope.PLACES, 1)])
def test_erasing_everything_of_a_car_erases_its_notices(
    vehicle: Vehicle, owner: User, extent: ErasureScope, left: int
) -> None:
    connected(vehicle)
    begin(vehicle, at=timezone.now())
    removal = removals.offboard_vehicle(vehicle=vehicle, extent=extent, user=owner)
    run(offboarding_id=removal.pk)
    assert Alert.objects.count() == left
    assert open_alerts() == []
    assert removal.erased.get(kind="notices").rows == 1 - left
