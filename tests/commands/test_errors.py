"""Every documented error on every command and API version: the right status, a plain message, and sent once.

The errors are those of Smartcar's documentation, "API Errors", and for v3 those that the wire sheet adds.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from commands import confirmation, sender, services
from commands.models import Command, CommandState
from commands.types import IDEMPOTENT, V3_ONLY, CommandType
from connect import applications
from connect.models import ApplicationToken, Connection, UserToken
from tests.connect.v2.test_api_migration_soak import point_at
from tests.simulator.process import NO_LIMITS
from tests.simulator.process import simulator as started
from tests.smartcar import connect, reset, reset_budget
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
V2, V3 = SmartcarApiVersion.V2, SmartcarApiVersion.V3
# One client for all tests, because creating one takes longer than most commands here.
CONTROL = httpx.Client(timeout=30, trust_env=False)

PLACE: dict[str, object] = {"latitude": 37.77, "longitude": -122.42}
PARAMETERS: dict[CommandType, dict[str, object]] = {
    CommandType.SET_CHARGE_LIMIT: {"percent": 70},
    CommandType.SET_DESTINATION: PLACE,
    CommandType.SET_CHARGE_SCHEDULE: {**PLACE, "type": "daily", "windows": {"every_day": ["22:00", "06:00"]}},
    CommandType.DELETE_CHARGE_SCHEDULE: {"schedule_id": "s-1"},
}
COMMON = {
    400: {
        "VALIDATION": ["", "PARAMETER"],
        "CONNECTED_SERVICES_ACCOUNT": [
            "ACCOUNT_ISSUE",
            "AUTHENTICATION_FAILED",
            "NO_VEHICLES",
            "PERMISSION",
            "SUBSCRIPTION",
            "VEHICLE_MISSING",
            "VIRTUAL_KEY_REQUIRED",
        ],
    },
    401: {"AUTHENTICATION": [""]},
    403: {"PERMISSION": [""]},
    404: {"RESOURCE_NOT_FOUND": ["PATH", "VERSION"]},
    409: {
        "VEHICLE_STATE": [
            "ASLEEP",
            "CHARGE_FAULT",
            "CHARGING_IN_PROGRESS",
            "CHARGING_PLUG_CONNECTED",
            "CHARGING_PLUG_NOT_CONNECTED",
            "DOOR_OPEN",
            "FULLY_CHARGED",
            "HOOD_OPEN",
            "IGNITION_ON",
            "IN_MOTION",
            "LOW_BATTERY",
            "NOT_CHARGING",
            "REMOTE_ACCESS_DISABLED",
            "TRUNK_OPEN",
            "UNKNOWN",
            "UNREACHABLE",
            "VEHICLE_OFFLINE_FOR_SERVICE",
        ],
    },
    429: {"RATE_LIMIT": ["SMARTCAR_API", "VEHICLE"]},
    430: {
        "BILLING": ["ACCOUNT_SUSPENDED", "INVALID_PLAN", "VEHICLE_LIMIT", "VEHICLE_REQUEST_LIMIT"],
    },
    500: {"SERVER": ["INTERNAL", "MULTIPLE_RECORDS_FOUND", "RECORD_NOT_FOUND"]},
    501: {"COMPATIBILITY": ["MAKE_NOT_COMPATIBLE", "SMARTCAR_NOT_CAPABLE", "VEHICLE_NOT_CAPABLE"]},
    502: {"UPSTREAM": ["INVALID_DATA", "KNOWN_ISSUE", "NO_RESPONSE", "RATE_LIMIT", "UNKNOWN_ISSUE"]},
}
ONLY_V3 = {
    400: {"VALIDATION": ["BAD_REQUEST", "INVALID_INPUT_FORMAT", "MISSING_PARAMETER"]},
    401: {"AUTHENTICATION": ["UNAUTHORIZED"]},
    403: {"AUTHENTICATION": ["ACCESS_DENIED"]},
    404: {"RESOURCE_NOT_FOUND": ["INVALID_PATH", "VEHICLE_NOT_FOUND"]},
    409: {"VEHICLE_STATE": ["DEVICE_PAIRING_REQUIRED"]},
    501: {"COMPATIBILITY": ["PLATFORM_NOT_CAPABLE"]},
    504: {"UPSTREAM": ["NO_RESPONSE"]},
}
AMBIGUOUS = {500, 502, 504}
CASES = [
    pytest.param(api_version, kind, id=f"{api_version}-{kind}")
    for api_version in (V2, V3)
    for kind in CommandType
    if api_version == V3 or kind not in V3_ONLY
]


def errors_of(api_version: SmartcarApiVersion) -> Iterator[tuple[int, str, str]]:
    """Yields the status, type and code of each error."""
    for group in (COMMON, ONLY_V3) if api_version == V3 else (COMMON,):
        for status, types in group.items():
            for type_, codes in types.items():
                yield from ((status, type_, code) for code in codes)


@pytest.fixture(scope="module")
def process() -> Iterator[str]:
    """A simulator that responds to commands immediately."""
    flags = ("--command-latency=0", "--driving-every=0", "--charging-every=0", *NO_LIMITS)
    with started(*flags) as simulator:
        yield simulator.origin


@pytest.fixture
def origin(process: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    point_at(process, settings, monkeypatch)
    reset(process)
    return process


@pytest.fixture
def connection(origin: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion) -> Connection:
    """The connection of a Tesla that supports every command."""
    fleet.api_version = api_version
    fleet.save()
    connect(origin, fleet=fleet, user=owner, vehicleIds=[parked_tesla(origin)])
    Vehicle.objects.update(powertrain="BEV")
    connection = Connection.objects.select_related("vehicle", "tokens").get()
    # This first command stores a token for the test.
    assert send_new(connection, owner, CommandType.SET_DESTINATION).state == CommandState.UNCONFIRMED
    CONTROL.delete(f"{origin}/control/requests")
    return connection


def parked_tesla(origin: str) -> str:
    """Returns the id of a Tesla after parking it; a vehicle that is driving can't be plugged in."""
    vehicles = CONTROL.get(f"{origin}/control/vehicles?make=TESLA").json()["vehicles"]
    return next(str(vehicle["id"]) for vehicle in vehicles if park(origin, vehicle["id"]).is_success)


