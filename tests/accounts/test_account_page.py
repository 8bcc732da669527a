"""The account page: name, language, theme, sessions."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from accounts.sessions import device_of
from tests.accounts.conftest import is_signed_in, sign_in

pytestmark = pytest.mark.django_db
PAGE = "/accounts/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize("role", ["owner", "teammate", "viewer", "driver", "outsider"])
def test_every_user_has_an_account_page(
    request: pytest.FixtureRequest, role: str, browser_of: Callable[[User], Client]
) -> None:
    user = request.getfixturevalue(role)
    page = browser_of(user).get(PAGE)
    assert page.status_code == 200
    assert user.email in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]


def test_name_language_and_theme_apply_immediately(person: User) -> None:
    client = sign_in(person)
    form = {"first_name": "Jo", "last_name": "Ray", "language": "de", "theme": "dark"}
    page = client.post(PAGE, form, follow=True).content.decode()
    assert '<html lang="de"' in page
    assert 'data-theme="dark"' in page
    assert "Jo Ray" in page
    page = client.post(PAGE, form | {"language": "", "theme": ""}, follow=True).content.decode()
    assert '<html lang="en"' in page
    assert "data-theme" not in page


def test_an_unsupported_language_is_rejected_and_the_form_preserved(person: User) -> None:
    answer = sign_in(person).post(PAGE, {"first_name": "Jo", "language": "xx", "theme": "pink"})
    assert answer.status_code == 400
    assert 'value="Jo"' in answer.content.decode()
    person.refresh_from_db()
    assert (person.first_name, person.language, person.theme) == ("", "", "")


def test_other_form_fields_are_ignored(person: User) -> None:
    sign_in(person).post(PAGE, {"first_name": "Jo", "is_staff": "on", "email": "other@x.example"})
    person.refresh_from_db()
    assert (person.is_staff, person.email) == (False, "owner@fleet.example")


def test_each_browser_is_listed_and_may_be_signed_out(person: User) -> None:
    here = sign_in(person)
    phone = sign_in(person, client=Client(headers={"User-Agent": FIREFOX}))
    listed = here.get(PAGE).context["sessions"]
    assert [each.is_here for each in listed] == [True, False]
    assert listed[1].device == "Firefox on Linux"
    assert here.post(f"/accounts/sessions/{listed[1].pk}/end/").status_code == 302
    assert phone.get(PAGE).status_code == 302
    assert here.get(PAGE).status_code == 200


def test_all_others_may_be_signed_out_at_once(person: User) -> None:
    here, *others = (sign_in(person) for _ in range(3))
    page = here.post("/accounts/sessions/end-others/", follow=True).content.decode()
    assert "Signed out of 2 other browsers" in page
    assert [client.get(PAGE).status_code for client in others] == [302, 302]
    assert is_signed_in(here)


def test_users_cannot_end_sessions_of_other_users(
    person: User, viewer: User, browser_of: Callable[[User], Client]
) -> None:
    here = sign_in(person)
    (mine,) = here.get(PAGE).context["sessions"]
    assert browser_of(viewer).post(f"/accounts/sessions/{mine.pk}/end/").status_code == 404
    assert here.get(PAGE).status_code == 200


def test_a_poll_of_an_ended_session_reloads_the_page(person: User) -> None:
    here, other = sign_in(person), sign_in(person)
    here.post("/accounts/sessions/end-others/")
    assert other.get("/fleets/blue/list/", headers={"HX-Request": "true"})["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("user_agent", "description"),
    [(FIREFOX, "Firefox on Linux"), ("", "Unknown browser"), ("curl/8.5.0", "curl")],
)
def test_devices_are_described(user_agent: str, description: str) -> None:
    assert device_of(user_agent) == description


@pytest.mark.parametrize(
    ("host", "secure", "possible"),
    [
        ("localhost", False, True),
        ("127.0.0.1", False, False),
        ("testserver", False, False),
        ("testserver", True, True),
    ],
)
def test_passkeys_are_offered_where_browsers_allow_them(
    person: User, host: str, secure: bool, possible: bool
) -> None:
    client = sign_in(person)
    page = client.get(PAGE, headers={"Host": host}, secure=secure)
    assert page.context["passkeys_possible"] is possible
