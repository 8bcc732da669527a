"""Permissions for commands on every page and in every API call: each role, other users, and anonymous requests."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Fleet, Membership, Role, User
from accounts.tokens.services import revoke_token
from commands.models import Command, CommandState
from commands.types import CommandType
from connect.models import Connection, ConnectionState
from tests.commands.test_api import send, token_client
from vehicles.models import Vehicle

BrowserOf = Callable[[User], Client]
COMMANDS = "/api/v1/commands/"
SIGN_IN = 302


@pytest.fixture
def rejected(vehicle: Vehicle, owner: User) -> Command:
    """A command to a connected vehicle, rejected because the vehicle slept, so it may be retried."""
    now = timezone.now()
    connection = Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )
    return Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        connection=connection,
        kind=CommandType.LOCK,
        api_version="v3",
        state=CommandState.REFUSED,
        error_type="VEHICLE_STATE",
        error_code="ASLEEP",
        requested_by=owner,
        requested_at=now,
        expires_at=now + timedelta(minutes=10),
    )


@pytest.fixture
def waiting(rejected: Command) -> Command:
    """The same command, not sent yet, so it may be canceled."""
    Command.objects.update(state=CommandState.REQUESTED)
    return rejected


def client_for(request: pytest.FixtureRequest, person: str, browser_of: BrowserOf) -> Client:
    return browser_of(request.getfixturevalue(person)) if person != "nobody" else Client()


READERS = [("owner", 200), ("teammate", 200), ("viewer", 200)]


@pytest.mark.parametrize(
    ("person", "status"), [*READERS, ("driver", 404), ("outsider", 404), ("nobody", 401)]
)
def test_permissions_to_read_a_vehicles_commands_in_the_api(
    request: pytest.FixtureRequest, rejected: Command, browser_of: BrowserOf, person: str, status: int
) -> None:
    client = client_for(request, person, browser_of)
    for address in (
        f"/api/v1/vehicles/{rejected.vehicle.smartcar_id}/commands/",
        f"{COMMANDS}{rejected.pk}/",
    ):
        assert client.get(address).status_code == status


@pytest.mark.parametrize(
    ("person", "found", "of_the_fleet"),
    [
        ("owner", 1, 200),
        ("teammate", 1, 200),
        ("viewer", 1, 200),
        ("driver", 0, 403),
        ("outsider", 0, 404),
    ],
)
def test_permissions_to_list_commands_in_the_api(
    request: pytest.FixtureRequest,
    rejected: Command,
    browser_of: BrowserOf,
    person: str,
    found: int,
    of_the_fleet: int,
) -> None:
    client = client_for(request, person, browser_of)
    assert len(client.get(COMMANDS).json()["results"]) == found
    assert client.get(COMMANDS, {"fleet": "blue"}).status_code == of_the_fleet


SENDERS = [
    ("owner", 201),
    ("teammate", 201),
    ("viewer", 403),
    ("driver", 404),
    ("outsider", 404),
    ("nobody", 401),
]


@pytest.mark.parametrize("kind", [CommandType.LOCK, CommandType.UNLOCK])
@pytest.mark.parametrize(("person", "status"), SENDERS)
def test_permissions_to_send_in_the_api(
    request: pytest.FixtureRequest,
    rejected: Command,
    browser_of: BrowserOf,
    person: str,
    status: int,
    kind: CommandType,
) -> None:
    client = client_for(request, person, browser_of)
    address = f"/api/v1/vehicles/{rejected.vehicle.smartcar_id}/commands/"
    assert send(client, address, {"kind": kind.value}, key="k-1").status_code == status
    assert Command.objects.count() == 1 + (status == 201)


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 404), ("outsider", 404), ("nobody", 401)],
)
def test_permissions_to_cancel_in_the_api(
    request: pytest.FixtureRequest, waiting: Command, browser_of: BrowserOf, person: str, status: int
) -> None:
    client = client_for(request, person, browser_of)
    assert client.post(f"{COMMANDS}{waiting.pk}/cancel/").status_code == status
    waiting.refresh_from_db()
    assert waiting.state == (CommandState.CANCELLED if status == 200 else CommandState.REQUESTED)


def call_all(client: Client, command: Command) -> list[int]:
    """Returns the status codes of all calls: three that read, one that sends, one that cancels."""
    vehicle_url = f"/api/v1/vehicles/{command.vehicle.smartcar_id}/commands/"
    command_url = f"{COMMANDS}{command.pk}/"
    statuses = [client.get(address).status_code for address in (vehicle_url, COMMANDS, command_url)]
    sent = send(client, vehicle_url, {"kind": "unlock"}, key="k-1").status_code
    return [*statuses, sent, client.post(f"{command_url}cancel/").status_code]


def test_a_read_only_token_cannot_send(rejected: Command, owner: User, fleet: Fleet) -> None:
    client = token_client(owner, fleet, may_command=False)
    assert call_all(client, rejected) == [200, 200, 200, 403, 403]
    answer = send(client, f"/api/v1/vehicles/{rejected.vehicle.smartcar_id}/commands/")
    assert answer.json()["code"] == "token_only_reads"
    assert Command.objects.count() == 1


@pytest.mark.parametrize("person", ["owner", "teammate"])
def test_a_token_for_commands_can_send(
    request: pytest.FixtureRequest, rejected: Command, fleet: Fleet, person: str
) -> None:
    client = token_client(request.getfixturevalue(person), fleet)
    assert call_all(client, rejected) == [200, 200, 200, 201, 409]


@pytest.mark.parametrize(
    ("role", "answers"),
    [(Role.VIEWER, [200, 200, 200, 403, 403]), (Role.DRIVER, [403, 403, 403, 403, 403])],
)
def test_a_token_has_the_current_permissions_of_its_user(
    rejected: Command, teammate: User, fleet: Fleet, role: Role, answers: list[int]
) -> None:
    client = token_client(teammate, fleet)
    Membership.objects.filter(user=teammate).update(role=role)
    assert call_all(client, rejected) == answers
    assert Command.objects.count() == 1


def test_a_token_loses_access_with_the_membership(rejected: Command, teammate: User, fleet: Fleet) -> None:
    client = token_client(teammate, fleet)
    Membership.objects.filter(user=teammate).delete()
    assert call_all(client, rejected) == [404, 404, 404, 404, 404]


def test_a_revoked_or_expired_token_is_rejected(rejected: Command, owner: User, fleet: Fleet) -> None:
    client = token_client(owner, fleet)
    revoke_token(token=ApiToken.objects.get(), actor=owner)
    assert call_all(client, rejected) == [401] * 5
    other = token_client(owner, fleet)
    ApiToken.objects.update(expires_at=timezone.now())
    assert call_all(other, rejected) == [401] * 5
    assert Command.objects.count() == 1


def test_another_fleets_token_finds_nothing(rejected: Command, outsider: User) -> None:
    client = token_client(outsider, Fleet.objects.get(slug="red"))
    assert call_all(client, rejected) == [404, 200, 404, 404, 404]
    assert client.get(COMMANDS).json()["results"] == []
    assert Command.objects.count() == 1


# The pages. For the buttons of bulk commands see tests/commands/bulk.
PAGE_READERS = [*READERS, ("driver", 403), ("outsider", 404), ("nobody", SIGN_IN)]
PAGE_SENDERS = [("owner", 302), ("teammate", 302), ("viewer", 403), ("driver", 403), ("outsider", 404)]


@pytest.mark.parametrize(("person", "status"), PAGE_READERS)
def test_permissions_to_read_the_pages(
    request: pytest.FixtureRequest, rejected: Command, browser_of: BrowserOf, person: str, status: int
) -> None:
    client = client_for(request, person, browser_of)
    for address in (
        "/fleets/blue/commands/",
        f"/fleets/blue/vehicles/{rejected.vehicle.smartcar_id}/commands/",
        "/fleets/blue/commands/bulk/",
    ):
        assert client.get(address).status_code == status, address


@pytest.mark.parametrize(("person", "status"), PAGE_SENDERS)
@pytest.mark.parametrize("action", ["lock", "when-online", "cancel"])
def test_permissions_to_use_the_buttons(
    request: pytest.FixtureRequest,
    rejected: Command,
    browser_of: BrowserOf,
    person: str,
    status: int,
    action: str,
) -> None:
    client = client_for(request, person, browser_of)
    before = _prepare(rejected, action)
    assert client.post(_button_url(rejected, action)).status_code == status
    assert (_history() != before) is (status == 302)


@pytest.mark.parametrize("action", ["lock", "when-online", "cancel"])
def test_anonymous_users_cannot_use_the_buttons(rejected: Command, action: str) -> None:
    before = _prepare(rejected, action)
    answer = Client().post(_button_url(rejected, action))
    assert (answer.status_code, "/sign-in/" in answer.headers["Location"]) == (SIGN_IN, True)
    assert _history() == before


def _button_url(command: Command, action: str) -> str:
    base_url = f"/fleets/blue/vehicles/{command.vehicle.smartcar_id}/commands/"
    return f"{base_url}lock/" if action == "lock" else f"{base_url}{command.pk}/{action}/"


def _prepare(command: Command, action: str) -> list[tuple[int, str]]:
    """Prepare the command for the action. Returns the command history before it."""
    if action == "cancel":
        Command.objects.filter(pk=command.pk).update(state=CommandState.REQUESTED)
    return _history()


def _history() -> list[tuple[int, str]]:
    return list(Command.objects.order_by("pk").values_list("pk", "state"))
