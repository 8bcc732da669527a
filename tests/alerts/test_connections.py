"""Alerts about connections and token pairs: opened and resolved with each change; detectors find missed ones."""

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
from connect.offboarding import services as offboarding_services
from connect.offboarding.models import ErasureScope
from connect.offboarding.worker import run
from connect.status import monitor
from connect.status.states import DEGRADED
from connect.v2 import user_tokens
from core import encryption
from smartcar_api import SmartcarError
from tests.alerts.helpers import open_alerts, raise_alert, report_signals
from tests.smartcar import connect
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
State = ConnectionState


def create_connection(
    vehicle: Vehicle, state: ConnectionState = State.ACTIVE, **overrides: object
) -> Connection:
    defaults = {
        "smartcar_user_id": "user-1",
        "api_version": SmartcarApiVersion.V3,
        "mode": "live",
    } | overrides
    return Connection.objects.create(fleet=vehicle.fleet, vehicle=vehicle, state=state, **defaults)


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    return create_connection(vehicle)


def change_state(connection: Connection, state: ConnectionState) -> None:
    connection.move_to(state, now=timezone.now())


def create_token_pair(days: float, **fields: object) -> UserToken:
    expires_at = timezone.now() + timedelta(days=days)
    return UserToken.objects.create(
        smartcar_user_id="user-1",
        access_ciphertext=b"",
        refresh_ciphertext=b"",
        access_expires_at=expires_at,
        refresh_expires_at=expires_at,
        **fields,
    )


@pytest.mark.parametrize("state", DEGRADED)
def test_every_degraded_state_raises_its_own_alert_until_it_is_over(
    connection: Connection, state: ConnectionState
) -> None:
    change_state(connection, state)
    (alert,) = open_alerts()
    assert (alert.kind, alert.subject_id) == (AlertType.CONNECTION, connection.pk)
    assert alert_text(alert) == str(CONNECTION_TEXTS[state.value])
    change_state(connection, State.PENDING)
    assert open_alerts() == []


def test_only_degraded_states_have_texts() -> None:
    assert set(CONNECTION_TEXTS) == {state.value for state in DEGRADED}


def test_an_alert_is_raised_again_if_reauthentication_becomes_required(
    connection: Connection, owner: User
) -> None:
    change_state(connection, State.STALE)
    Alert.objects.update(acknowledged_at=timezone.now(), acknowledged_by=owner, emailed_at=timezone.now())
    change_state(connection, State.NEEDS_REAUTHENTICATION)
    (alert,) = open_alerts()
    assert (alert.is_unacknowledged, alert.emailed_at) == (True, None)
    assert alert.payload == {"state": "needs_reauth"}


def test_another_problem_of_the_same_severity_changes_only_the_text(connection: Connection) -> None:
    change_state(connection, State.PLAN_LIMIT)
    (before,) = open_alerts()
    change_state(connection, State.NEEDS_REAUTHENTICATION)
    (after,) = open_alerts()
    assert (after.pk, after.last_raised_at) == (before.pk, before.last_raised_at)
    assert after.payload == {"state": "needs_reauth"}


def test_the_monitor_raises_no_recent_data_and_new_data_resolves_it(connection: Connection) -> None:
    long_ago = timezone.now() - timedelta(hours=49)
    Connection.objects.update(state_since=long_ago)
    Vehicle.objects.update(last_seen_at=long_ago)
    monitor.monitor_connections(now=timezone.now())
    (alert,) = open_alerts()
    assert alert.payload == {"state": "stale"}
    health.on_data(received={(connection.vehicle_id, ""): timezone.now()})
    assert open_alerts() == []


def test_connections_of_two_drivers_have_separate_alerts(vehicle: Vehicle, connection: Connection) -> None:
    other = create_connection(vehicle, smartcar_user_id="user-2")
    change_state(connection, State.NEEDS_REAUTHENTICATION)
    change_state(other, State.NEEDS_REAUTHENTICATION)
    change_state(other, State.ACTIVE)
    assert [alert.subject_id for alert in open_alerts()] == [connection.pk]


def test_removing_a_connection_resolves_its_alerts(vehicle: Vehicle, connection: Connection) -> None:
    other = create_connection(vehicle, smartcar_user_id="user-2")
    report_signals(vehicle, charge=10, at=timezone.now())
    change_state(connection, State.STALE)
    change_state(connection, State.REMOVED)
    assert [alert.kind for alert in open_alerts()] == [AlertType.BATTERY]
    change_state(other, State.REMOVED)
    assert open_alerts() == []


def test_detectors_raise_missed_alerts_and_resolve_outdated_ones(fleet: Fleet, vehicle: Vehicle) -> None:
    connection = create_connection(vehicle, State.NEEDS_REAUTHENTICATION)
    report_signals(vehicle, charge=10, at=timezone.now())
    Alert.objects.all().delete()
    detectors.run_all(now=timezone.now())
    assert {alert.kind for alert in open_alerts()} == {AlertType.CONNECTION, AlertType.BATTERY}
    detectors.run_all(now=timezone.now())
    assert len(open_alerts()) == 2
    Connection.objects.filter(pk=connection.pk).update(state=State.ACTIVE)
    vehicle.summary.charge = 80
    vehicle.summary.save()
    detectors.run_all(now=timezone.now())
    assert open_alerts() == []


