"""The API tokens page: secrets are shown once, and owners see and revoke the tokens of all members."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import ApiToken, Fleet, Membership, User
from accounts.tokens.services import issue_token

BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/api-tokens/"


def issue_token_for(user: User) -> ApiToken:
    membership = Membership.objects.select_related("user", "fleet").get(user=user)
    return issue_token(membership=membership, name=f"Of {user.email}").token


@pytest.mark.parametrize("person", ["owner", "teammate", "viewer"])
def test_a_member_creates_a_token_that_is_shown_once_and_works(
    request: pytest.FixtureRequest, fleet: Fleet, person: str, browser_of: BrowserOf
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    answer = browser.post(PAGE, {"name": "Reports", "days": "30"})
    secret = answer.context["issued"].secret
    assert secret in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert secret not in browser.get(PAGE).content.decode()
    assert Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/vehicles/").status_code == 200
    assert ApiToken.objects.get().expires_at is not None


def test_a_token_may_never_expire(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    browser_of(owner).post(PAGE, {"name": "Reports", "days": ""})
    assert ApiToken.objects.get().expires_at is None


def test_a_token_needs_a_name(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    answer = browser_of(owner).post(PAGE, {"name": " ", "days": "12"})
    assert answer.status_code == 400
    assert "Enter a name for the token" in answer.content.decode()
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(("person", "status"), [("driver", 403), ("outsider", 404)])
def test_users_without_access_get_no_tokens(
    request: pytest.FixtureRequest, fleet: Fleet, person: str, status: int, browser_of: BrowserOf
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.get(PAGE).status_code == status
    assert browser.post(PAGE, {"name": "Reports", "days": "30"}).status_code == status
    assert not ApiToken.objects.exists()


def test_anonymous_users_are_redirected_to_sign_in(fleet: Fleet) -> None:
    assert Client().get(PAGE).status_code == 302


def test_owners_see_and_revoke_all_tokens(owner: User, viewer: User, browser_of: BrowserOf) -> None:
    token = issue_token_for(viewer)
    browser = browser_of(owner)
    assert viewer.email in browser.get(PAGE).content.decode()
    page = browser.post(f"{PAGE}{token.pk}/revoke/", follow=True).content.decode()
    assert "is revoked" in page
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_other_members_see_and_revoke_only_their_own_tokens(
    teammate: User, viewer: User, browser_of: BrowserOf
) -> None:
    token = issue_token_for(viewer)
    browser = browser_of(teammate)
    assert viewer.email not in browser.get(PAGE).content.decode()
    assert browser.post(f"{PAGE}{token.pk}/revoke/").status_code == 404
    assert browser_of(viewer).post(f"{PAGE}{token.pk}/revoke/").status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None


COMMANDING = {"name": "Night charging", "days": "30", "may_command": "on"}


def expire_confirmation(browser: Client) -> None:
    session = browser.session
    session["confirmed_at"] = 0
    session.save()


@pytest.mark.parametrize("person", ["owner", "teammate"])
def test_owners_and_managers_create_tokens_that_send_commands(
    request: pytest.FixtureRequest, fleet: Fleet, person: str, browser_of: BrowserOf
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert 'name="may_command"' in browser.get(PAGE).content.decode()
    assert "Can send commands to vehicles" in browser.post(PAGE, COMMANDING).content.decode()
    assert ApiToken.objects.get().may_command


def test_a_viewer_is_offered_no_token_that_sends_commands(
    viewer: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    browser = browser_of(viewer)
    assert 'name="may_command"' not in browser.get(PAGE).content.decode()
    answer = browser.post(PAGE, COMMANDING)
    assert (answer.status_code, ApiToken.objects.count()) == (400, 0)
    assert "t allow sending commands to vehicles" in answer.content.decode()


def test_after_ten_minutes_a_token_that_sends_commands_needs_the_password(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    owner.set_password("a long one to remember")
    owner.save()
    browser = browser_of(owner)
    expire_confirmation(browser)
    assert 'type="password"' in browser.get(PAGE).content.decode()
    refused = browser.post(PAGE, COMMANDING | {"password": "wrong"})
    assert (refused.status_code, ApiToken.objects.count()) == (400, 0)
    assert "Incorrect password" in refused.content.decode()
    assert "a long one" not in refused.content.decode()
    assert browser.post(PAGE, COMMANDING | {"password": "a long one to remember"}).status_code == 200
    assert ApiToken.objects.get().may_command


def test_five_wrong_passwords_for_a_token_end_the_session(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    expire_confirmation(browser)
    answers = [browser.post(PAGE, COMMANDING | {"password": "wrong"}).status_code for _ in range(5)]
    assert answers == [400, 400, 400, 400, 302]
    assert not ApiToken.objects.exists()
