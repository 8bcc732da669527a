"""Who may do what with commands, on every page and in every call: owner, teammate, viewer, driver, outsider, nobody."""

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
from tests.commands.test_api import program_of, send
from vehicles.models import Vehicle

BrowserOf = Callable[[User], Client]
LEDGER = "/api/v1/commands/"
SIGN_IN = 302


@pytest.fixture
def refused(vehicle: Vehicle, owner: User) -> Command:
    """What a sleeping car refused, of a connected car: it may be asked again."""
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
def waiting(refused: Command) -> Command:
    """The same, not sent yet: it may be taken back."""
    Command.objects.update(state=CommandState.REQUESTED)
    return refused


def caller(request: pytest.FixtureRequest, person: str, browser_of: BrowserOf) -> Client:
    return browser_of(request.getfixturevalue(person)) if person != "nobody" else Client()


READERS = [("owner", 200), ("teammate", 200), ("viewer", 200)]


@pytest.mark.parametrize(
    ("person", "status"), [*READERS, ("driver", 404), ("outsider", 404), ("nobody", 401)]
)
def test_who_reads_a_cars_commands_in_the_api(
    request: pytest.FixtureRequest, refused: Command, browser_of: BrowserOf, person: str, status: int
) -> None:
    client = caller(request, person, browser_of)
    for address in (f"/api/v1/vehicles/{refused.vehicle.smartcar_id}/commands/", f"{LEDGER}{refused.pk}/"):
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
def test_who_lists_commands_in_the_api(
    request: pytest.FixtureRequest,
    refused: Command,
    browser_of: BrowserOf,
    person: str,
    found: int,
    of_the_fleet: int,
) -> None:
    client = caller(request, person, browser_of)
    assert len(client.get(LEDGER).json()["results"]) == found
    assert client.get(LEDGER, {"fleet": "blue"}).status_code == of_the_fleet


ASKING = [
    ("owner", 201),
    ("teammate", 201),
    ("viewer", 403),
    ("driver", 404),
    ("outsider", 404),
    ("nobody", 401),
]


@pytest.mark.parametrize("kind", [CommandType.LOCK, CommandType.UNLOCK])
@pytest.mark.parametrize(("person", "status"), ASKING)
def test_who_sends_in_the_api(
    request: pytest.FixtureRequest,
    refused: Command,
    browser_of: BrowserOf,
    person: str,
    status: int,
    kind: CommandType,
) -> None:
    client = caller(request, person, browser_of)
    address = f"/api/v1/vehicles/{refused.vehicle.smartcar_id}/commands/"
    assert send(client, address, {"kind": kind.value}, key="k-1").status_code == status
    assert Command.objects.count() == 1 + (status == 201)


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 404), ("outsider", 404), ("nobody", 401)],
)
def test_who_takes_back_in_the_api(
    request: pytest.FixtureRequest, waiting: Command, browser_of: BrowserOf, person: str, status: int
) -> None:
    client = caller(request, person, browser_of)
    assert client.post(f"{LEDGER}{waiting.pk}/cancel/").status_code == status
    waiting.refresh_from_db()
    assert waiting.state == (CommandState.CANCELLED if status == 200 else CommandState.REQUESTED)


def calls(client: Client, command: Command) -> list[int]:
    """What each call answers: the three that read, sending, taking back."""
    car = f"/api/v1/vehicles/{command.vehicle.smartcar_id}/commands/"
    one = f"{LEDGER}{command.pk}/"
    reads = [client.get(address).status_code for address in (car, LEDGER, one)]
    sent = send(client, car, {"kind": "unlock"}, key="k-1").status_code
    return [*reads, sent, client.post(f"{one}cancel/").status_code]


def test_a_token_that_only_reads_sends_nothing(refused: Command, owner: User, fleet: Fleet) -> None:
    client = program_of(owner, fleet, may_command=False)
    assert calls(client, refused) == [200, 200, 200, 403, 403]
    answer = send(client, f"/api/v1/vehicles/{refused.vehicle.smartcar_id}/commands/")
    assert answer.json()["code"] == "token_only_reads"
    assert Command.objects.count() == 1


