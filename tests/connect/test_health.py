"""Incoming evidence and its effect on connections: status, log and pending issues."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import health, tasks
from connect.models import Connection, ConnectionState, PendingIssue, Transition
from connect.status import monitor, state_machine
from connect.status.state_machine import ACCOUNT, REQUESTS_USED_UP
from smartcar_api import SmartcarError
from tests.connect.control import switch
from tests.smartcar import connect as connect_car
from tests.webhooks.helpers import post, state_of
from vehicles.models import Vehicle
from webhooks import processing
from webhooks import tasks as webhook_tasks

pytestmark = pytest.mark.django_db
State = ConnectionState
AT = 1_760_000_000_000
Run = Callable[[], list[str]]


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    return create_connection(vehicle, "user-1")


def create_connection(vehicle: Vehicle, user_id: str, state: ConnectionState = State.ACTIVE) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id=user_id,
        api_version=SmartcarApiVersion.V3,
        mode="live",
        state=state,
        state_since=timezone.now() - timedelta(hours=1),
    )


def report_error(vehicle: Vehicle, *errors: dict[str, Any], event_id: str, user_id: str = "user-1") -> None:
    """Processes a VEHICLE_ERROR delivery."""
    event = {
        "eventId": event_id,
        "eventType": "VEHICLE_ERROR",
        "data": {"user": {"id": user_id}, "vehicle": {"id": vehicle.smartcar_id}, "errors": list(errors)},
        "meta": {"version": "4.0", "deliveryId": "d", "deliveredAt": AT, "mode": "LIVE"},
    }
    post(json.dumps(event).encode())
    processing.process_waiting()


def error(code: str = "AUTHENTICATION_FAILED", *, state: str = "ERROR", **more: Any) -> dict[str, Any]:
    return {
        "type": ACCOUNT,
        "code": code,
        "state": state,
        "resolution": {"type": "REAUTHENTICATE", "url": "https://connect.smartcar.com/x"},
        **more,
    }


def deliver(vehicle: Vehicle, *, event_id: str, minute: int = 0, user_id: str = "user-1") -> None:
    """Processes a VEHICLE_STATE delivery with a new value."""
    body = json.loads(
        state_of(vehicle.smartcar_id, event_id=event_id, locked=bool(minute % 2), at=AT + minute * 60_000)
    )
    body["data"]["user"]["id"] = user_id
    post(json.dumps(body).encode())
    processing.process_waiting()


def refused(code: str = "AUTHENTICATION_FAILED", type_: str = ACCOUNT, **more: Any) -> SmartcarError:
    return SmartcarError(type=type_, code=code, request_id="r-1", **({"status": 400} | more))


def reload(connection: Connection) -> str:
    connection.refresh_from_db()
    return connection.state


def test_one_event_changes_nothing_and_triggers_a_probe(
    vehicle: Vehicle, connection: Connection, run_enqueued: Run, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        report_error(vehicle, error(), event_id="e-1")
    assert reload(connection) == State.ACTIVE
    assert not Transition.objects.exists()
    assert "connect.tasks.probe_connection" in run_enqueued()


def test_event_and_rejected_call_are_confirmed_and_logged_with_their_evidence(
    vehicle: Vehicle, connection: Connection
) -> None:
    report_error(vehicle, error(), event_id="e-1")
    health.on_call_failed(connection=connection, error=refused(), now=timezone.now())
    assert reload(connection) == State.NEEDS_REAUTHENTICATION
    assert "password" in connection.state_reason
    entry = Transition.objects.get()
    assert (entry.from_state, entry.to_state, entry.evidence) == (
        State.ACTIVE,
        connection.state,
        "request r-1",
    )
    assert entry.at == connection.state_since
    assert not PendingIssue.objects.exists()


def test_event_provides_the_address_for_signing_in_again(vehicle: Vehicle, connection: Connection) -> None:
    report_error(vehicle, error(), event_id="e-1")
    health.on_call_failed(connection=connection, error=refused(), now=timezone.now())
    assert reload(connection) == State.NEEDS_REAUTHENTICATION
    assert connection.resolution_url == "https://connect.smartcar.com/x"


def test_fresh_data_restores_the_connection_and_clears_pending_issues(
    vehicle: Vehicle, connection: Connection
) -> None:
    report_error(vehicle, error(), event_id="e-1")
    deliver(vehicle, event_id="s-1")
    assert not PendingIssue.objects.exists()
    connection.move_to(State.NEEDS_REAUTHENTICATION, now=timezone.now())
    deliver(vehicle, event_id="s-2", minute=1)
    assert reload(connection) == State.ACTIVE
    assert Transition.objects.first() is not None
    assert Transition.objects.all()[0].evidence == "new data"


def test_resolved_event_restores_the_connection(vehicle: Vehicle, connection: Connection) -> None:
    report_error(vehicle, error("SUBSCRIPTION"), event_id="e-1")
    health.on_call_failed(connection=connection, error=refused("SUBSCRIPTION"), now=timezone.now())
    assert reload(connection) == State.SUBSCRIPTION_NEEDED
    report_error(vehicle, error("AUTHENTICATION_FAILED", state="RESOLVED"), event_id="e-2")
    assert reload(connection) == State.SUBSCRIPTION_NEEDED
    report_error(vehicle, error("SUBSCRIPTION", state="RESOLVED"), event_id="e-3")
    assert reload(connection) == State.ACTIVE


def test_permission_error_of_one_signal_does_not_affect_the_connection(
    vehicle: Vehicle, connection: Connection
) -> None:
    for number in range(3):
        refusal = {
            "type": "PERMISSION",
            "code": None,
            "state": "ERROR",
            "signals": ["Location.PreciseLocation"],
        }
        report_error(vehicle, refusal, event_id=f"e-{number}")
    assert reload(connection) == State.ACTIVE
    assert not PendingIssue.objects.exists()


def test_read_without_any_value_confirms_an_event(vehicle: Vehicle, connection: Connection) -> None:
    report_error(vehicle, error(), event_id="e-1")
    failed = json.loads(state_of(vehicle.smartcar_id, event_id="s-1", locked=True, at=AT))
    failed["data"]["signals"][0]["status"] = {
        "value": "ERROR",
        "error": {"type": ACCOUNT, "code": "AUTHENTICATION_FAILED"},
    }
    post(json.dumps(failed).encode())
    processing.process_waiting()
    assert reload(connection) == State.NEEDS_REAUTHENTICATION


def test_errors_of_one_driver_do_not_affect_other_drivers_of_the_vehicle(
    vehicle: Vehicle, connection: Connection
) -> None:
    other = create_connection(vehicle, "user-2")
    report_error(vehicle, error(), event_id="e-1", user_id="user-2")
    health.on_call_failed(connection=other, error=refused(), now=timezone.now())
    assert (reload(connection), reload(other)) == (State.ACTIVE, State.NEEDS_REAUTHENTICATION)
    deliver(vehicle, event_id="s-1", user_id="user-1")
    assert reload(other) == State.NEEDS_REAUTHENTICATION
    deliver(vehicle, event_id="s-2", minute=1, user_id="user-2")
    assert reload(other) == State.ACTIVE


@pytest.mark.parametrize("state", [State.REVOKED, State.REMOVED])
def test_terminated_connection_is_not_restored_by_data(
    vehicle: Vehicle, connection: Connection, state: ConnectionState
) -> None:
    other = create_connection(vehicle, "user-2")
    connection.move_to(state, now=timezone.now())
    deliver(vehicle, event_id="s-1", user_id="user-2")
    health.on_data(received={(vehicle.pk, "user-1"): timezone.now()})
    health.on_call_failed(connection=connection, error=refused(), now=timezone.now())
    assert (reload(connection), reload(other)) == (state, State.ACTIVE)


def test_healthy_vehicles_cost_one_query_regardless_of_their_number(fleet: Fleet) -> None:
    received = {}
    for number in range(200):
        vehicle = Vehicle(fleet=fleet, smartcar_id=f"car-{number}")
        vehicle.save()
        create_connection(vehicle, "user-1")
        received[vehicle.pk, "user-1"] = timezone.now()
    with CaptureQueriesContext(
        database,
    ) as queries:
        health.on_data(received=received)
    statements = [each["sql"] for each in queries if "SAVEPOINT" not in each["sql"]]
    assert len(statements) == 1


def test_two_hundred_first_deliveries_cost_a_handful_of_queries(fleet: Fleet) -> None:
    received = {}
    for number in range(200):
        vehicle = Vehicle(fleet=fleet, smartcar_id=f"car-{number}")
        vehicle.save()
        create_connection(vehicle, "user-1", State.PENDING)
        received[vehicle.pk, "user-1"] = timezone.now()
    with CaptureQueriesContext(database) as queries:
        health.on_data(received=received)
    statements = [each["sql"] for each in queries if "SAVEPOINT" not in each["sql"]]
    assert len(statements) <= 4
    assert Connection.objects.filter(state=State.ACTIVE).count() == Transition.objects.count() == 200


def test_plan_limit_does_not_block_calls_and_ends_with_a_successful_call(connection: Connection) -> None:
    limit = refused("VEHICLE_LIMIT", "BILLING", status=430)
    health.on_call_failed(connection=connection, error=limit, now=timezone.now())
    assert reload(connection) == State.PLAN_LIMIT
    assert connection.alive
    health.on_call_succeeded(connection=connection, now=timezone.now())
    assert reload(connection) == State.ACTIVE


def test_rejected_application_token_is_not_attributed_to_the_driver(connection: Connection) -> None:
    for minutes in (0, 20, 40):
        health.on_call_failed(
            connection=connection,
            error=refused("UNAUTHORIZED", "AUTHENTICATION", status=401),
            now=timezone.now() + timedelta(minutes=minutes),
        )
    assert reload(connection) == State.ACTIVE
    assert not PendingIssue.objects.exists()


def test_calls_use_the_connection_with_the_best_status(vehicle: Vehicle, connection: Connection) -> None:
    second = create_connection(vehicle, "user-2")
    assert health.best_connection(vehicle_id=vehicle.pk) == second
    second.move_to(State.PERMISSION_MISSING, now=timezone.now())
    assert health.best_connection(vehicle_id=vehicle.pk) == connection
    connection.move_to(State.NEEDS_REAUTHENTICATION, now=timezone.now())
    assert health.best_connection(vehicle_id=vehicle.pk) == second
    second.move_to(State.REVOKED, now=timezone.now())
    assert health.best_connection(vehicle_id=vehicle.pk) is None


# Tasks that beat runs.


def later(hours: float) -> datetime:
    return timezone.now() + timedelta(hours=hours)


def test_missing_data_is_detected_once(vehicle: Vehicle, connection: Connection) -> None:
    Vehicle.objects.update(last_seen_at=timezone.now())
    monitor.monitor_connections(now=later(47))
    assert reload(connection) == State.ACTIVE
    for _ in range(2):
        monitor.monitor_connections(now=later(49))
    assert reload(connection) == State.STALE
    assert connection.alive
    assert Transition.objects.count() == 1
    deliver(vehicle, event_id="s-1")
    assert reload(connection) == State.ACTIVE


def test_vehicle_that_never_delivered_becomes_stale_too(vehicle: Vehicle) -> None:
    waiting = create_connection(vehicle, "user-1", State.PENDING)
    monitor.monitor_connections(now=later(49))
    assert reload(waiting) == State.STALE


def test_error_followed_by_no_data_is_confirmed(vehicle: Vehicle, connection: Connection) -> None:
    report_error(vehicle, error(), event_id="e-1")
    monitor.monitor_connections(now=later(11))
    assert reload(connection) == State.ACTIVE
    monitor.monitor_connections(now=later(13))
    assert reload(connection) == State.NEEDS_REAUTHENTICATION
    assert Transition.objects.get().evidence == "event e-1, then no data"


def test_new_month_ends_the_request_limit(connection: Connection) -> None:
    used_up = refused("VEHICLE_REQUEST_LIMIT", "BILLING", status=430)
    health.on_call_failed(connection=connection, error=used_up, now=datetime(2026, 11, 20, tzinfo=UTC))
    assert reload(connection) == State.PLAN_LIMIT
    assert connection.state_error == REQUESTS_USED_UP
    monitor.monitor_connections(now=datetime(2026, 11, 21, tzinfo=UTC))
    assert reload(connection) == State.PLAN_LIMIT
    monitor.monitor_connections(now=datetime(2026, 12, 1, 0, 1, tzinfo=UTC))
    assert reload(connection) == State.ACTIVE


def test_connection_with_a_problem_is_probed_once_a_day(connection: Connection) -> None:
    connection.move_to(State.NEEDS_REAUTHENTICATION, now=timezone.now())
    assert monitor.due_probes(now=later(23)) == []
    assert monitor.due_probes(now=later(25)) == [connection.pk]
    assert monitor.due_probes(now=later(25)) == []
    assert monitor.due_probes(now=later(50)) == [connection.pk]


def test_terminated_connection_is_not_probed(connection: Connection) -> None:
    connection.move_to(State.REVOKED, now=timezone.now())
    assert monitor.due_probes(now=later(100)) == []


# Against the simulator.

both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])


def connected(smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion) -> Connection:
    fleet.api_version = api_version
    fleet.save()
    (connection,) = connect_car(smartcar, fleet=fleet, user=owner, count=1).connections
    connection.move_to(State.ACTIVE, now=timezone.now() - timedelta(hours=1))
    return connection


@both
def test_vehicle_that_smartcar_still_lists_is_not_revoked_after_a_404(
    smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    made = connected(smartcar, fleet, owner, api_version)
    errors = refused("NOT_FOUND", "RESOURCE_NOT_FOUND", status=404)
    health.on_call_failed(connection=made, error=errors, now=timezone.now())
    assert PendingIssue.objects.get().state == State.REVOKED
    tasks.probe_connection(made.pk)
    assert reload(made) == State.ACTIVE
    assert not PendingIssue.objects.exists()


def test_vehicle_that_smartcar_no_longer_lists_is_revoked(smartcar: str, fleet: Fleet, owner: User) -> None:
    made = connected(smartcar, fleet, owner, SmartcarApiVersion.V3)
    switch(smartcar, "disconnect", vehicleId=made.vehicle.smartcar_id)
    gone = refused("NOT_FOUND", "RESOURCE_NOT_FOUND", status=404)
    health.on_call_failed(connection=made, error=gone, now=timezone.now())
    tasks.probe_connection(made.pk)
    assert reload(made) == State.REVOKED
    assert Transition.objects.first() is not None
    assert Transition.objects.all()[0].evidence == "Smartcar's connection list"


def test_list_is_requested_again_if_it_was_not_available(connection: Connection) -> None:
    PendingIssue.objects.create(
        connection=connection,
        state=State.REVOKED,
        error=state_machine.GONE,
        source="call",
        since=timezone.now(),
    )
    assert monitor.due_probes(now=timezone.now()) == []
    assert monitor.due_probes(now=later(1)) == [connection.pk]


def test_on_v2_one_event_and_the_following_read_are_sufficient(
    smartcar: str,
    fleet: Fleet,
    owner: User,
    run_enqueued: Run,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """The whole chain: an event, the probe, a read through the API, the inbox, the status."""
    made = connected(smartcar, fleet, owner, SmartcarApiVersion.V2)
    switch(smartcar, "troubles", reauthenticate=[made.vehicle.smartcar_id])
    with django_capture_on_commit_callbacks(execute=True):
        report_error(made.vehicle, error(), event_id="e-1", user_id=made.smartcar_user_id)
    with django_capture_on_commit_callbacks(execute=True):
        run_enqueued()
    with django_capture_on_commit_callbacks(execute=True):
        webhook_tasks.fetch_due()
    with django_capture_on_commit_callbacks(execute=True):
        run_enqueued()
    processing.process_waiting()
    assert reload(made) == State.NEEDS_REAUTHENTICATION
