"""Passkeys: signing in with one, and confirming an unlock with one; whose answers count, and how often."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import reauthentication
from accounts.models import ApiToken, Fleet, User
from commands.models import Command
from connect.models import Connection
from tests.accounts.conftest import is_in, let_age, sign_in
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


def press(client: Client, unlock: str, credential: str) -> str:
    """Sends the dialog with what a passkey answered."""
    form = {"asked": "yes", "reason": "Keys inside", "credential": credential}
    return client.post(unlock, form, headers=HTMX, secure=True).content.decode()


@pytest.fixture
def late(owner: User, browser_of: BrowserOf) -> Client:
    """The owner's browser, eleven minutes after the sign-in."""
    client = browser_of(owner)
    let_age(client)
    return client


def test_a_passkey_signs_in_without_password_and_second_step(owner: User) -> None:
    key = SoftPasskey(owner)
    client = Client()
    credential = key.answer(challenge(client, BY_PASSKEY))
    answer = client.post(BY_PASSKEY, {"credential": credential, "next": "/fleets/blue/"}, secure=True)
    assert answer.headers["Location"] == "/fleets/blue/"
    assert is_in(client)
    assert reauthentication.is_recent(answer.wsgi_request)


@pytest.mark.parametrize(
    "wrong", [{"verified": False}, {"origin": "https://elsewhere.example"}, {"origin": "http://testserver"}]
)
def test_an_answer_without_the_person_or_for_another_site_opens_nothing(
    owner: User, wrong: dict[str, object]
) -> None:
    key = SoftPasskey(owner)
    client = Client()
    credential = key.answer(challenge(client, BY_PASSKEY), **wrong)  # type: ignore[arg-type]
    client.post(BY_PASSKEY, {"credential": credential}, secure=True)
    assert not is_in(client)


def test_a_passkey_is_a_second_factor_beside_the_password(person: User) -> None:
    key = SoftPasskey(person)
    client = sign_in(person)
    assert not is_in(client)
    page = client.get("/accounts/sign-in/second-factor/", secure=True)
    credential = key.answer(page.context["js_data"]["request_options"])
    client.post("/accounts/sign-in/second-factor/", {"credential": credential}, secure=True)
    assert is_in(client)


def test_a_closed_account_is_not_opened_by_its_passkey(owner: User) -> None:
    key = SoftPasskey(owner)
    User.objects.update(is_active=False)
    client = Client()
    credential = key.answer(challenge(client, BY_PASSKEY))
    client.post(BY_PASSKEY, {"credential": credential}, secure=True)
    assert not is_in(client)


def test_a_passkey_confirms_an_unlock_for_ten_minutes(owner: User, late: Client, unlock: str) -> None:
    key = SoftPasskey(owner)
    asked = late.post(unlock, headers=HTMX, secure=True).content.decode()
    assert "Confirm with a passkey" in asked
    # Who has no password is not asked for one.
    assert "Your password" not in asked
    press(late, unlock, key.answer(challenge(late)))
    assert Command.objects.get().reason == "Keys inside"
    assert "Confirm with a passkey" not in late.post(unlock, headers=HTMX, secure=True).content.decode()


def test_an_answer_is_good_for_one_challenge(owner: User, late: Client, unlock: str) -> None:
    key = SoftPasskey(owner)
    credential = key.answer(challenge(late))
    press(late, unlock, credential)
    Command.objects.all().delete()
    let_age(late)
    assert "t accepted. Try again" in press(late, unlock, credential)
    challenge(late)
    assert "t accepted. Try again" in press(late, unlock, credential)
    assert not Command.objects.exists()


def test_another_persons_passkey_confirms_nothing(
    viewer: User, owner: User, late: Client, unlock: str
) -> None:
    SoftPasskey(owner)
    theirs = SoftPasskey(viewer)
    assert "t accepted. Try again" in press(late, unlock, theirs.answer(challenge(late)))
    assert not Command.objects.exists()


