"""Passkeys: signing in and confirming an unlock; which responses are valid, and how often."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import attempts, reauthentication
from accounts.models import ApiToken, Fleet, User
from commands.models import Command
from connect.models import Connection
from tests.accounts.conftest import age_session, is_signed_in, sign_in
from tests.accounts.keys import SoftPasskey
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
CHALLENGE = "/accounts/passkeys/challenge/"
BY_PASSKEY = "/accounts/sign-in/passkey/"
HTMX = {"HX-Request": "true"}


def challenge(client: Client, address: str = CHALLENGE) -> dict[str, object]:
    answer = client.get(address, headers={"Accept": "application/json"}, secure=True)
    options: dict[str, object] = answer.json()["request_options"]
    return options


@pytest.fixture
def unlock(vehicle: Vehicle) -> str:
    Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        scopes=["control_security"],
    )
    return f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/unlock/"


def submit(client: Client, unlock: str, credential: str) -> str:
    """Submit the dialog with a passkey's response."""
    form = {"asked": "yes", "reason": "Keys inside", "credential": credential}
    return client.post(unlock, form, headers=HTMX, secure=True).content.decode()


@pytest.fixture
def aged_client(owner: User, browser_of: BrowserOf) -> Client:
    """The owner's client, eleven minutes after the sign-in."""
    client = browser_of(owner)
    age_session(client)
    return client


def test_a_passkey_signs_in_without_password_and_second_step(owner: User) -> None:
    key = SoftPasskey(owner)
    client = Client()
    credential = key.answer(challenge(client, BY_PASSKEY))
    answer = client.post(BY_PASSKEY, {"credential": credential, "next": "/fleets/blue/"}, secure=True)
    assert answer.headers["Location"] == "/fleets/blue/"
    assert is_signed_in(client)
    assert reauthentication.is_recent(answer.wsgi_request)


@pytest.mark.parametrize(
    "wrong", [{"verified": False}, {"origin": "https://elsewhere.example"}, {"origin": "http://testserver"}]
)
def test_an_unverified_response_or_one_for_another_site_is_rejected(
    owner: User, wrong: dict[str, object]
) -> None:
    key = SoftPasskey(owner)
    client = Client()
    credential = key.answer(challenge(client, BY_PASSKEY), **wrong)  # type: ignore[arg-type]
    client.post(BY_PASSKEY, {"credential": credential}, secure=True)
    assert not is_signed_in(client)


def test_a_passkey_works_as_the_second_factor_after_the_password(person: User) -> None:
    key = SoftPasskey(person)
    client = sign_in(person)
    assert not is_signed_in(client)
    page = client.get("/accounts/sign-in/second-factor/", secure=True)
    credential = key.answer(page.context["js_data"]["request_options"])
    client.post("/accounts/sign-in/second-factor/", {"credential": credential}, secure=True)
    assert is_signed_in(client)


def test_a_passkey_of_a_deactivated_account_is_rejected(owner: User) -> None:
    key = SoftPasskey(owner)
    User.objects.update(is_active=False)
    client = Client()
    credential = key.answer(challenge(client, BY_PASSKEY))
    client.post(BY_PASSKEY, {"credential": credential}, secure=True)
    assert not is_signed_in(client)


def test_a_passkey_confirms_an_unlock_for_ten_minutes(owner: User, aged_client: Client, unlock: str) -> None:
    key = SoftPasskey(owner)
    page = aged_client.post(unlock, headers=HTMX, secure=True).content.decode()
    assert "Confirm with a passkey" in page
    # A user without a password isn't asked for one.
    assert "Your password" not in page
    submit(aged_client, unlock, key.answer(challenge(aged_client)))
    assert Command.objects.get().reason == "Keys inside"
    assert (
        "Confirm with a passkey" not in aged_client.post(unlock, headers=HTMX, secure=True).content.decode()
    )


def test_a_response_is_valid_for_one_challenge(owner: User, aged_client: Client, unlock: str) -> None:
    key = SoftPasskey(owner)
    credential = key.answer(challenge(aged_client))
    submit(aged_client, unlock, credential)
    Command.objects.all().delete()
    age_session(aged_client)
    assert "t accepted. Try again" in submit(aged_client, unlock, credential)
    challenge(aged_client)
    assert "t accepted. Try again" in submit(aged_client, unlock, credential)
    assert not Command.objects.exists()


def test_a_passkey_of_another_user_is_rejected(
    viewer: User, owner: User, aged_client: Client, unlock: str
) -> None:
    SoftPasskey(owner)
    theirs = SoftPasskey(viewer)
    assert "t accepted. Try again" in submit(aged_client, unlock, theirs.answer(challenge(aged_client)))
    assert not Command.objects.exists()