def park(origin: str, vehicle_id: str, **state: Any) -> httpx.Response:
    at_rest = {
        "speed": 0,
        "asleep": False,
        "reachable": True,
        "remote_access": True,
        "digital_key_paired": True,
        "in_service": False,
        "doors": [],
        "hood_open": False,
        "front_trunk_open": False,
        "rear_trunk_open": False,
        "plugged_in": True,
        "charging": False,
        "is_locked": True,
        "state_of_charge": 60,
        "charge_limit": 90,
    }
    return CONTROL.patch(f"{origin}/control/vehicles/{vehicle_id}", json=at_rest | state)


def set_faults(origin: str, **switches: Any) -> None:
    CONTROL.delete(f"{origin}/control/troubles").raise_for_status()
    CONTROL.post(f"{origin}/control/troubles", json=switches).raise_for_status()


def set_error(origin: str, error: str) -> None:
    """Set the error that requests about the vehicle return, in addition to the other faults."""
    CONTROL.post(f"{origin}/control/troubles", json={"answerWith": [error]}).raise_for_status()


def send_new(connection: Connection, user: User, kind: CommandType) -> Command:
    """Create a command and try to send it once. Returns the command."""
    vehicle = Vehicle.objects.select_related("fleet").get(pk=connection.vehicle_id)
    command = services.create_command(vehicle=vehicle, kind=kind, user=user, data=PARAMETERS.get(kind, {}))
    run_again(command)
    return command


def run_again(command: Command) -> None:
    """Run the command's task once more."""
    fresh = Command.objects.select_related("vehicle", "connection__vehicle", "connection__tokens")
    sender.send(command=fresh.get(pk=command.pk))
    command.refresh_from_db()


def response_statuses(origin: str, connection: Connection) -> list[int]:
    """Returns the HTTP statuses of Smartcar's responses to the vehicle's commands."""
    seen = CONTROL.get(f"{origin}/control/requests").json()["requests"]
    return [
        request["status"]
        for request in seen
        if request["method"] != "GET" and request["vehicleId"] == connection.vehicle.smartcar_id
    ]


def assert_plain(message: str) -> None:
    """Assert that the message is a whole sentence without codes, placeholders or error numbers."""
    assert re.fullmatch(r"[A-Z][^<>{}_]{20,}[.!]", message.strip()), message
    assert not re.search(r"\b[A-Z]{4,}\b|\bHTTP\b|\b[45][0-9][0-9]\b", message), message


@pytest.mark.parametrize(("api_version", "kind"), CASES)
def test_every_error_leads_to_the_right_state_and_a_plain_message(
    origin: str, connection: Connection, owner: User, api_version: SmartcarApiVersion, kind: CommandType
) -> None:
    errors = list(errors_of(api_version))
    for status, type_, code in errors:
        reset_budget()
        set_error(origin, f"{type_}:{code}:{status}")
        with transaction.atomic():
            command = send_new(connection, owner, kind)
            transaction.set_rollback(True)
        ambiguous_state = CommandState.RETRYING if kind in IDEMPOTENT else CommandState.UNKNOWN
        expected = (ambiguous_state if status in AMBIGUOUS else CommandState.REFUSED, type_, code)
        assert (command.state, command.error_type, command.error_code) == expected
        assert_plain(command.message)
        assert command.request_id, expected
        assert (command.settled_at is not None) is (command.state == CommandState.REFUSED)
    assert response_statuses(origin, connection) == [status for status, _, _ in errors]