def test_detectors_skip_removed_vehicles_and_disabled_types(fleet: Fleet, vehicle: Vehicle) -> None:
    connection = create_connection(vehicle, State.REMOVED)
    report_signals(vehicle, charge=10, at=timezone.now())
    detectors.run_all(now=timezone.now())
    assert open_alerts() == []
    Connection.objects.filter(pk=connection.pk).update(state=State.STALE)
    AlertSettings.objects.create(fleet=fleet, kinds=[])
    detectors.run_all(now=timezone.now())
    assert open_alerts() == []


def test_an_expiring_token_pair_is_reported_at_14_7_and_2_days_until_refreshed(
    vehicle: Vehicle, fleet: Fleet, owner: User
) -> None:
    tokens = create_token_pair(15)
    bus = Vehicle.objects.create(fleet=fleet, smartcar_id="bus", name="Bus 9")
    for linked in (vehicle, bus):
        create_connection(linked, api_version=SmartcarApiVersion.V2, tokens=tokens)
    detectors.run_all(now=timezone.now())
    assert open_alerts() == []
    raised_at = set()
    for days in (13.9, 10, 6.9, 5, 1.9, 1, -1):
        Alert.objects.update(acknowledged_at=timezone.now())
        UserToken.objects.update(refresh_expires_at=timezone.now() + timedelta(days=days))
        detectors.run_all(now=timezone.now())
        (alert,) = open_alerts()
        raised_at.add(alert.last_raised_at)
        assert alert.is_unacknowledged == (days in (13.9, 6.9, 1.9))
    assert len(raised_at) == 3
    assert alert.payload["cars"] == 2
    UserToken.objects.update(refresh_expires_at=timezone.now() + timedelta(days=60))
    detectors.run_all(now=timezone.now())
    assert open_alerts() == []


def test_a_token_alert_is_resolved_in_the_fleet_that_no_longer_uses_the_pair(
    vehicle: Vehicle, fleet: Fleet, owner: User
) -> None:
    """Two fleets share the pair of one driver; the vehicle of one of them is disconnected."""
    tokens = create_token_pair(5)
    other = Fleet.objects.create(name="Other", slug="other")
    elsewhere = Vehicle.objects.create(fleet=other, smartcar_id=vehicle.smartcar_id, name="Bus 9")
    for linked in (vehicle, elsewhere):
        create_connection(linked, api_version=SmartcarApiVersion.V2, tokens=tokens)
    detectors.run_all(now=timezone.now())
    assert {alert.fleet_id for alert in open_alerts()} == {fleet.pk, other.pk}
    Connection.objects.filter(vehicle=elsewhere).update(state=State.REMOVED)
    detectors.run_all(now=timezone.now())
    assert {alert.fleet_id for alert in open_alerts()} == {fleet.pk}


def test_a_refresh_resolves_the_token_alert_and_a_rejected_one_raises_a_connection_alert(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    (connection,) = connect(smartcar, fleet=fleet, user=owner, count=1).connections
    UserToken.objects.update(refresh_expires_at=timezone.now() + timedelta(days=5))
    detectors.run_all(now=timezone.now())
    assert [alert.kind for alert in open_alerts()] == [AlertType.TOKEN]
    user_tokens.refresh(tokens=UserToken.objects.get())
    assert open_alerts() == []
    UserToken.objects.update(refresh_ciphertext=encryption.encrypt("not a token Smartcar knows"))
    with pytest.raises(SmartcarError):
        user_tokens.refresh(tokens=UserToken.objects.get())
    (alert,) = open_alerts()
    assert (alert.kind, alert.subject_id) == (AlertType.CONNECTION, connection.pk)


@pytest.mark.parametrize("why", ["on v3", "ended", "revoked", "removed"])
def test_an_unused_token_pair_raises_no_alert(vehicle: Vehicle, why: str) -> None:
    tokens = create_token_pair(1, revoked_at=timezone.now() if why == "revoked" else None)
    create_connection(
        vehicle,
        {"ended": State.REVOKED, "removed": State.REMOVED}.get(why, State.ACTIVE),
        api_version=SmartcarApiVersion.V3 if why == "on v3" else SmartcarApiVersion.V2,
        tokens=tokens,
    )
    detectors.run_all(now=timezone.now())
    assert AlertType.TOKEN not in {alert.kind for alert in open_alerts()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("extent", "remaining"), [(ErasureScope.EVERYTHING, 0), (ErasureScope.PLACES, 1)])
def test_erasing_all_data_of_a_vehicle_erases_its_alerts(
    vehicle: Vehicle, owner: User, extent: ErasureScope, remaining: int
) -> None:
    create_connection(vehicle)
    raise_alert(vehicle, at=timezone.now())
    offboarding = offboarding_services.offboard_vehicle(vehicle=vehicle, extent=extent, user=owner)
    run(offboarding_id=offboarding.pk)
    assert Alert.objects.count() == remaining
    assert open_alerts() == []
    assert offboarding.erased.get(kind="notices").rows == 1 - remaining
