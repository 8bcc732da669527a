"""Signing in and out by email and password."""

import pytest
from django.test import Client, override_settings

from accounts.models import User
from tests.accounts.conftest import PASSWORD, is_signed_in, sign_in

pytestmark = pytest.mark.django_db
SIGN_IN = "/accounts/sign-in/"


def test_signing_in_redirects_to_the_requested_page(person: User) -> None:
    answer = Client().post(
        SIGN_IN, {"login": person.email, "password": PASSWORD, "next": "/fleets/blue/usage/"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/fleets/blue/usage/")


def test_addresses_are_case_insensitive(person: User) -> None:
    assert is_signed_in(sign_in(User(email="OWNER@Fleet.example")))


def test_signing_in_never_redirects_to_another_site(person: User) -> None:
    form = {"login": person.email, "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert Client().post(SIGN_IN, form).headers["Location"] == "/"


@pytest.mark.parametrize("email", ["owner@fleet.example", "nobody@fleet.example"])
def test_a_wrong_password_and_an_unknown_address_get_the_same_message(person: User, email: str) -> None:
    answer = Client().post(SIGN_IN, {"login": email, "password": "wrong"})
    page = answer.content.decode()
    assert "Incorrect email or password. Check both and try again" in page
    assert f'value="{email}"' in page
    assert "wrong" not in page


def test_after_five_wrong_passwords_the_right_one_has_to_wait(person: User) -> None:
    for _ in range(5):
        sign_in(person, password="wrong")
    client = Client()
    answer = client.post(SIGN_IN, {"login": person.email, "password": PASSWORD})
    assert "Too many failed attempts" in answer.content.decode()
    assert not is_signed_in(client)


def test_without_redis_users_sign_in_and_attempts_are_still_counted(person: User) -> None:
    unreachable = {"BACKEND": "core.cache.FallbackRedisCache", "LOCATION": "redis://127.0.0.1:1/7"}
    with override_settings(CACHES={"default": unreachable}):
        assert is_signed_in(sign_in(person))
        for _ in range(5):
            sign_in(person, password="wrong")
        assert not is_signed_in(sign_in(person))


def test_a_deactivated_account_cannot_sign_in(person: User) -> None:
    User.objects.update(is_active=False)
    client = Client()
    answer = client.post(SIGN_IN, {"login": person.email, "password": PASSWORD}, follow=True)
    assert "This account is deactivated" in answer.content.decode()
    assert not is_signed_in(client)


def test_signing_out_leads_to_signing_in(person: User) -> None:
    client = sign_in(person)
    assert client.post("/accounts/sign-out/").headers["Location"] == SIGN_IN
    assert not is_signed_in(client)


@pytest.mark.parametrize("address", ["/accounts/signup/", "/accounts/sign-up/", "/accounts/login/"])
def test_there_is_no_public_sign_up(address: str) -> None:
    assert Client().get(address).status_code == 404


def test_users_created_by_the_demo_or_the_admin_can_sign_in_immediately() -> None:
    """The address counts as confirmed, and no previous address remains."""
    user = User.objects.create_user("Demo@Fleet.example", PASSWORD)
    assert user.email == "demo@fleet.example"
    assert is_signed_in(sign_in(user))
    address = user.emailaddress_set.get()
    assert (address.email, address.verified, address.primary) == (user.email, True, True)
    user.email = "other@fleet.example"
    user.save()
    assert [each.email for each in user.emailaddress_set.all()] == ["other@fleet.example"]


def test_the_admin_uses_the_same_sign_in_page(person: User) -> None:
    answer = Client().get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/sign-in/?next=")
    person.is_staff = True
    person.save()
    assert sign_in(person).get("/admin/").status_code == 200


def test_the_admins_own_form_signs_nobody_in(person: User, viewer: User) -> None:
    """The admin's own form doesn't support second factors, so even staff can't switch to another user there."""
    User.objects.update(is_staff=True)
    staff = Client()
    staff.force_login(viewer)
    staff.post("/admin/login/", {"username": person.email, "password": PASSWORD})
    assert staff.session["_auth_user_id"] == str(viewer.pk)
    stranger = Client()
    stranger.post("/admin/login/", {"username": person.email, "password": PASSWORD})
    assert not is_signed_in(stranger)


def test_the_admin_rejects_users_who_are_not_staff(person: User) -> None:
    assert sign_in(person).get("/admin/", follow=True).status_code == 403
