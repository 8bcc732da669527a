"""Signing in and out by e-mail and password."""

import pytest
from django.test import Client, override_settings

from accounts.models import User
from tests.accounts.conftest import PASSWORD, is_in, sign_in

pytestmark = pytest.mark.django_db
SIGN_IN = "/accounts/sign-in/"


def test_who_gives_address_and_password_is_in_and_led_on(person: User) -> None:
    answer = Client().post(
        SIGN_IN, {"login": person.email, "password": PASSWORD, "next": "/fleets/blue/usage/"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/fleets/blue/usage/")


def test_the_case_of_the_address_does_not_matter(person: User) -> None:
    assert is_in(sign_in(User(email="OWNER@Fleet.example")))


def test_nobody_is_led_to_another_site(person: User) -> None:
    form = {"login": person.email, "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert Client().post(SIGN_IN, form).headers["Location"] == "/"


@pytest.mark.parametrize("email", ["owner@fleet.example", "nobody@fleet.example"])
def test_a_wrong_password_and_an_unknown_address_are_told_alike(person: User, email: str) -> None:
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
    assert not is_in(client)


def test_without_redis_people_sign_in_and_tries_are_still_counted(person: User) -> None:
    gone = {"BACKEND": "core.cache.FallbackRedisCache", "LOCATION": "redis://127.0.0.1:1/7"}
    with override_settings(CACHES={"default": gone}):
        assert is_in(sign_in(person))
        for _ in range(5):
            sign_in(person, password="wrong")
        assert not is_in(sign_in(person))


def test_a_closed_account_opens_nothing_and_is_told_so(person: User) -> None:
    User.objects.update(is_active=False)
    client = Client()
    answer = client.post(SIGN_IN, {"login": person.email, "password": PASSWORD}, follow=True)
    assert "This account is deactivated" in answer.content.decode()
    assert not is_in(client)


def test_signing_out_leads_to_signing_in(person: User) -> None:
    client = sign_in(person)
    assert client.post("/accounts/sign-out/").headers["Location"] == SIGN_IN
    assert not is_in(client)


@pytest.mark.parametrize("address", ["/accounts/signup/", "/accounts/sign-up/", "/accounts/login/"])
def test_nobody_signs_up_by_themselves(address: str) -> None:
    assert Client().get(address).status_code == 404


def test_a_new_person_of_the_demo_or_the_admin_signs_in_at_once() -> None:
    """No address has to be confirmed first, and none is left half-known."""
    made = User.objects.create_user("Demo@Fleet.example", PASSWORD)
    assert made.email == "demo@fleet.example"
    assert is_in(sign_in(made))
    address = made.emailaddress_set.get()
    assert (address.email, address.verified, address.primary) == (made.email, True, True)
    made.email = "other@fleet.example"
    made.save()
    assert [each.email for each in made.emailaddress_set.all()] == ["other@fleet.example"]


def test_the_admin_asks_by_the_same_page(person: User) -> None:
    answer = Client().get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/sign-in/?next=")
    person.is_staff = True
    person.save()
    assert sign_in(person).get("/admin/").status_code == 200


def test_the_admins_own_form_lets_nobody_in(person: User, viewer: User) -> None:
    """It knows of no second factor; so even staff cannot change over to somebody else there."""
    User.objects.update(is_staff=True)
    staff = Client()
    staff.force_login(viewer)
    staff.post("/admin/login/", {"username": person.email, "password": PASSWORD})
    assert staff.session["_auth_user_id"] == str(viewer.pk)
    stranger = Client()
    stranger.post("/admin/login/", {"username": person.email, "password": PASSWORD})
    assert not is_in(stranger)


def test_who_is_no_staff_is_told_so_by_the_admin(person: User) -> None:
    assert sign_in(person).get("/admin/", follow=True).status_code == 403
