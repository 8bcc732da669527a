"""Each command, from the request to the confirming signal, on both API versions, against the simulator."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from commands import confirmation, services
from commands.models import Command, CommandState
from commands.types import CommandType
from connect import subscriptions
from connect.models import Connection
from tests.smartcar import connect
from vehicles.catalogue import CATALOGUE
from webhooks import processing
from webhooks.models import InboxEntry

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RunEnqueued = Callable[[], list[str]]

PARKED = {
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
    "state_of_charge": 60,
}


@dataclass(frozen=True)
class CommandCase:
    """A command with its parameters, the vehicle's state before it, and the final status."""

    kind: CommandType
    before: dict[str, Any]
    parameters: dict[str, object] = field(default_factory=dict)
    end: CommandState = CommandState.CONFIRMED


COMMAND_CASES = [
    CommandCase(CommandType.LOCK, {"is_locked": False}),
    CommandCase(CommandType.UNLOCK, {"is_locked": True}),
    CommandCase(CommandType.START_CHARGE, {"plugged_in": True, "charging": False, "charge_limit": 90}),
    CommandCase(CommandType.STOP_CHARGE, {"plugged_in": True, "charging": True, "charge_limit": 90}),
    CommandCase(CommandType.SET_CHARGE_LIMIT, {"plugged_in": True, "charge_limit": 90}, {"percent": "70"}),
    CommandCase(
        CommandType.SET_DESTINATION,
        {},
        {"latitude": "37.77", "longitude": "-122.42"},
        CommandState.UNCONFIRMED,
    ),
]
PORT_CASES = [
    CommandCase(CommandType.OPEN_CHARGE_PORT, {"plugged_in": False, "charge_port_open": False}),
    CommandCase(CommandType.CLOSE_CHARGE_PORT, {"plugged_in": False, "charge_port_open": True}),
]
NIGHT: dict[str, object] = {"type": "daily", "latitude": "37.77", "longitude": "-122.42"}
SCHEDULE_CASE = CommandCase(
    CommandType.SET_CHARGE_SCHEDULE, {}, NIGHT | {"every_day_start": "22:00", "every_day_stop": "06:00"}
)
CASES = [
    *(pytest.param(SmartcarApiVersion.V2, case, id=f"v2-{case.kind}") for case in COMMAND_CASES),
    *(
        pytest.param(SmartcarApiVersion.V3, case, id=f"v3-{case.kind}")
        for case in [*COMMAND_CASES, *PORT_CASES, SCHEDULE_CASE]
    ),
]


@pytest.fixture
def connection(
    smartcar: str,
    live_server: object,
    settings: Settings,
    fleet: Fleet,
    owner: User,
    api_version: SmartcarApiVersion,
) -> Connection:
    """A connected and subscribed Tesla with data, which supports every command."""
    webhook = {
        "id": settings.SMARTCAR_WEBHOOK_ID,
        "name": "Tests",
        "callbackUri": f"{settings.SITE_URL}/webhooks/smartcar/",
        "signals": list(CATALOGUE),
    }
    answer = httpx.post(f"{smartcar}/control/webhooks", json=webhook, timeout=30)
    assert answer.json().get("verified"), answer.text
    fleet.api_version = api_version
    fleet.save()
    (connection,) = connect(
        smartcar, fleet=fleet, user=owner, vehicleIds=[parked_tesla(smartcar)]
    ).connections
    subscriptions.ensure_subscribed(connection=connection)
    wait_until(InboxEntry.objects.exists, "the first delivery did not come")
    processing.process_waiting()
    return Connection.objects.get()


def parked_tesla(smartcar: str) -> str:
    """Returns the id of a vehicle that supports every command; one that is driving can't be plugged in."""
    for vehicle in httpx.get(f"{smartcar}/control/vehicles?make=TESLA", timeout=30).json()["vehicles"]:
        address = f"{smartcar}/control/vehicles/{vehicle['id']}"
        if httpx.patch(address, json={"plugged_in": True}, timeout=30).is_success:
            return str(vehicle["id"])
    pytest.fail("every Tesla of the simulator is on the road")


def wait_until(condition: Callable[[], bool], message: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.1)


def set_vehicle(smartcar: str, connection: Connection, state: dict[str, Any]) -> None:
    address = f"{smartcar}/control/vehicles/{connection.vehicle.smartcar_id}"
    httpx.patch(address, json=PARKED | state, timeout=30).raise_for_status()


@pytest.mark.parametrize(("api_version", "case"), CASES)
def test_a_command_reaches_its_final_status(
    connection: Connection, smartcar: str, owner: User, case: CommandCase, run_enqueued: RunEnqueued
) -> None:
    set_vehicle(smartcar, connection, case.before)
    command = services.create_command(
        vehicle=connection.vehicle, kind=case.kind, user=owner, data=case.parameters
    )
    assert "commands.tasks.send" in run_enqueued()

    def is_final() -> bool:
        processing.process_waiting()
        command.refresh_from_db()
        return not command.open

    wait_until(is_final, f"still {command.state}")
    assert (command.state, command.error_type) == (case.end, "")
    assert command.request_id


@pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])
def test_a_rejection_has_a_message(
    connection: Connection, smartcar: str, owner: User, run_enqueued: RunEnqueued
) -> None:
    set_vehicle(smartcar, connection, {"plugged_in": False})
    command = services.create_command(vehicle=connection.vehicle, kind=CommandType.START_CHARGE, user=owner)
    run_enqueued()
    command.refresh_from_db()
    assert (command.state, command.error_code) == (CommandState.REFUSED, "CHARGING_PLUG_NOT_CONNECTED")
    assert "plug" in command.message.lower()


@pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])
def test_a_charge_limit_without_a_response_is_confirmed_by_the_vehicle_and_not_resent(
    connection: Connection, smartcar: str, owner: User, run_enqueued: RunEnqueued
) -> None:
    set_vehicle(smartcar, connection, {"plugged_in": True, "charge_limit": 90})
    parameters = {"percent": 65}
    command = services.create_command(
        vehicle=connection.vehicle, kind=CommandType.SET_CHARGE_LIMIT, user=owner, data=parameters
    )
    httpx.post(f"{smartcar}/control/troubles", json={"lostAnswers": 1}, timeout=30).raise_for_status()
    run_enqueued()
    httpx.delete(f"{smartcar}/control/troubles", timeout=30).raise_for_status()

    def confirmed() -> bool:
        processing.process_waiting()
        return Command.objects.filter(pk=command.pk, state=CommandState.CONFIRMED).exists()

    wait_until(confirmed, "the limit was not confirmed")
    assert confirmation.sweep(now=command.expires_at) == []


@pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2])
def test_v2_has_no_charge_port(connection: Connection, owner: User) -> None:
    with pytest.raises(services.CommandRejectedError, match="older API"):
        services.create_command(vehicle=connection.vehicle, kind=CommandType.OPEN_CHARGE_PORT, user=owner)
    assert not Command.objects.exists()
