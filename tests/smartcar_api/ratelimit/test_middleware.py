"""Complete calls: through the gateway, the rate limit and the transport, to a Smartcar that has limits."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import applications, gateway, token_store
from connect.gateway import CallPurpose
from connect.models import Connection
from connect.usage import quota
from connect.usage.models import FleetAllowance, VehicleUsage
from connect.v2 import user_tokens
from smartcar_api import SmartcarError
from smartcar_api.ratelimit import breaker, cooldowns, counters, limiter
from smartcar_api.ratelimit.cooldowns import CooldownScope
from smartcar_api.v2.client import FLEET_PATHS, paths_granted
from tests.smartcar import connect
from tests.smartcar_api.ratelimit.conftest import Limit
from webhooks import polling

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[SmartcarApiVersion.V3, SmartcarApiVersion.V2])
def api_version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connection(smartcar: str, fleet: Fleet, owner: User, api_version: str) -> Connection:
    fleet.api_version = api_version
    fleet.save()
    (created,) = connect(smartcar, fleet=fleet, user=owner, make="TESLA", count=1).connections[:1]
    return Connection.objects.select_related("vehicle", "tokens", "application", "fleet").get(pk=created.pk)


def control(smartcar: str, what: str, **body: Any) -> None:
    httpx.post(f"{smartcar}/control/{what}", json=body, timeout=10).raise_for_status()


def count_requests(smartcar: str, path: str) -> int:
    """Returns the number of requests with this path that the simulator received."""
    requests = httpx.get(f"{smartcar}/control/requests", params={"path": path}, timeout=10).json()["requests"]
    return len(requests)


def read(connection: Connection, purpose: CallPurpose) -> None:
    vehicle_id = connection.vehicle.smartcar_id
    gateway.call(
        connection=connection,
        purpose=purpose,
        request=lambda api, access: api.read(access, vehicle_id=vehicle_id),
    )


def send_command(connection: Connection) -> None:
    """Makes a call with the priority of a command. Reads, so that the answer comes at once."""
    prepared = gateway.prepare(connection=connection, purpose=CallPurpose.COMMAND)
    prepared.send(lambda api, access: api.read(access, vehicle_id=connection.vehicle.smartcar_id))


def lock(connection: Connection) -> None:
    """Sends a command, which may be rejected because the vehicle is driving."""
    prepared = gateway.prepare(connection=connection, purpose=CallPurpose.COMMAND)
    try:
        prepared.send(lambda api, access: api.lock(access, vehicle_id=connection.vehicle.smartcar_id))
    except SmartcarError as error:
        if error.type != "VEHICLE_STATE":
            raise


def catch_error(call: Callable[[], object]) -> SmartcarError:
    with pytest.raises(SmartcarError) as caught:
        call()
    return caught.value


def background_reads_until_deferred(connection: Connection) -> int:
    for number in range(200):
        try:
            read(connection, CallPurpose.BACKGROUND)
        except SmartcarError as error:
            assert error.deferred, error
            return number
    raise AssertionError("nothing was put off")


def test_background_reads_stop_at_their_share_while_users_and_commands_continue(
    connection: Connection, smartcar: str, limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "COMMAND_WAIT_SECONDS", 0)
    token_store.access(connection=connection)
    limit(20)
    assert background_reads_until_deferred(connection) == 10
    for _ in range(5):
        read(connection, CallPurpose.PERSON)
    error = catch_error(lambda: read(connection, CallPurpose.PERSON))
    assert (error.code, error.deferred, error.permanent) == ("NO_ROOM", True, False)
    assert error.retry_after
    assert error.retry_after > 60
    before = count_requests(smartcar, "")
    for _ in range(5):
        send_command(connection)
    assert catch_error(lambda: send_command(connection)).code == "NO_ROOM"
    assert count_requests(smartcar, "") == before + 5, "what is put off is not sent"


def test_token_is_refreshed_after_reads_have_used_their_share(
    smartcar: str, fleet: Fleet, owner: User, limit: Limit
) -> None:
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    (created,) = connect(smartcar, fleet=fleet, user=owner, make="TESLA", count=1).connections[:1]
    connection = Connection.objects.select_related("vehicle", "tokens", "application").get(pk=created.pk)
    limit(20)
    background_reads_until_deferred(connection)
    assert connection.tokens is not None
    version = connection.tokens.reread().version
    with gateway.purpose(CallPurpose.BACKGROUND):
        assert user_tokens.refresh(tokens=connection.tokens).version == version + 1


def test_command_waits_a_few_seconds_for_capacity(connection: Connection, limit: Limit) -> None:
    token_store.access(connection=connection)
    limit(1, per_minute=60)
    send_command(connection)
    send_command(connection)


def test_background_work_with_patience_waits_for_capacity(connection: Connection, limit: Limit) -> None:
    api = applications.for_connection(connection).api(connection.api_version)
    access = token_store.access(connection=connection)
    vehicle_id = connection.vehicle.smartcar_id
    limit(2, per_minute=120)
    with gateway.purpose(CallPurpose.BACKGROUND, patience=5):
        for _ in range(3):
            api.attributes(access, vehicle_id=vehicle_id)
    with gateway.purpose(CallPurpose.BACKGROUND):
        assert catch_error(lambda: api.attributes(access, vehicle_id=vehicle_id)).deferred


def test_several_threads_never_reach_smartcars_limit(
    connection: Connection, smartcar: str, limit: Limit
) -> None:
    token_store.access(connection=connection)
    control(smartcar, "limits", requestBucket=30, requestRefill=0.01)
    limit(30)
    outcomes: list[str] = []

    api = applications.for_connection(connection).api(connection.api_version)
    access = token_store.access(connection=connection)

    def read_repeatedly() -> None:
        for _ in range(15):
            try:
                with gateway.purpose(CallPurpose.PERSON):
                    api.read(access, vehicle_id=connection.vehicle.smartcar_id)
                outcomes.append("answered")
            except SmartcarError as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=read_repeatedly) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("answered") == 22, "three quarters of 30"
    assert set(outcomes) == {"answered", "NO_ROOM"}, "Smartcar itself refused nothing"


def test_smartcars_cooldown_of_a_vehicle_is_applied_before_sending(
    connection: Connection, smartcar: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "COMMAND_WAIT_SECONDS", 0)
    control(smartcar, "limits", vehicleBucket=1, vehicleRefill=0.5)
    lock(connection)
    first = catch_error(lambda: lock(connection))
    assert (first.type, first.code, first.status) == ("RATE_LIMIT", "VEHICLE", 429)
    before = count_requests(smartcar, "")
    for call in (lambda: lock(connection), lambda: read(connection, CallPurpose.PERSON)):
        error = catch_error(call)
        assert error.code == "CAR_RESTS"
        assert error.retry_after
        assert 60 < error.retry_after <= (first.retry_after or 0)
    assert count_requests(smartcar, "") == before


def test_other_vehicles_continue_during_a_cooldown(
    connection: Connection, smartcar: str, owner: User
) -> None:
    cooldowns.start(CooldownScope("car", connection.vehicle.smartcar_id), seconds=60)
    other = connect(smartcar, fleet=connection.fleet, user=owner, make="FORD", count=1).connections[0]
    read(Connection.objects.select_related("vehicle", "tokens").get(pk=other.pk), CallPurpose.BACKGROUND)


def test_a_429_for_the_application_stops_all_calls(
    connection: Connection, smartcar: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "COMMAND_WAIT_SECONDS", 0)
    token_store.access(connection=connection)
    control(smartcar, "limits", requestBucket=1, requestRefill=0.5)
    read(connection, CallPurpose.BACKGROUND)
    assert catch_error(lambda: read(connection, CallPurpose.PERSON)).status == 429
    assert catch_error(lambda: read(connection, CallPurpose.PERSON)).code == "NO_ROOM"
    assert catch_error(lambda: send_command(connection)).code == "NO_ROOM"


def test_reads_pause_until_the_next_month_when_the_plan_is_exhausted(
    connection: Connection, smartcar: str
) -> None:
    control(smartcar, "limits", monthlyLimit=1)
    lock(connection)
    assert catch_error(lambda: lock(connection)).code == "VEHICLE_REQUEST_LIMIT"
    error = catch_error(lambda: read(connection, CallPurpose.BACKGROUND))
    assert error.code == "CAR_RESTS"
    assert error.retry_after
    turn = quota.next_month(timezone.now())
    assert abs(timezone.now() + timedelta(seconds=error.retry_after) - turn) < timedelta(seconds=30)
    control(smartcar, "limits", monthlyLimit=0)  # a larger plan
    lock(connection)
    read(connection, CallPurpose.PERSON)


def test_calls_are_counted_by_purpose(connection: Connection, api_version: str) -> None:
    send_command(connection)
    send_command(connection)
    polling.fetch_now(connection=connection, purpose=CallPurpose.PERSON)
    (counted,) = [quota.vehicle_usage(vehicle=connection.vehicle, month=quota.billing_month(timezone.now()))]
    commanded = fetched = 1
    if api_version == SmartcarApiVersion.V2:  # Each path of a v2 batch is billed.
        commanded, fetched = len(FLEET_PATHS), len(paths_granted(frozenset(connection.scopes)))
    assert (counted.command, counted.person) == (2 * commanded, fetched)
    assert counted.background == 0


def test_calls_rejected_by_smartcars_limits_are_not_counted(connection: Connection, smartcar: str) -> None:
    control(smartcar, "troubles", answerWith="RATE_LIMIT:VEHICLE")
    assert catch_error(lambda: lock(connection)).status == 429
    assert not VehicleUsage.objects.exists()


def test_vehicle_over_the_monthly_limit_is_read_only_by_users(connection: Connection) -> None:
    FleetAllowance.objects.create(fleet=connection.fleet, calls=10)
    month = quota.billing_month(timezone.now())
    VehicleUsage.objects.create(vehicle=connection.vehicle, month=month, purpose=CallPurpose.PERSON, calls=10)
    error = catch_error(lambda: read(connection, CallPurpose.BACKGROUND))
    assert (error.code, error.deferred) == ("NO_ALLOWANCE", True)
    assert "Commands" in error.user_message
    read(connection, CallPurpose.PERSON)
    send_command(connection)


def test_calls_of_the_previous_month_do_not_count(connection: Connection) -> None:
    FleetAllowance.objects.create(fleet=connection.fleet, calls=10)
    before = quota.billing_month(timezone.now().replace(day=1) - timedelta(days=1))
    VehicleUsage.objects.create(
        vehicle=connection.vehicle, month=before, purpose=CallPurpose.PERSON, calls=10
    )
    read(connection, CallPurpose.BACKGROUND)


def test_calls_fail_at_once_while_the_host_is_down_until_a_probe_succeeds(
    connection: Connection, smartcar: str, monkeypatch: pytest.MonkeyPatch, api_version: str
) -> None:
    token_store.access(connection=connection)
    control(smartcar, "troubles", lostAnswers=1)
    for _ in range(breaker.FAILURES):
        assert catch_error(lambda: read(connection, CallPurpose.PERSON)).code == "BROKEN"
    before = count_requests(smartcar, "")
    error = catch_error(lambda: send_command(connection))
    assert (error.code, error.deferred, error.outcome_unknown) == ("HOST_DOWN", True, False)
    assert "nothing was sent" in error.user_message
    assert count_requests(smartcar, "") == before

    httpx.delete(f"{smartcar}/control/troubles", timeout=10)
    host = gateway._target(connection).origin
    monkeypatch.setattr(breaker.for_host(host).circuit, "reset_timeout", 0)
    read(connection, CallPurpose.PERSON)
    send_command(connection)


def test_unavailable_manufacturer_does_not_stop_other_vehicles(connection: Connection, smartcar: str) -> None:
    control(smartcar, "troubles", answerWith="UPSTREAM:NO_RESPONSE")
    for _ in range(breaker.FAILURES + 2):
        assert catch_error(lambda: lock(connection)).type == "UPSTREAM"


def test_calls_continue_without_redis(connection: Connection, settings: Settings, limit: Limit) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    limit(40)
    token_store.access(connection=connection)
    send_command(connection)
    read(connection, CallPurpose.PERSON)


def test_requests_are_counted_by_host_and_outcome(
    connection: Connection, api_version: str, limit: Limit
) -> None:
    send_command(connection)
    limit(1)
    background_reads_until_deferred(connection)
    host = "vehicle" if api_version == SmartcarApiVersion.V3 else "api"
    counts = counters.read_all()
    assert counts[host, "2xx", "command"] == 1
    assert counts[host, "NO_ROOM", "background"] == 1