WHAT_TO_DO = {
    "VEHICLE_STATE:DOOR_OPEN": "Close all doors and the trunk",
    "VEHICLE_STATE:CHARGING_PLUG_NOT_CONNECTED": "Plug it in",
    "VEHICLE_STATE:ASLEEP": "asleep",
    "RATE_LIMIT:VEHICLE": "Wait a few minutes and try again",
    "BILLING:VEHICLE_REQUEST_LIMIT": "with a larger plan",
    "COMPATIBILITY:SMARTCAR_NOT_CAPABLE": "t support this feature through Smartcar",
    "PERMISSION:": "t grant permission for this",
    "UPSTREAM:NO_RESPONSE": "Waiting for the vehicle",
    "AUTHENTICATION:": "Try again",
}


@pytest.mark.parametrize("api_version", [V2, V3])
def test_messages_explain_what_to_do(
    origin: str, connection: Connection, owner: User, api_version: SmartcarApiVersion
) -> None:
    for error, advice in WHAT_TO_DO.items():
        reset_budget()
        set_error(origin, error)
        with transaction.atomic():
            assert advice in send_new(connection, owner, CommandType.UNLOCK).message
            transaction.set_rollback(True)


@pytest.mark.parametrize("api_version", [V2, V3])
def test_a_rejected_token_is_replaced_before_the_next_command(
    origin: str, connection: Connection, owner: User, api_version: SmartcarApiVersion
) -> None:
    set_faults(origin, answerWith=["AUTHENTICATION:UNAUTHORIZED:401"])
    assert send_new(connection, owner, CommandType.UNLOCK).state == CommandState.REFUSED
    if api_version == V3:
        assert ApplicationToken.objects.get().expires_at is None
    else:
        assert UserToken.objects.get().access_expires_at <= timezone.now()
    version = _token_version(api_version)
    set_faults(origin)
    assert send_new(connection, owner, CommandType.UNLOCK).state == CommandState.ACCEPTED
    assert _token_version(api_version) > version


def _token_version(api_version: SmartcarApiVersion) -> int:
    tokens = ApplicationToken if api_version == V3 else UserToken
    (version,) = tokens.objects.values_list("version", flat=True)
    return version


@pytest.mark.parametrize("api_version", [V2, V3])
def test_after_a_429_the_vehicle_is_not_called_until_smartcars_retry_time(
    origin: str, connection: Connection, owner: User, api_version: SmartcarApiVersion
) -> None:
    set_faults(origin, rateLimited=1)
    assert send_new(connection, owner, CommandType.UNLOCK).error_type == "RATE_LIMIT"
    set_faults(origin)
    CONTROL.delete(f"{origin}/control/requests")
    waiting = send_new(connection, owner, CommandType.UNLOCK)
    assert waiting.state == CommandState.REQUESTED
    assert waiting.next_try_at is not None
    assert timedelta(seconds=20) < waiting.next_try_at - timezone.now() <= timedelta(seconds=31)
    assert "paused requests to this vehicle" in waiting.message
    assert response_statuses(origin, connection) == []
    reset_budget()
    Command.objects.filter(pk=waiting.pk).update(next_try_at=timezone.now())
    run_again(waiting)
    assert (waiting.state, len(response_statuses(origin, connection))) == (CommandState.ACCEPTED, 1)


@pytest.mark.parametrize("api_version", [V2, V3])
def test_an_exhausted_quota_does_not_block_the_next_manual_attempt(
    origin: str, connection: Connection, owner: User, api_version: SmartcarApiVersion
) -> None:
    set_faults(origin, answerWith=["BILLING:VEHICLE_REQUEST_LIMIT"])
    assert send_new(connection, owner, CommandType.UNLOCK).state == CommandState.REFUSED
    set_faults(origin)
    assert send_new(connection, owner, CommandType.UNLOCK).state == CommandState.ACCEPTED


@pytest.mark.parametrize("api_version", [V2, V3])
def test_an_unsupported_command_is_remembered_for_a_week(
    origin: str, connection: Connection, owner: User, api_version: SmartcarApiVersion
) -> None:
    set_faults(origin, answerWith=["COMPATIBILITY:VEHICLE_NOT_CAPABLE"])
    rejected = send_new(connection, owner, CommandType.START_CHARGE)
    set_faults(origin)
    with pytest.raises(
        services.CommandRejectedError,
        match="t support this command",
    ):
        send_new(connection, owner, CommandType.START_CHARGE)
    assert send_new(connection, owner, CommandType.SET_CHARGE_LIMIT).state == CommandState.ACCEPTED
    last_week = timezone.now() - timedelta(days=7, minutes=1)
    Command.objects.filter(pk=rejected.pk).update(settled_at=last_week)
    assert send_new(connection, owner, CommandType.START_CHARGE).state == CommandState.ACCEPTED


