"""Moving a fleet between v2 and v3 while it runs: checked first, switched one by one, reported, resumable."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, SmartcarApiVersion, User
from connect import gateway
from connect.gateway import CallPurpose
from connect.models import Connection, ConnectionState, DriverPortal, UserToken
from connect.v2 import user_tokens
from connect.v2.api_migration import selectors, services, worker
from connect.v2.api_migration.models import (
    ApiMigration,
    ConnectionMigration,
    ConnectionMigrationState,
    MigrationState,
)
from smartcar_api import SmartcarError, V3Api
from tests.smartcar import connect, register_webhook, reset_budget, subscribe

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook(smartcar: str, live_server: object, settings: Settings) -> str:
    register_webhook(smartcar, f"{settings.SITE_URL}/webhooks/smartcar/")
    return smartcar


@pytest.fixture
def v2_fleet(fleet: Fleet) -> Fleet:
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    return fleet


@pytest.fixture
def connection(webhook: str, v2_fleet: Fleet, owner: User) -> Connection:
    (made,) = connect(webhook, fleet=v2_fleet, user=owner, count=1).connections
    return subscribe(made)


def carry_out(move: ApiMigration) -> None:
    """Runs the move to its end, without waiting for pauses: its own, and the budget's once a host seems down."""
    for _ in range(60):
        worker.run(migration=move)
        move.refresh_from_db()
        if move.state != MigrationState.RUNNING:
            return
        ConnectionMigration.objects.filter(move=move).update(next_try_at=timezone.now())
        reset_budget()
    pytest.fail(f"The move does not end: {list(move.steps.values_list('state', 'reason_code'))}")


def moved(fleet: Fleet, to: str, actor: User | None = None) -> ApiMigration:
    move = services.start_migration(fleet=fleet, to=to, actor=actor)
    carry_out(move)
    return move


def trouble(smartcar: str, **switches: object) -> None:
    httpx.post(f"{smartcar}/control/troubles", json=switches, timeout=30).raise_for_status()


def reads(connection: Connection) -> bool:
    connection = Connection.objects.select_related("vehicle", "tokens", "application").get(pk=connection.pk)
    car = connection.vehicle.smartcar_id
    gateway.call(
        connection=connection,
        purpose=CallPurpose.PERSON,
        request=lambda api, access: api.attributes(access, vehicle_id=car),
    )
    return True


def test_a_fleet_moves_to_v3_and_back_without_asking_a_driver(
    webhook: str, connection: Connection, v2_fleet: Fleet, owner: User
) -> None:
    httpx.delete(f"{webhook}/control/requests", timeout=10)
    move = moved(v2_fleet, SmartcarApiVersion.V3, owner)
    connection.refresh_from_db()
    v2_fleet.refresh_from_db()
    assert (connection.api_version, v2_fleet.api_version) == (SmartcarApiVersion.V3, SmartcarApiVersion.V3)
    assert connection.smartcar_connection_id
    assert connection.subscribed_at is not None
    assert reads(connection)
    assert move.steps.get().state == ConnectionMigrationState.MOVED
    moved(v2_fleet, SmartcarApiVersion.V2, owner)
    connection.refresh_from_db()
    v2_fleet.refresh_from_db()
    assert (connection.api_version, v2_fleet.api_version) == (SmartcarApiVersion.V2, SmartcarApiVersion.V2)
    assert reads(connection)
    asked = httpx.get(f"{webhook}/control/requests", timeout=10).json()["requests"]
    assert not [request for request in asked if request["path"].startswith("/connect/")]
    deeds = AuditLogEntry.objects.filter(fleet=v2_fleet, actor=owner).values_list("event", "data__to")
    assert {
        (event, to)
        for event in (AuditEvent.MIGRATION_STARTED, AuditEvent.MIGRATION_FINISHED)
        for to in ("v2", "v3")
    } <= set(deeds)


