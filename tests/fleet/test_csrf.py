"""Forms whose CSRF token is outdated: nothing is done, and what was typed isn't lost."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from accounts.models import Fleet, User
from vehicles.models import Place

pytestmark = pytest.mark.django_db
NEW = "/fleets/blue/places/new/"
TYPED = {"name": "Depot <North>", "kind": "depot", "latitude": "52.5", "longitude": "13.4", "radius": "300"}
HERE = {"Origin": "http://testserver", "Referer": f"http://testserver{NEW}"}


@pytest.fixture
def stale(fleet: Fleet, owner: User) -> tuple[Client, str]:
    """A browser, and the token of a form that it opened before the user signed in again."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    token = _token(client.get(NEW).content.decode())
    client.logout()
    client.get("/accounts/sign-in/")
    client.force_login(owner)
    client.cookies["csrftoken"] = "x" * 32
    return client, token


def _token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found
    return found[1]


def post(stale: tuple[Client, str], path: str, form: Mapping[str, str], **headers: str) -> Any:
    client, token = stale
    return client.post(path, {**form, "csrfmiddlewaretoken": token}, headers=headers)


def test_an_outdated_form_is_shown_again_and_can_be_sent(stale: tuple[Client, str]) -> None:
    answer = post(stale, NEW, TYPED, **HERE)
    page = answer.content.decode()
    assert (answer.status_code, Place.objects.count()) == (403, 0)
    assert "The form is outdated" in page
    assert "<dd>Depot &lt;North&gt;</dd>" in page
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    assert fields == TYPED | {"name": "Depot &lt;North&gt;", "csrfmiddlewaretoken": _token(page)}
    fields["name"] = TYPED["name"]
    assert stale[0].post(NEW, fields, headers=HERE).status_code == 302
    assert Place.objects.get().name == TYPED["name"]


@pytest.mark.parametrize(
    ("language", "title"), [("de", "Das Formular ist veraltet"), ("fr", "Le formulaire est périmé")]
)
def test_the_page_is_in_the_user_s_language(
    stale: tuple[Client, str], owner: User, language: str, title: str
) -> None:
    User.objects.filter(pk=owner.pk).update(language=language)
    assert title in post(stale, NEW, TYPED, **HERE).content.decode()


def test_passwords_are_not_sent_back(stale: tuple[Client, str]) -> None:
    form = {"login": "jo@fleet.example", "password": "a secret of mine"}
    sign_in = HERE | {"Referer": "http://testserver/accounts/sign-in/?next=/fleets/"}
    page = post(stale, "/accounts/sign-in/", form, **sign_in).content.decode()
    assert "a secret of mine" not in page
    assert "jo@fleet.example" in page
    assert 'href="/accounts/sign-in/?next=/fleets/"' in page
    assert "Send again" not in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Referer": "https://evil.example/"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://["},
        HERE | {"Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
def test_a_form_of_another_site_cannot_be_sent_again(
    stale: tuple[Client, str], headers: dict[str, str]
) -> None:
    answer = post(stale, NEW, TYPED, **headers)
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Send again" not in page
    assert "Depot" not in page
    assert "evil" not in page


def test_a_page_that_sends_parts_is_loaded_again_and_says_why(stale: tuple[Client, str]) -> None:
    path = "/fleets/blue/integration/check/"
    answer = post(stale, path, {}, **HERE, **{"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"
    assert "Nothing was saved or sent" in stale[0].get(NEW).content.decode()
