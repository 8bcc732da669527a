"""Each command, from the request to the car's own word, on both API versions, against the simulator."""

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

CALM = {
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
class Deed:
    """A command, what it carries, the state the car is in before, and what the car's word makes of it."""

    kind: CommandType
    before: dict[str, Any]
    given: dict[str, object] = field(default_factory=dict)
    end: CommandState = CommandState.CONFIRMED


DEEDS = [
    Deed(CommandType.LOCK, {"is_locked": False}),
    Deed(CommandType.UNLOCK, {"is_locked": True}),
    Deed(CommandType.START_CHARGE, {"plugged_in": True, "charging": False, "charge_limit": 90}),
    Deed(CommandType.STOP_CHARGE, {"plugged_in": True, "charging": True, "charge_limit": 90}),
    Deed(CommandType.SET_CHARGE_LIMIT, {"plugged_in": True, "charge_limit": 90}, {"percent": "70"}),
    Deed(
        CommandType.SET_DESTINATION,
        {},
        {"latitude": "37.77", "longitude": "-122.42"},
        CommandState.UNCONFIRMED,
    ),
]
PORT_DEEDS = [
    Deed(CommandType.OPEN_CHARGE_PORT, {"plugged_in": False, "charge_port_open": False}),
    Deed(CommandType.CLOSE_CHARGE_PORT, {"plugged_in": False, "charge_port_open": True}),
]
NIGHT: dict[str, object] = {"type": "daily", "latitude": "37.77", "longitude": "-122.42"}
SCHEDULE_DEED = Deed(
    CommandType.SET_CHARGE_SCHEDULE, {}, NIGHT | {"every_day_start": "22:00", "every_day_stop": "06:00"}
)
CASES = [
    *(pytest.param(SmartcarApiVersion.V2, deed, id=f"v2-{deed.kind}") for deed in DEEDS),
    *(
        pytest.param(SmartcarApiVersion.V3, deed, id=f"v3-{deed.kind}")
        for deed in [*DEEDS, *PORT_DEEDS, SCHEDULE_DEED]
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
    """A Tesla, connected, subscribed, heard of: it takes every command."""
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
    """The id of a car that takes every command; one that is on the road cannot be plugged in."""
    for car in httpx.get(f"{smartcar}/control/vehicles?make=TESLA", timeout=30).json()["vehicles"]:
        address = f"{smartcar}/control/vehicles/{car['id']}"
        if httpx.patch(address, json={"plugged_in": True}, timeout=30).is_success:
            return str(car["id"])
    pytest.fail("every Tesla of the simulator is on the road")


def wait_until(true: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)


def set_car(smartcar: str, connection: Connection, state: dict[str, Any]) -> None:
    address = f"{smartcar}/control/vehicles/{connection.vehicle.smartcar_id}"
    httpx.patch(address, json=CALM | state, timeout=30).raise_for_status()


@pytest.mark.parametrize(("api_version", "deed"), CASES)
def test_a_command_ends_with_the_cars_own_word(
    connection: Connection, smartcar: str, owner: User, deed: Deed, run_enqueued: RunEnqueued
) -> None:
    set_car(smartcar, connection, deed.before)
    command = services.create_command(vehicle=connection.vehicle, kind=deed.kind, user=owner, data=deed.given)
    assert "commands.tasks.send" in run_enqueued()

    def ended() -> bool:
        processing.process_waiting()
        command.refresh_from_db()
        return not command.open

    wait_until(ended, f"still {command.state}")
    assert (command.state, command.error_type) == (deed.end, "")
    assert command.request_id


@pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])
def test_a_cars_refusal_is_told_in_words(
    connection: Connection, smartcar: str, owner: User, run_enqueued: RunEnqueued
) -> None:
    set_car(smartcar, connection, {"plugged_in": False})
    command = services.create_command(vehicle=connection.vehicle, kind=CommandType.START_CHARGE, user=owner)
    run_enqueued()
    command.refresh_from_db()
    assert (command.state, command.error_code) == (CommandState.REFUSED, "CHARGING_PLUG_NOT_CONNECTED")
    assert "plug" in command.message.lower()


@pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])
def test_a_lost_answer_to_a_limit_is_settled_by_the_car_and_never_sent_again(
    connection: Connection, smartcar: str, owner: User, run_enqueued: RunEnqueued
) -> None:
    set_car(smartcar, connection, {"plugged_in": True, "charge_limit": 90})
    given = {"percent": 65}
    command = services.create_command(
        vehicle=connection.vehicle, kind=CommandType.SET_CHARGE_LIMIT, user=owner, data=given
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