@pytest.mark.parametrize("credential", ["{}", "[]", "null", "no JSON", '{"id": 1}', '{"response": {}}'])
def test_nonsense_confirms_nothing_and_breaks_nothing(
    owner: User, late: Client, unlock: str, credential: str
) -> None:
    SoftPasskey(owner)
    challenge(late)
    assert "t accepted. Try again" in press(late, unlock, credential)
    assert "Keys inside" in press(late, unlock, credential)
    assert not Command.objects.exists()


@pytest.mark.parametrize("credential", ["{}", "[]", "null", "no JSON", '{"id": 1}', '{"response": {}}'])
def test_nonsense_signs_nobody_in_and_breaks_nothing(owner: User, credential: str) -> None:
    SoftPasskey(owner)
    client = Client()
    challenge(client, BY_PASSKEY)
    assert client.post(BY_PASSKEY, {"credential": credential}, secure=True).status_code == 302
    assert not is_in(client)


def test_five_wrong_tries_end_the_session_whatever_they_were_made_with(
    owner: User, viewer: User, late: Client, unlock: str
) -> None:
    theirs = SoftPasskey(viewer)
    for number in range(reauthentication.MAX_ATTEMPTS):
        if number % 2:
            late.post(unlock, {"asked": "yes", "password": "x"}, headers=HTMX, secure=True)
        else:
            press(late, unlock, theirs.answer(challenge(late)))
    assert not is_in(late)
    assert not Command.objects.exists()


def test_a_passkey_confirms_a_token_that_sends_commands(owner: User, fleet: Fleet, late: Client) -> None:
    key = SoftPasskey(owner)
    form = {"name": "Night charging", "days": "30", "may_command": "on"}
    assert late.post("/fleets/blue/api-tokens/", form, secure=True).status_code == 400
    form["credential"] = key.answer(challenge(late))
    assert late.post("/fleets/blue/api-tokens/", form, secure=True).status_code == 200
    assert ApiToken.objects.get().may_command


def test_who_has_neither_password_nor_passkey_is_told_what_to_do(late: Client, unlock: str) -> None:
    asked = late.post(unlock, headers=HTMX, secure=True).content.decode()
    assert "have no password or passkey" in asked
    assert "/accounts/password/forgotten/" in asked
    late.post(unlock, {"asked": "yes"}, headers=HTMX, secure=True)
    assert not Command.objects.exists()


@pytest.mark.parametrize("credential", ["{}", "[]", "no JSON", '{"id": 1}', '{"response": {}}'])
def test_nonsense_adds_no_passkey_and_breaks_nothing(
    owner: User, browser_of: BrowserOf, credential: str
) -> None:
    browser = browser_of(owner)
    browser.get("/accounts/passkeys/add/", secure=True)
    answer = browser.post("/accounts/passkeys/add/", {"name": "Mine", "credential": credential}, secure=True)
    assert 'value="Mine"' in answer.content.decode()
    assert not owner.authenticator_set.exists()


def test_who_is_not_signed_in_gets_no_challenge() -> None:
    assert Client().get(CHALLENGE).status_code == 302


def test_one_renames_and_removes_only_ones_own(owner: User, viewer: User, browser_of: BrowserOf) -> None:
    mine, theirs = SoftPasskey(owner), SoftPasskey(viewer)
    browser = browser_of(owner)
    for deed in ("rename", "remove"):
        address = f"/accounts/passkeys/{theirs.row.pk}/{deed}/"
        assert browser.post(address, {"name": "Stolen"}).status_code == 404
    browser.post(f"/accounts/passkeys/{mine.row.pk}/rename/", {"name": "Laptop"})
    mine.row.refresh_from_db()
    assert str(mine.row) == "Laptop"
    browser.post(f"/accounts/passkeys/{mine.row.pk}/remove/")
    assert not owner.authenticator_set.exists()
    assert viewer.authenticator_set.exists()
