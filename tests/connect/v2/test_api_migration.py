"""Migrating a running fleet between v2 and v3: checked first, switched one by one, reported and resumable."""

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
    (connection,) = connect(webhook, fleet=v2_fleet, user=owner, count=1).connections
    return subscribe(connection)


def run_to_end(migration: ApiMigration) -> None:
    """Runs the migration to its end, without its own pauses, and without those of the limits once a host seems down."""
    for _ in range(60):
        worker.run(migration=migration)
        migration.refresh_from_db()
        if migration.state != MigrationState.RUNNING:
            return
        ConnectionMigration.objects.filter(move=migration).update(next_try_at=timezone.now())
        reset_budget()
    pytest.fail(f"The move does not end: {list(migration.steps.values_list('state', 'reason_code'))}")


def migrate(fleet: Fleet, to: str, actor: User | None = None) -> ApiMigration:
    migration = services.start_migration(fleet=fleet, to=to, actor=actor)
    run_to_end(migration)
    return migration


def set_troubles(smartcar: str, **switches: object) -> None:
    httpx.post(f"{smartcar}/control/troubles", json=switches, timeout=30).raise_for_status()


def can_read(connection: Connection) -> bool:
    connection = Connection.objects.select_related("vehicle", "tokens", "application").get(pk=connection.pk)
    vehicle_id = connection.vehicle.smartcar_id
    gateway.call(
        connection=connection,
        purpose=CallPurpose.PERSON,
        request=lambda api, access: api.attributes(access, vehicle_id=vehicle_id),
    )
    return True


def test_fleet_migrates_to_v3_and_back_without_asking_drivers(
    webhook: str, connection: Connection, v2_fleet: Fleet, owner: User
) -> None:
    httpx.delete(f"{webhook}/control/requests", timeout=10)
    migration = migrate(v2_fleet, SmartcarApiVersion.V3, owner)
    connection.refresh_from_db()
    v2_fleet.refresh_from_db()
    assert (connection.api_version, v2_fleet.api_version) == (SmartcarApiVersion.V3, SmartcarApiVersion.V3)
    assert connection.smartcar_connection_id
    assert connection.subscribed_at is not None
    assert can_read(connection)
    assert migration.steps.get().state == ConnectionMigrationState.MOVED
    migrate(v2_fleet, SmartcarApiVersion.V2, owner)
    connection.refresh_from_db()
    v2_fleet.refresh_from_db()
    assert (connection.api_version, v2_fleet.api_version) == (SmartcarApiVersion.V2, SmartcarApiVersion.V2)
    assert can_read(connection)
    requests = httpx.get(f"{webhook}/control/requests", timeout=10).json()["requests"]
    assert not [request for request in requests if request["path"].startswith("/connect/")]
    events = AuditLogEntry.objects.filter(fleet=v2_fleet, actor=owner).values_list("event", "data__to")
    assert {
        (event, to)
        for event in (AuditEvent.MIGRATION_STARTED, AuditEvent.MIGRATION_FINISHED)
        for to in ("v2", "v3")
    } <= set(events)