def test_state_and_subscription_outlive_the_move(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    Connection.objects.update(state=ConnectionState.ACTIVE)
    moved(v2_fleet, SmartcarApiVersion.V3)
    connection.refresh_from_db()
    assert connection.state == ConnectionState.ACTIVE
    webhooks = httpx.get(f"{webhook}/control/webhooks", timeout=10).json()["webhooks"]
    assert [each["subscriptions"] for each in webhooks] == [1]


def test_a_car_that_smartcars_v3_does_not_list_stays_and_is_reported(
    webhook: str, connection: Connection, v2_fleet: Fleet, owner: User
) -> None:
    (other,) = connect(webhook, fleet=v2_fleet, user=owner, count=1).connections
    gone = {"vehicleId": connection.vehicle.smartcar_id, "userId": connection.smartcar_user_id}
    httpx.post(f"{webhook}/control/disconnect", json=gone, timeout=10).raise_for_status()
    move = moved(v2_fleet, SmartcarApiVersion.V3)
    states = {step.connection_id: step for step in move.steps.all()}
    assert states[other.pk].state == ConnectionMigrationState.MOVED
    assert states[connection.pk].state == ConnectionMigrationState.STAYED
    assert "t list this vehicle" in str(states[connection.pk].reason)
    connection.refresh_from_db()
    v2_fleet.refresh_from_db()
    assert (connection.api_version, v2_fleet.api_version) == (SmartcarApiVersion.V2, SmartcarApiVersion.V3)
    progress = selectors.get_progress(migration=move)
    assert (progress.total, progress.moved, len(progress.stayed)) == (2, 1, 1)


def test_a_fleet_none_of_whose_cars_can_move_keeps_its_generation(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    gone = {"vehicleId": connection.vehicle.smartcar_id}
    httpx.post(f"{webhook}/control/disconnect", json=gone, timeout=10).raise_for_status()
    move = moved(v2_fleet, SmartcarApiVersion.V3)
    v2_fleet.refresh_from_db()
    assert (move.state, v2_fleet.api_version) == (MigrationState.FINISHED, SmartcarApiVersion.V2)


def test_a_driver_whom_v3_knows_by_another_id_is_found_by_the_car(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    known = connection.smartcar_user_id
    Connection.objects.update(smartcar_user_id="the id of v2")
    page = DriverPortal.objects.create(
        fleet=v2_fleet, smartcar_user_id="the id of v2", driver_name="Dana", secret_hash="x"
    )
    moved(v2_fleet, SmartcarApiVersion.V3)
    connection.refresh_from_db()
    page.refresh_from_db()
    assert (connection.api_version, connection.smartcar_user_id) == (SmartcarApiVersion.V3, known)
    assert page.smartcar_user_id == known


def test_a_missing_user_id_is_asked_of_v2(webhook: str, connection: Connection, v2_fleet: Fleet) -> None:
    known = connection.smartcar_user_id
    Connection.objects.update(smartcar_user_id="")
    moved(v2_fleet, SmartcarApiVersion.V3)
    connection.refresh_from_db()
    assert (connection.api_version, connection.smartcar_user_id) == (SmartcarApiVersion.V3, known)


def test_without_a_token_pair_a_car_cannot_go_back_to_v2(webhook: str, fleet: Fleet, owner: User) -> None:
    (connection,) = connect(webhook, fleet=fleet, user=owner, count=1).connections
    move = moved(fleet, SmartcarApiVersion.V2)
    assert "only the driver can authorize" in str(move.steps.get().reason)
    connection.refresh_from_db()
    fleet.refresh_from_db()
    assert (connection.api_version, fleet.api_version) == (SmartcarApiVersion.V3, SmartcarApiVersion.V3)


def test_a_pair_that_ends_does_not_trouble_a_connection_that_has_moved_on(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    moved(v2_fleet, SmartcarApiVersion.V3)
    from core import encryption

    pair = UserToken.objects.get()
    UserToken.objects.update(refresh_ciphertext=encryption.encrypt("ended"))
    with pytest.raises(Exception, match="invalid_grant"):
        user_tokens.refresh(tokens=pair.reread())
    connection.refresh_from_db()
    assert connection.alive


def test_trouble_at_smartcar_puts_a_car_off_and_switches_nothing(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    move = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    trouble(webhook, serverErrors=1)
    worker.run(migration=move)
    step = move.steps.get()
    assert (step.state, step.attempts) == (ConnectionMigrationState.WAITING, 1)
    assert step.reason
    assert step.next_try_at > timezone.now()
    connection.refresh_from_db()
    assert connection.api_version == SmartcarApiVersion.V2
    httpx.delete(f"{webhook}/control/troubles", timeout=10)
    carry_out(move)
    connection.refresh_from_db()
    assert connection.api_version == SmartcarApiVersion.V3


def test_a_car_that_is_put_off_too_often_stays_with_its_reason(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    trouble(webhook, serverErrors=1)
    move = moved(v2_fleet, SmartcarApiVersion.V3)
    assert move.steps.get().state == ConnectionMigrationState.STAYED
    assert move.steps.get().reason


def test_being_told_to_wait_says_nothing_of_the_car(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    move = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    trouble(webhook, rateLimited=1)
    for _ in range(10):
        worker.run(migration=move)
        ConnectionMigration.objects.update(next_try_at=timezone.now())
    assert (move.steps.get().state, move.steps.get().attempts) == (ConnectionMigrationState.WAITING, 0)


def test_a_subscription_that_is_only_promised_is_waited_for(
    webhook: str, connection: Connection, v2_fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(V3Api, "subscriptions", lambda *_, **__: ())
    move = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    worker.run(migration=move)
    assert move.steps.get().state == ConnectionMigrationState.SUBSCRIBING
    connection.refresh_from_db()
    assert connection.api_version == SmartcarApiVersion.V2


def test_a_move_goes_on_where_a_dead_worker_left_it(
    webhook: str, connection: Connection, v2_fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    with monkeypatch.context() as patched:

        def killed(*_: object) -> None:
            raise SystemExit

        patched.setattr(worker, "_switch", killed)
        with pytest.raises(SystemExit):
            worker.run(migration=move)
    assert move.steps.get().state == ConnectionMigrationState.SUBSCRIBING
    assert worker.due_migrations() == [move]
    carry_out(move)
    connection.refresh_from_db()
    assert connection.api_version == SmartcarApiVersion.V3


def test_a_car_connected_while_the_move_runs_comes_along(
    webhook: str, connection: Connection, v2_fleet: Fleet, owner: User
) -> None:
    move = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    (late,) = connect(webhook, fleet=v2_fleet, user=owner, count=1).connections
    assert late.api_version == SmartcarApiVersion.V2
    carry_out(move)
    assert set(Connection.objects.values_list("api_version", flat=True)) == {SmartcarApiVersion.V3}
    assert move.steps.count() == 2


def test_a_stopped_move_leaves_what_has_moved_and_the_fleet_as_they_are(
    webhook: str, connection: Connection, v2_fleet: Fleet, owner: User
) -> None:
    move = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    assert services.stop_migration(fleet=v2_fleet, actor=owner)
    assert not services.stop_migration(fleet=v2_fleet, actor=owner)
    assert not worker.run(migration=move)
    connection.refresh_from_db()
    v2_fleet.refresh_from_db()
    assert (connection.api_version, v2_fleet.api_version) == (SmartcarApiVersion.V2, SmartcarApiVersion.V2)
    again = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    assert again != move


def test_only_one_move_of_a_fleet_is_under_way(webhook: str, connection: Connection, v2_fleet: Fleet) -> None:
    services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    with pytest.raises(services.CannotStartError, match="in progress"):
        services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)


@pytest.mark.parametrize("missing", ["SMARTCAR_CLIENT_SECRET", "SMARTCAR_WEBHOOK_ID"])
def test_without_credentials_of_the_other_generation_no_move_begins(
    v2_fleet: Fleet, settings: Settings, missing: str
) -> None:
    setattr(settings, missing, "")
    with pytest.raises(services.CannotStartError, match=r"client ID and secret|webhook ID"):
        services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    assert not ApiMigration.objects.exists()


def test_connections_of_other_fleets_are_left_alone(
    webhook: str, connection: Connection, v2_fleet: Fleet, outsider: User
) -> None:
    red = Fleet.objects.get(slug="red")
    red.api_version = SmartcarApiVersion.V2
    red.save()
    (theirs,) = connect(webhook, fleet=red, user=outsider, count=1).connections
    moved(v2_fleet, SmartcarApiVersion.V3)
    theirs.refresh_from_db()
    assert theirs.api_version == SmartcarApiVersion.V2


def test_the_task_carries_the_move_out_and_the_sweeper_takes_it_up(
    webhook: str,
    connection: Connection,
    v2_fleet: Fleet,
    run_enqueued: Callable[[], list[str]],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    from connect.v2 import tasks

    with django_capture_on_commit_callbacks(execute=True):
        move = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    assert services.TASK in run_enqueued()
    deadline = timezone.now() + timedelta(seconds=20)
    move.refresh_from_db()
    while move.state == MigrationState.RUNNING and timezone.now() < deadline:
        ConnectionMigration.objects.update(next_try_at=timezone.now())
        with django_capture_on_commit_callbacks(execute=True):
            tasks.sweep_migrations()
        run_enqueued()
        move.refresh_from_db()
    assert move.state == MigrationState.FINISHED


def test_many_cars_are_looked_up_in_smartcars_lists_and_asked_for_one_by_one_only_where_these_have_gaps(
    webhook: str, v2_fleet: Fleet, owner: User
) -> None:
    for _ in range(4):
        for connection in connect(webhook, fleet=v2_fleet, user=owner, count=1).connections:
            subscribe(connection)
    (late,) = connect(webhook, fleet=v2_fleet, user=owner, count=1).connections
    httpx.delete(f"{webhook}/control/requests", timeout=10)
    move = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    carry_out(move)
    assert set(move.steps.values_list("state", flat=True)) == {ConnectionMigrationState.MOVED}
    asked = httpx.get(f"{webhook}/control/requests", timeout=10).json()["requests"]
    kinds = Counter((request["method"], request["path"].rsplit("/", 1)[-1]) for request in asked)
    # One of each list for all, and once more for the car that was not subscribed yet.
    assert (kinds["GET", "connections"], kinds["POST", "subscriptions"]) == (2, 1)
    assert kinds["GET", "signals"] == 5
    late.refresh_from_db()
    assert late.subscribed_at is not None


def test_without_smartcars_lists_the_cars_are_asked_for_one_by_one(
    webhook: str, v2_fleet: Fleet, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        connect(webhook, fleet=v2_fleet, user=owner, count=1)

    def refused(*_: object, **__: object) -> None:
        raise SmartcarError(type="SERVER", code="INTERNAL", status=500)

    monkeypatch.setattr(V3Api, "all_connections", refused)
    move = moved(v2_fleet, SmartcarApiVersion.V3)
    assert set(move.steps.values_list("state", flat=True)) == {ConnectionMigrationState.MOVED}
