"""Service accounts: tokens of the fleet with scopes, which survive the leaving of their creator."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.members.services import remove_member
from accounts.models import ApiToken, AuditLogEntry, Fleet, Membership, Role, User
from accounts.tokens.scopes import TokenScope
from accounts.tokens.service_accounts import create_service_account
from commands.models import Command, CommandState
from connect.models import Connection, ConnectionState
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/settings/service-accounts/"
FORM = {"name": "Night charging", "days": "90", "scopes": ["commands:send"]}


def caller(fleet: Fleet, owner: User, *scopes: TokenScope, name: str = "Night charging") -> Client:
    """Returns a client that calls the API as a new service account."""
    issued = create_service_account(
        fleet=fleet,
        actor=owner,
        name=name,
        scopes=list(scopes),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return Client(headers={"Authorization": f"Bearer {issued.secret}"})


@pytest.fixture
def connected(vehicle: Vehicle) -> Vehicle:
    Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
        scopes=["control_security"],
    )
    return vehicle


def send(
    client: Client, vehicle: Vehicle, key: str = "", kind: str = "lock"
) -> tuple[int, dict[str, object]]:
    headers = {"Idempotency-Key": key} if key else {}
    address = f"/api/v1/vehicles/{vehicle.smartcar_id}/commands/"
    answer = client.post(address, {"kind": kind}, content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 403), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owners_create_service_accounts(
    request: pytest.FixtureRequest, fleet: Fleet, person: str, status: int, browser_of: BrowserOf
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.get(PAGE).status_code == status
    assert browser.post(PAGE, FORM).status_code == status
    assert ApiToken.objects.count() == (status == 200)


def test_a_token_is_shown_once_and_logged(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    answer = browser.post(PAGE, FORM)
    secret = answer.context["issued"].secret
    assert secret in answer.content.decode()
    assert secret not in browser.get(PAGE).content.decode()
    account = ApiToken.objects.get()
    assert (account.user, account.created_by, account.scopes) == (
        None,
        owner,
        ["commands:send", "vehicles:read"],
    )
    assert account.expires_at is not None
    entry = AuditLogEntry.objects.get(event=AuditEvent.SERVICE_ACCOUNT_CREATED)
    assert (entry.actor, entry.data["token_scopes"]) == (owner, account.scopes)
    page = browser.get("/fleets/blue/audit-log/").content.decode()
    assert "Send commands to vehicles, including unlocking" in page


@pytest.mark.parametrize("wrong", [{"name": " "}, {"days": ""}, {"days": "4000"}, {"scopes": ["everything"]}])
def test_a_service_account_needs_a_name_an_expiry_and_known_scopes(
    owner: User, fleet: Fleet, browser_of: BrowserOf, wrong: dict[str, object]
) -> None:
    assert browser_of(owner).post(PAGE, FORM | wrong).status_code == 400
    assert not ApiToken.objects.exists()


def test_members_tokens_and_service_accounts_have_pages_of_their_own(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    caller(fleet, owner)
    browser = browser_of(owner)
    assert "Night charging" in browser.get(PAGE).content.decode()
    assert "Night charging" not in browser.get("/fleets/blue/api-tokens/").content.decode()
    account = ApiToken.objects.get()
    assert browser.post(f"/fleets/blue/api-tokens/{account.pk}/revoke/").status_code == 404


def test_it_survives_its_creator(owner: User, viewer: User, fleet: Fleet) -> None:
    client = caller(fleet, owner)
    Membership.objects.filter(user=viewer).update(role=Role.OWNER)
    remove_member(membership=Membership.objects.get(user=owner), user=viewer)
    assert client.get("/api/v1/vehicles/").status_code == 200
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert client.get("/api/v1/vehicles/").status_code == 200
    owner.delete()
    assert client.get("/api/v1/vehicles/").status_code == 200


@pytest.mark.parametrize(
    ("scopes", "statuses"),
    [
        ((), (200, 200, 403, 403)),
        ((TokenScope.COMMANDS_SEND,), (200, 200, 403, 201)),
        ((TokenScope.DELIVERIES_READ,), (200, 200, 200, 403)),
    ],
)
def test_it_does_what_its_scopes_allow(
    owner: User, connected: Vehicle, scopes: tuple[TokenScope, ...], statuses: tuple[int, ...]
) -> None:
    client = caller(connected.fleet, owner, *scopes)
    found = [
        client.get(f"/api/v1/{path}").status_code
        for path in (f"vehicles/{connected.smartcar_id}/", "commands/", "deliveries/")
    ]
    assert (*found, send(client, connected)[0]) == statuses


def test_it_has_access_to_its_own_fleet_only(owner: User, outsider: User, vehicle: Vehicle) -> None:
    theirs = caller(Fleet.objects.get(slug="red"), outsider, *TokenScope)
    assert theirs.get(f"/api/v1/vehicles/{vehicle.smartcar_id}/").status_code == 404
    assert theirs.get("/api/v1/vehicles/?fleet=blue").status_code == 404
    assert theirs.get("/api/v1/vehicles/").json()["results"] == []
    assert theirs.get("/fleets/red/").status_code == 302


def test_a_revoked_or_expired_one_is_invalid(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    revoked, expired = caller(fleet, owner), caller(fleet, owner, name="Old")
    account = ApiToken.objects.get(name="Night charging")
    assert browser_of(owner).post(f"{PAGE}{account.pk}/revoke/").status_code == 302
    assert AuditLogEntry.objects.filter(event=AuditEvent.SERVICE_ACCOUNT_REVOKED, actor=owner).exists()
    ApiToken.objects.filter(name="Old").update(expires_at=timezone.now() - timedelta(seconds=1))
    assert revoked.get("/api/v1/vehicles/").status_code == 401
    assert expired.get("/api/v1/vehicles/").status_code == 401


def test_its_unsent_commands_end_with_it(owner: User, connected: Vehicle, browser_of: BrowserOf) -> None:
    send(caller(connected.fleet, owner, TokenScope.COMMANDS_SEND), connected)
    account = ApiToken.objects.get()
    browser_of(owner).post(f"{PAGE}{account.pk}/revoke/")
    command = Command.objects.get()
    assert command.state == CommandState.CANCELLED
    assert "Night charging may no longer send commands" in str(command.message)


def test_its_commands_name_it_everywhere(owner: User, connected: Vehicle, browser_of: BrowserOf) -> None:
    client = caller(connected.fleet, owner, TokenScope.COMMANDS_SEND)
    status, body = send(client, connected, key="k-1", kind="unlock")
    assert (status, body["requested_by"], body["requested_by_account"]) == (201, None, "Night charging")
    browser = browser_of(owner)
    for address in ("/fleets/blue/commands/", f"/fleets/blue/vehicles/{connected.smartcar_id}/events/"):
        assert "Night charging" in browser.get(address).content.decode()
    assert "Service account: Night charging" in browser.get("/fleets/blue/audit-log/").content.decode()
    assert client.post(f"/api/v1/commands/{body['id']}/cancel/").status_code == 200
    command = Command.objects.get()
    assert command.state == CommandState.CANCELLED
    assert "Night charging" in str(command.message)


def test_an_idempotency_key_belongs_to_the_service_account(owner: User, connected: Vehicle) -> None:
    first = caller(connected.fleet, owner, TokenScope.COMMANDS_SEND)
    other = caller(connected.fleet, owner, TokenScope.COMMANDS_SEND, name="Other")
    status, body = send(first, connected, key="k-1")
    assert status == 201
    assert send(first, connected, key="k-1") == (200, body)
    assert send(first, connected, key="k-1", kind="unlock")[0] == 409
    Command.objects.update(state=CommandState.CANCELLED)
    assert send(other, connected, key="k-1")[0] == 201


def test_unknown_scopes_of_a_newer_version_give_nothing(owner: User, vehicle: Vehicle) -> None:
    client = caller(vehicle.fleet, owner)
    ApiToken.objects.update(scopes=["everything"])
    assert client.get("/api/v1/vehicles/").status_code == 403