@pytest.mark.parametrize(
    ("api_version", "error"),
    [(V2, "UPSTREAM:NO_RESPONSE:502"), (V3, "UPSTREAM:NO_RESPONSE:502"), (V3, "UPSTREAM:NO_RESPONSE:504")],
)
def test_an_unlock_without_a_clear_response_triggers_a_read_and_is_never_sent_again(
    origin: str,
    connection: Connection,
    owner: User,
    api_version: SmartcarApiVersion,
    error: str,
) -> None:
    set_faults(origin, answerWith=[error])
    command = send_new(connection, owner, CommandType.UNLOCK)
    set_faults(origin)
    assert confirmation.sweep(now=timezone.now() + sender.READ_DELAYS[0] + timedelta(seconds=1)) == []
    run_again(command)
    assert (command.state, command.reads) == (CommandState.UNKNOWN, 1)
    assert Connection.objects.get().fetch_due_at is not None
    assert len(response_statuses(origin, connection)) == 1


# Delayed responses (202): the complete body decides.
LONG = {"longAnswers": 1}


@pytest.mark.parametrize("api_version", [V3])
@pytest.mark.parametrize(
    ("kind", "switches", "vehicle_state", "end", "message"),
    [
        pytest.param(CommandType.UNLOCK, {}, {}, CommandState.ACCEPTED, "", id="late success"),
        pytest.param(
            CommandType.LOCK,
            {},
            {"doors": [[0, 0]]},
            CommandState.REFUSED,
            "doors and the trunk",
            id="late rejection by the vehicle",
        ),
        pytest.param(
            CommandType.START_CHARGE,
            {},
            {"plugged_in": False},
            CommandState.REFUSED,
            "Plug it in",
            id="a body with status 409",
        ),
        pytest.param(
            CommandType.UNLOCK,
            {"commandStatus": ["FAILURE"]},
            {},
            CommandState.FAILED,
            "Smartcar reports that the vehicle didn",
            id="late failure",
        ),
        pytest.param(
            CommandType.UNLOCK,
            {"commandStatus": ["PENDING"]},
            {},
            CommandState.ACCEPTED,
            "",
            id="still pending",
        ),
        pytest.param(
            CommandType.UNLOCK,
            {"commandStatus": ["MAYBE"]},
            {},
            CommandState.UNKNOWN,
            "next lock update",
            id="an unknown status",
        ),
        pytest.param(
            CommandType.UNLOCK,
            {"lostAnswers": 1},
            {},
            CommandState.UNKNOWN,
            "next lock update",
            id="broken midway",
        ),
        pytest.param(
            CommandType.LOCK,
            {"lostAnswers": 1},
            {},
            CommandState.RETRYING,
            "Retrying",
            id="a lock broken midway",
        ),
    ],
)
def test_the_body_of_a_202_decides(
    origin: str,
    connection: Connection,
    owner: User,
    api_version: SmartcarApiVersion,
    kind: CommandType,
    switches: dict[str, Any],
    vehicle_state: dict[str, Any],
    end: CommandState,
    message: str,
) -> None:
    park(origin, connection.vehicle.smartcar_id, **vehicle_state).raise_for_status()
    set_faults(origin, **LONG, **switches)
    command = send_new(connection, owner, kind)
    assert (command.state, message in command.message) == (end, True), command.message
    assert bool(command.execution_id) is (end in (CommandState.ACCEPTED, CommandState.FAILED))
    set_faults(origin)
    run_again(command)
    assert response_statuses(origin, connection) == [202]


@pytest.mark.parametrize("api_version", [V3])
def test_a_failure_in_a_200_is_a_failure(origin: str, connection: Connection, owner: User) -> None:
    set_faults(origin, commandStatus=["FAILURE"])
    command = send_new(connection, owner, CommandType.UNLOCK)
    assert (command.state, bool(command.execution_id)) == (CommandState.FAILED, True)


@pytest.mark.parametrize("api_version", [V3])
def test_a_202_without_a_result_is_unknown(
    origin: str, connection: Connection, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = applications.for_connection(connection).v3
    assert api._command_timeout == 310
    monkeypatch.setattr(api, "_command_timeout", 0.3)
    set_faults(origin, **LONG, slowCommands=2)
    command = send_new(connection, owner, CommandType.UNLOCK)
    assert (command.state, command.error_type, command.error_code) == (
        CommandState.UNKNOWN,
        "NO_ANSWER",
        "TIMEOUT",
    )