def test_status_and_subscription_survive_the_migration(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    Connection.objects.update(state=ConnectionState.ACTIVE)
    migrate(v2_fleet, SmartcarApiVersion.V3)
    connection.refresh_from_db()
    assert connection.state == ConnectionState.ACTIVE
    webhooks = httpx.get(f"{webhook}/control/webhooks", timeout=10).json()["webhooks"]
    assert [each["subscriptions"] for each in webhooks] == [1]


def test_connection_that_v3_does_not_list_is_skipped_and_reported(
    webhook: str, connection: Connection, v2_fleet: Fleet, owner: User
) -> None:
    (other,) = connect(webhook, fleet=v2_fleet, user=owner, count=1).connections
    ended = {"vehicleId": connection.vehicle.smartcar_id, "userId": connection.smartcar_user_id}
    httpx.post(f"{webhook}/control/disconnect", json=ended, timeout=10).raise_for_status()
    migration = migrate(v2_fleet, SmartcarApiVersion.V3)
    states = {step.connection_id: step for step in migration.steps.all()}
    assert states[other.pk].state == ConnectionMigrationState.MOVED
    assert states[connection.pk].state == ConnectionMigrationState.STAYED
    assert "t list this vehicle" in str(states[connection.pk].reason)
    connection.refresh_from_db()
    v2_fleet.refresh_from_db()
    assert (connection.api_version, v2_fleet.api_version) == (SmartcarApiVersion.V2, SmartcarApiVersion.V3)
    progress = selectors.get_progress(migration=migration)
    assert (progress.total, progress.moved, len(progress.stayed)) == (2, 1, 1)


def test_fleet_without_migratable_vehicles_retains_its_api_version(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    ended = {"vehicleId": connection.vehicle.smartcar_id}
    httpx.post(f"{webhook}/control/disconnect", json=ended, timeout=10).raise_for_status()
    migration = migrate(v2_fleet, SmartcarApiVersion.V3)
    v2_fleet.refresh_from_db()
    assert (migration.state, v2_fleet.api_version) == (MigrationState.FINISHED, SmartcarApiVersion.V2)


def test_driver_with_another_id_on_v3_is_found_by_the_vehicle(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    user_id = connection.smartcar_user_id
    Connection.objects.update(smartcar_user_id="the id of v2")
    page = DriverPortal.objects.create(
        fleet=v2_fleet, smartcar_user_id="the id of v2", driver_name="Dana", secret_hash="x"
    )
    migrate(v2_fleet, SmartcarApiVersion.V3)
    connection.refresh_from_db()
    page.refresh_from_db()
    assert (connection.api_version, connection.smartcar_user_id) == (SmartcarApiVersion.V3, user_id)
    assert page.smartcar_user_id == user_id


def test_missing_user_id_is_requested_from_v2(webhook: str, connection: Connection, v2_fleet: Fleet) -> None:
    user_id = connection.smartcar_user_id
    Connection.objects.update(smartcar_user_id="")
    migrate(v2_fleet, SmartcarApiVersion.V3)
    connection.refresh_from_db()
    assert (connection.api_version, connection.smartcar_user_id) == (SmartcarApiVersion.V3, user_id)


def test_connection_without_a_token_pair_cannot_return_to_v2(webhook: str, fleet: Fleet, owner: User) -> None:
    (connection,) = connect(webhook, fleet=fleet, user=owner, count=1).connections
    migration = migrate(fleet, SmartcarApiVersion.V2)
    assert "only the driver can authorize" in str(migration.steps.get().reason)
    connection.refresh_from_db()
    fleet.refresh_from_db()
    assert (connection.api_version, fleet.api_version) == (SmartcarApiVersion.V3, SmartcarApiVersion.V3)


def test_revoked_token_pair_does_not_affect_a_migrated_connection(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    migrate(v2_fleet, SmartcarApiVersion.V3)
    from core import encryption

    pair = UserToken.objects.get()
    UserToken.objects.update(refresh_ciphertext=encryption.encrypt("ended"))
    with pytest.raises(Exception, match="invalid_grant"):
        user_tokens.refresh(tokens=pair.reread())
    connection.refresh_from_db()
    assert connection.alive


def test_failure_at_smartcar_postpones_a_connection_and_switches_nothing(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    migration = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    set_troubles(webhook, serverErrors=1)
    worker.run(migration=migration)
    step = migration.steps.get()
    assert (step.state, step.attempts) == (ConnectionMigrationState.WAITING, 1)
    assert step.reason
    assert step.next_try_at > timezone.now()
    connection.refresh_from_db()
    assert connection.api_version == SmartcarApiVersion.V2
    httpx.delete(f"{webhook}/control/troubles", timeout=10)
    run_to_end(migration)
    connection.refresh_from_db()
    assert connection.api_version == SmartcarApiVersion.V3


def test_connection_that_is_postponed_too_often_is_skipped_with_its_reason(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    set_troubles(webhook, serverErrors=1)
    migration = migrate(v2_fleet, SmartcarApiVersion.V3)
    assert migration.steps.get().state == ConnectionMigrationState.STAYED
    assert migration.steps.get().reason


def test_rate_limit_is_not_counted_against_the_connection(
    webhook: str, connection: Connection, v2_fleet: Fleet
) -> None:
    migration = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    set_troubles(webhook, rateLimited=1)
    for _ in range(10):
        worker.run(migration=migration)
        ConnectionMigration.objects.update(next_try_at=timezone.now())
    assert (migration.steps.get().state, migration.steps.get().attempts) == (
        ConnectionMigrationState.WAITING,
        0,
    )


def test_unconfirmed_subscription_is_waited_for(
    webhook: str, connection: Connection, v2_fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(V3Api, "subscriptions", lambda *_, **__: ())
    migration = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    worker.run(migration=migration)
    assert migration.steps.get().state == ConnectionMigrationState.SUBSCRIBING
    connection.refresh_from_db()
    assert connection.api_version == SmartcarApiVersion.V2


def test_migration_resumes_where_a_dead_worker_left_it(
    webhook: str, connection: Connection, v2_fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    with monkeypatch.context() as patched:

        def killed(*_: object) -> None:
            raise SystemExit

        patched.setattr(worker, "_switch", killed)
        with pytest.raises(SystemExit):
            worker.run(migration=migration)
    assert migration.steps.get().state == ConnectionMigrationState.SUBSCRIBING
    assert worker.due_migrations() == [migration]
    run_to_end(migration)
    connection.refresh_from_db()
    assert connection.api_version == SmartcarApiVersion.V3


def test_vehicle_connected_during_the_migration_is_included(
    webhook: str, connection: Connection, v2_fleet: Fleet, owner: User
) -> None:
    migration = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    (late,) = connect(webhook, fleet=v2_fleet, user=owner, count=1).connections
    assert late.api_version == SmartcarApiVersion.V2
    run_to_end(migration)
    assert set(Connection.objects.values_list("api_version", flat=True)) == {SmartcarApiVersion.V3}
    assert migration.steps.count() == 2


def test_stopped_migration_leaves_migrated_connections_and_the_fleet_unchanged(
    webhook: str, connection: Connection, v2_fleet: Fleet, owner: User
) -> None:
    migration = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    assert services.stop_migration(fleet=v2_fleet, actor=owner)
    assert not services.stop_migration(fleet=v2_fleet, actor=owner)
    assert not worker.run(migration=migration)
    connection.refresh_from_db()
    v2_fleet.refresh_from_db()
    assert (connection.api_version, v2_fleet.api_version) == (SmartcarApiVersion.V2, SmartcarApiVersion.V2)
    second = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    assert second != migration


def test_only_one_migration_of_a_fleet_can_run(webhook: str, connection: Connection, v2_fleet: Fleet) -> None:
    services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    with pytest.raises(services.CannotStartError, match="in progress"):
        services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)


@pytest.mark.parametrize("missing", ["SMARTCAR_CLIENT_SECRET", "SMARTCAR_WEBHOOK_ID"])
def test_no_migration_without_credentials_of_the_other_api_version(
    v2_fleet: Fleet, settings: Settings, missing: str
) -> None:
    setattr(settings, missing, "")
    with pytest.raises(services.CannotStartError, match=r"client ID and secret|webhook ID"):
        services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    assert not ApiMigration.objects.exists()


def test_connections_of_other_fleets_are_unchanged(
    webhook: str, connection: Connection, v2_fleet: Fleet, outsider: User
) -> None:
    red = Fleet.objects.get(slug="red")
    red.api_version = SmartcarApiVersion.V2
    red.save()
    (other,) = connect(webhook, fleet=red, user=outsider, count=1).connections
    migrate(v2_fleet, SmartcarApiVersion.V3)
    other.refresh_from_db()
    assert other.api_version == SmartcarApiVersion.V2


def test_task_runs_the_migration_and_the_sweeper_resumes_it(
    webhook: str,
    connection: Connection,
    v2_fleet: Fleet,
    run_enqueued: Callable[[], list[str]],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    from connect.v2 import tasks

    with django_capture_on_commit_callbacks(execute=True):
        migration = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    assert services.TASK in run_enqueued()
    deadline = timezone.now() + timedelta(seconds=20)
    migration.refresh_from_db()
    while migration.state == MigrationState.RUNNING and timezone.now() < deadline:
        ConnectionMigration.objects.update(next_try_at=timezone.now())
        with django_capture_on_commit_callbacks(execute=True):
            tasks.sweep_migrations()
        run_enqueued()
        migration.refresh_from_db()
    assert migration.state == MigrationState.FINISHED


def test_lists_are_fetched_once_and_only_missing_vehicles_individually(
    webhook: str, v2_fleet: Fleet, owner: User
) -> None:
    for _ in range(4):
        for connection in connect(webhook, fleet=v2_fleet, user=owner, count=1).connections:
            subscribe(connection)
    (late,) = connect(webhook, fleet=v2_fleet, user=owner, count=1).connections
    httpx.delete(f"{webhook}/control/requests", timeout=10)
    migration = services.start_migration(fleet=v2_fleet, to=SmartcarApiVersion.V3, actor=None)
    run_to_end(migration)
    assert set(migration.steps.values_list("state", flat=True)) == {ConnectionMigrationState.MOVED}
    requests = httpx.get(f"{webhook}/control/requests", timeout=10).json()["requests"]
    kinds = Counter((request["method"], request["path"].rsplit("/", 1)[-1]) for request in requests)
    # One request of each list for all, and one more for the vehicle that wasn't subscribed yet.
    assert (kinds["GET", "connections"], kinds["POST", "subscriptions"]) == (2, 1)
    assert kinds["GET", "signals"] == 5
    late.refresh_from_db()
    assert late.subscribed_at is not None


def test_vehicles_are_requested_individually_without_smartcars_lists(
    webhook: str, v2_fleet: Fleet, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        connect(webhook, fleet=v2_fleet, user=owner, count=1)

    def refused(*_: object, **__: object) -> None:
        raise SmartcarError(type="SERVER", code="INTERNAL", status=500)

    monkeypatch.setattr(V3Api, "all_connections", refused)
    migration = migrate(v2_fleet, SmartcarApiVersion.V3)
    assert set(migration.steps.values_list("state", flat=True)) == {ConnectionMigrationState.MOVED}