@pytest.mark.parametrize("person", ["owner", "teammate"])
def test_a_token_for_commands_sends(
    request: pytest.FixtureRequest, refused: Command, fleet: Fleet, person: str
) -> None:
    client = program_of(request.getfixturevalue(person), fleet)
    assert calls(client, refused) == [200, 200, 200, 201, 409]


@pytest.mark.parametrize(
    ("role", "answers"),
    [(Role.VIEWER, [200, 200, 200, 403, 403]), (Role.DRIVER, [403, 403, 403, 403, 403])],
)
def test_a_token_does_what_its_persons_role_allows_at_the_time(
    refused: Command, teammate: User, fleet: Fleet, role: Role, answers: list[int]
) -> None:
    client = program_of(teammate, fleet)
    Membership.objects.filter(user=teammate).update(role=role)
    assert calls(client, refused) == answers
    assert Command.objects.count() == 1


def test_a_token_ends_with_the_membership(refused: Command, teammate: User, fleet: Fleet) -> None:
    client = program_of(teammate, fleet)
    Membership.objects.filter(user=teammate).delete()
    assert calls(client, refused) == [404, 404, 404, 404, 404]


def test_a_revoked_or_expired_token_opens_nothing(refused: Command, owner: User, fleet: Fleet) -> None:
    client = program_of(owner, fleet)
    revoke_token(token=ApiToken.objects.get(), actor=owner)
    assert calls(client, refused) == [401] * 5
    other = program_of(owner, fleet)
    ApiToken.objects.update(expires_at=timezone.now())
    assert calls(other, refused) == [401] * 5
    assert Command.objects.count() == 1


def test_another_fleets_token_finds_nothing(refused: Command, outsider: User) -> None:
    client = program_of(outsider, Fleet.objects.get(slug="red"))
    assert calls(client, refused) == [404, 200, 404, 404, 404]
    assert client.get(LEDGER).json()["results"] == []
    assert Command.objects.count() == 1


# The pages. Who may press the buttons of commands to many cars: tests/commands/bulk.
PAGE_READERS = [*READERS, ("driver", 403), ("outsider", 404), ("nobody", SIGN_IN)]
PAGE_ASKING = [("owner", 302), ("teammate", 302), ("viewer", 403), ("driver", 403), ("outsider", 404)]


@pytest.mark.parametrize(("person", "status"), PAGE_READERS)
def test_who_reads_the_pages(
    request: pytest.FixtureRequest, refused: Command, browser_of: BrowserOf, person: str, status: int
) -> None:
    client = caller(request, person, browser_of)
    for address in (
        "/fleets/blue/commands/",
        f"/fleets/blue/vehicles/{refused.vehicle.smartcar_id}/commands/",
        "/fleets/blue/commands/bulk/",
    ):
        assert client.get(address).status_code == status, address


@pytest.mark.parametrize(("person", "status"), PAGE_ASKING)
@pytest.mark.parametrize("deed", ["lock", "when-online", "cancel"])
def test_who_presses_buttons(
    request: pytest.FixtureRequest,
    refused: Command,
    browser_of: BrowserOf,
    person: str,
    status: int,
    deed: str,
) -> None:
    client = caller(request, person, browser_of)
    before = _prepared(refused, deed)
    assert client.post(_button(refused, deed)).status_code == status
    assert (_ledger() != before) is (status == 302)


@pytest.mark.parametrize("deed", ["lock", "when-online", "cancel"])
def test_nobody_presses_a_button_unsigned(refused: Command, deed: str) -> None:
    before = _prepared(refused, deed)
    answer = Client().post(_button(refused, deed))
    assert (answer.status_code, "/sign-in/" in answer.headers["Location"]) == (SIGN_IN, True)
    assert _ledger() == before


def _button(command: Command, deed: str) -> str:
    car = f"/fleets/blue/vehicles/{command.vehicle.smartcar_id}/commands/"
    return f"{car}lock/" if deed == "lock" else f"{car}{command.pk}/{deed}/"


def _prepared(command: Command, deed: str) -> list[tuple[int, str]]:
    """The ledger before the button is pressed."""
    if deed == "cancel":
        Command.objects.filter(pk=command.pk).update(state=CommandState.REQUESTED)
    return _ledger()


def _ledger() -> list[tuple[int, str]]:
    return list(Command.objects.order_by("pk").values_list("pk", "state"))