@pytest.mark.parametrize("credential", ["{}", "[]", "null", "no JSON", '{"id": 1}', '{"response": {}}'])
def test_malformed_credentials_do_not_confirm(
    owner: User, aged_client: Client, unlock: str, credential: str
) -> None:
    SoftPasskey(owner)
    challenge(aged_client)
    assert "t accepted. Try again" in submit(aged_client, unlock, credential)
    assert "Keys inside" in submit(aged_client, unlock, credential)
    assert not Command.objects.exists()


@pytest.mark.parametrize("credential", ["{}", "[]", "null", "no JSON", '{"id": 1}', '{"response": {}}'])
def test_malformed_credentials_do_not_sign_in(owner: User, credential: str) -> None:
    SoftPasskey(owner)
    client = Client()
    challenge(client, BY_PASSKEY)
    assert client.post(BY_PASSKEY, {"credential": credential}, secure=True).status_code == 302
    assert not is_signed_in(client)


def test_five_failed_attempts_of_any_kind_end_the_session(
    owner: User, viewer: User, aged_client: Client, unlock: str
) -> None:
    theirs = SoftPasskey(viewer)
    for number in range(reauthentication.MAX_ATTEMPTS):
        if number % 2:
            aged_client.post(unlock, {"asked": "yes", "password": "x"}, headers=HTMX, secure=True)
        else:
            submit(aged_client, unlock, theirs.answer(challenge(aged_client)))
    assert not is_signed_in(aged_client)
    assert not Command.objects.exists()


def test_a_passkey_confirms_a_token_that_sends_commands(
    owner: User, fleet: Fleet, aged_client: Client
) -> None:
    key = SoftPasskey(owner)
    form = {"name": "Night charging", "days": "30", "may_command": "on"}
    assert aged_client.post("/fleets/blue/api-tokens/", form, secure=True).status_code == 400
    form["credential"] = key.answer(challenge(aged_client))
    assert aged_client.post("/fleets/blue/api-tokens/", form, secure=True).status_code == 200
    assert ApiToken.objects.get().may_command


def test_users_without_password_and_passkey_see_what_to_do(aged_client: Client, unlock: str) -> None:
    page = aged_client.post(unlock, headers=HTMX, secure=True).content.decode()
    assert "have no password or passkey" in page
    assert "/accounts/password/forgotten/" in page
    aged_client.post(unlock, {"asked": "yes"}, headers=HTMX, secure=True)
    assert not Command.objects.exists()


@pytest.mark.parametrize("credential", ["{}", "[]", "no JSON", '{"id": 1}', '{"response": {}}'])
def test_malformed_credentials_add_no_passkey(owner: User, browser_of: BrowserOf, credential: str) -> None:
    browser = browser_of(owner)
    browser.get("/accounts/passkeys/add/", secure=True)
    answer = browser.post("/accounts/passkeys/add/", {"name": "Mine", "credential": credential}, secure=True)
    assert 'value="Mine"' in answer.content.decode()
    assert not owner.authenticator_set.exists()


def test_anonymous_users_get_no_challenge() -> None:
    assert Client().get(CHALLENGE).status_code == 302


def test_users_rename_and_remove_only_their_own_passkeys(
    owner: User, viewer: User, browser_of: BrowserOf
) -> None:
    mine, theirs = SoftPasskey(owner), SoftPasskey(viewer)
    browser = browser_of(owner)
    for action in ("rename", "remove"):
        address = f"/accounts/passkeys/{theirs.row.pk}/{action}/"
        assert browser.post(address, {"name": "Stolen"}).status_code == 404
    browser.post(f"/accounts/passkeys/{mine.row.pk}/rename/", {"name": "Laptop"})
    mine.row.refresh_from_db()
    assert str(mine.row) == "Laptop"
    browser.post(f"/accounts/passkeys/{mine.row.pk}/remove/")
    assert not owner.authenticator_set.exists()
    assert viewer.authenticator_set.exists()


def test_a_passkey_is_accepted_when_others_have_used_up_the_attempts(
    owner: User, aged_client: Client, unlock: str
) -> None:
    key = SoftPasskey(owner)
    for _ in range(6):
        attempts.record_failure(user=owner, scope=attempts.REAUTHENTICATION)
    submit(aged_client, unlock, key.answer(challenge(aged_client)))
    assert Command.objects.exists()


def test_wrong_codes_do_not_block_a_passkey_as_the_second_factor(person: User) -> None:
    key = SoftPasskey(person)
    elsewhere = sign_in(person)
    for _ in range(6):
        elsewhere.post("/accounts/sign-in/second-factor/", {"code": "000000"}, secure=True)
        elsewhere.post("/accounts/sign-in/second-factor/", {"credential": "{}"}, secure=True)
    client = sign_in(person)
    page = client.get("/accounts/sign-in/second-factor/", secure=True)
    credential = key.answer(page.context["js_data"]["request_options"])
    client.post("/accounts/sign-in/second-factor/", {"credential": credential}, secure=True)
    assert is_signed_in(client)
