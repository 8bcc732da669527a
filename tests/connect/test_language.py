"""The language of texts for drivers: the one selected for the driver, otherwise the one that the browser requests."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils.translation import gettext
from pytest_django import Settings

from accounts.models import Fleet, User
from connect import oauth_errors
from connect.connections.selectors import Driver
from connect.connections.services import create_link
from connect.driver_language import activate
from connect.driver_portal import services as drivers
from connect.invitations import driver_messages
from connect.models import Connection, ConnectionState, DriverPortal, Invitation
from connect.offboarding import worker
from connect.offboarding.models import ErasureScope
from connect.scopes import FLEET_SCOPES
from connect.status.states import AuthorizationPurpose
from tests.connect.invited import at_connect, invited, walk
from tests.html_text import sentences_of
from tests.outgoing import send_pending
from tests.smartcar import authorize
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
translated = pytest.mark.parametrize("language", ["de", "fr"])
# Names, and words that are the same in more than one language.
NAMES = {
    "Smartcar Fleet", "Blue Fleet", "Dana", "English", "Deutsch", "Français", "Van 1", "Tesla Model 3 2022",
    "UTC", "UTC.", "Invitation", "Invitation · Smartcar Fleet", "VIN",
}  # fmt: skip
# The Accept-Language header of a browser for each.
ACCEPT_LANGUAGE = {"de": "de-AT,de;q=0.9,en;q=0.5", "fr": "fr-CH, fr;q=0.9", "en": "en-GB", "it": "it"}


def browser(language: str) -> Client:
    return Client(headers={"accept-language": ACCEPT_LANGUAGE[language]})


def read(path: str, language: str = "en") -> str:
    return browser(language).get(path).content.decode()


def untranslated(page: str, english: str) -> set[str]:
    return (sentences_of(page) & sentences_of(english)) - NAMES


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        scopes=list(FLEET_SCOPES),
    )


@pytest.fixture
def page(connection: Connection, owner: User) -> DriverPortal:
    invitation = invited(fleet=connection.fleet, user=owner, driver_email="dana@example.com")
    return drivers.portal_after_authorization(invitation=invitation, smartcar_user_id="user-1", language="de")


# The invitation


@translated
def test_invitation_is_in_the_language_selected_for_it(fleet: Fleet, owner: User, language: str) -> None:
    invitation = invited(fleet=fleet, user=owner, language=language)
    answer = browser("en").get(invitation.path)
    page = answer.content.decode()
    assert f'<html lang="{language}"' in page
    assert answer.headers["Content-Language"] == language
    english = read(invited(fleet=fleet, user=owner).path)
    assert untranslated(page, english) == {"owner@fleet.example"} & sentences_of(page)


def test_german_and_french_pages_are_in_that_language(fleet: Fleet, owner: User) -> None:
    until = datetime(2030, 3, 1, 8, 5, tzinfo=UTC)
    german = read(invited(fleet=fleet, user=owner, language="de", expires_at=until).path)
    assert "Blue Fleet bittet Sie, Ihr Auto freizugeben" in german
    assert "1. März 2030, 08:05" in german
    french = read(invited(fleet=fleet, user=owner, language="fr", expires_at=until).path)
    assert "Blue Fleet vous demande de partager votre voiture" in french
    assert "1 mars 2030, 08:05" in french


@pytest.mark.parametrize(
    ("requested", "shown"), [("de", "de"), ("fr", "fr"), ("en", "en"), ("it", "en")], ids=str
)
def test_browser_language_is_used_if_none_is_selected(
    fleet: Fleet, owner: User, requested: str, shown: str
) -> None:
    assert f'<html lang="{shown}"' in read(invited(fleet=fleet, user=owner).path, requested)


@pytest.mark.usefixtures("mails")
def test_unsupported_language_is_treated_as_unset(fleet: Fleet, owner: User) -> None:
    invitation = invited(fleet=fleet, user=owner, language="xx", driver_email="d@example.com", by_email=True)
    assert '<html lang="fr"' in read(invitation.path, "fr")
    send_pending()
    assert mail.outbox[0].subject == "Blue Fleet asks you to share your car"


@translated
@pytest.mark.parametrize("end", ["used", "used link", "revoked", "expired"])
def test_ended_invitation_is_explained_in_its_language(
    fleet: Fleet, owner: User, connection: Connection, language: str, end: str
) -> None:
    now = datetime.now(UTC)
    every: dict[str, dict[str, Any]] = {
        "used": {"used_at": now},
        "used link": {"used_at": now, "connection": connection},
        "revoked": {"revoked_at": now},
        "expired": {"expires_at": now},
    }
    pages = []
    for each in (language, "en"):
        invitation = invited(fleet=fleet, user=owner, language=each)
        Invitation.objects.filter(pk=invitation.pk).update(**every[end])
        pages.append(read(invitation.path))
    assert untranslated(*pages) == set()


@pytest.mark.usefixtures("mails")
@translated
@pytest.mark.parametrize("purpose", AuthorizationPurpose)
def test_link_for_a_vehicle_is_in_the_language_of_the_driver_portal(
    page: DriverPortal, connection: Connection, owner: User, language: str, purpose: AuthorizationPurpose
) -> None:
    error = "CONNECTED_SERVICES_ACCOUNT:SUBSCRIPTION"
    connection.move_to(ConnectionState.NEEDS_REAUTHENTICATION, now=datetime.now(UTC), error=error)
    pages = []
    for each in (language, "en"):
        drivers.choose_language(page=page, language=each)
        dana = Driver("Dana", "dana@example.com")
        link = create_link(connection=connection, user=owner, purpose=purpose, driver=dana, by_email=True)
        send_pending()
        pages.append(read(link.path))
    assert untranslated(*pages) <= {"owner@fleet.example"}
    translated_email, english = mail.outbox
    assert translated_email.subject != english.subject
    same = set(translated_email.body.splitlines()) & set(english.body.splitlines())
    assert same <= {""}


@translated
def test_every_reason_and_outcome_is_translated(language: str) -> None:
    reasons = [
        "",
        *(
            f"CONNECTED_SERVICES_ACCOUNT:{code}"
            for code in (
                "AUTHENTICATION_FAILED",
                "ACCOUNT_ISSUE",
                "NO_VEHICLES",
                "VEHICLE_MISSING",
                "SUBSCRIPTION",
            )
        ),
    ]
    errors = [each for each in vars(oauth_errors).values() if isinstance(each, oauth_errors.ConnectError)]
    errors += [oauth_errors.error_for(error=error) for error in ("new", *oauth_errors._BY_ERROR)]
    texts_by_language = []
    for each in (language, "en"):
        with activate(each):
            texts = [driver_messages.why(error) for error in reasons] + [
                driver_messages.next_step(error) for error in reasons
            ]
            texts_by_language.append(
                [*texts, *(text for one in errors for text in (one.title, gettext(one.for_driver)))]
            )
    assert len(errors) >= 18
    assert [text for text, english in zip(*texts_by_language, strict=True) if text == english and text] == []


# The callback from Smartcar


@translated
def test_language_of_the_invitation_is_used_for_the_page_and_both_emails(
    smartcar: str, fleet: Fleet, owner: User, settings: Settings, language: str
) -> None:
    settings.EMAIL_ENABLED = True
    invitation = invited(
        fleet=fleet, user=owner, language=language, driver_email="dana@example.com", by_email=True
    )
    answer = walk(smartcar, browser("en"), invitation, count=1)
    assert f'<html lang="{language}"' in answer.content.decode()
    assert not any("connected to Blue Fleet" in text for text in sentences_of(answer.content.decode()))
    assert DriverPortal.objects.get().language == language
    send_pending()
    invitation = invited(
        fleet=fleet, user=owner, language=language, driver_email="dana@example.com", by_email=True
    )
    send_pending()
    greeting = {"de": "Guten Tag Dana,", "fr": "Bonjour Dana,"}[language]
    assert len(mail.outbox) == 2
    assert all(sent.body.lstrip().startswith(greeting) for sent in mail.outbox)
    about = {"de": "Ihre Freigabeseite für Blue Fleet", "fr": "Votre page de partage avec Blue Fleet"}[
        language
    ]
    assert about in [sent.subject for sent in mail.outbox]


def test_portal_stores_the_language_of_the_browser(smartcar: str, fleet: Fleet, owner: User) -> None:
    walk(smartcar, browser("fr"), invited(fleet=fleet, user=owner), count=1)
    page = DriverPortal.objects.get()
    assert page.language == "fr"
    assert '<html lang="fr"' in read(page.path, "en")


@translated
@pytest.mark.parametrize("outcome", ["deny", "incompatible"])
def test_authorization_without_a_vehicle_is_explained_in_the_language_of_the_invitation(
    fleet: Fleet, owner: User, language: str, outcome: str
) -> None:
    error = {
        "deny": {"error": "access_denied"},
        "incompatible": {"error": "vehicle_incompatible", "make": "TESLA", "year": "2011"},
    }[outcome]
    pages = []
    for each in (language, "en"):
        device = browser("it")
        address = at_connect(device, invited(fleet=fleet, user=owner, language=each))
        state = address.partition("state=")[2].partition("&")[0]
        pages.append(device.get("/connect/callback/", {"state": state} | error).content.decode())
    assert f'<html lang="{language}"' in pages[0]
    assert untranslated(*pages) <= {"Tesla"}


def test_callback_without_an_invitation_is_in_the_language_the_browser_started_with(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    device = browser("fr")
    params = authorize(smartcar, at_connect(device, invited(fleet=fleet, user=owner, language="de")), count=1)
    answer = device.get("/connect/callback/", params | {"state": "made-up"})
    assert "Keine passende Anfrage gefunden" in answer.content.decode()
    unknown = browser("fr").get("/connect/callback/", {"state": "made-up"}).content.decode()
    assert '<html lang="fr"' in unknown


# The driver portal


@translated
def test_driver_portal_is_in_its_language_in_every_state(
    page: DriverPortal, connection: Connection, language: str
) -> None:
    def post_action(action: str, **values: str) -> None:
        browser("it").post(f"{page.path}{connection.pk}/{action}/", values)

    def both_read(path: str) -> tuple[str, str]:
        drivers.choose_language(page=page, language="en")
        english = read(path)
        drivers.choose_language(page=page, language=language)
        return read(path), english

    steps: list[tuple[str, dict[str, str]]] = [
        ("pause", {"lasts": "hour"}),
        ("pause", {"lasts": "open"}),
        ("resume", {}),
        ("hours", {"starts": "00:00", "ends": "00:01"}),
        ("hours", {"starts": "08:00", "ends": "17:00", "weekdays_only": "on"}),
        ("withdraw", {"extent": "places"}),
    ]
    assert untranslated(*both_read(page.path)) == set()
    for action, values in steps:
        post_action(action, **values)
        assert untranslated(*both_read(page.path)) == set(), action


@translated
@pytest.mark.parametrize(
    ("action", "values"),
    [
        ("pause", {"lasts": "hour"}),
        ("pause", {}),
        ("resume", {}),
        ("hours", {"starts": "08:00", "ends": "17:00"}),
        ("hours", {}),
        ("all-hours", {}),
        ("withdraw", {"extent": "nothing"}),
        ("withdraw", {}),
    ],
)
def test_result_of_an_action_is_shown_in_the_language_of_the_portal(
    page: DriverPortal, connection: Connection, language: str, action: str, values: dict[str, str]
) -> None:
    messages = []
    for each in (language, "en"):
        Connection.objects.update(state=ConnectionState.ACTIVE)
        drivers.choose_language(page=page, language=each)
        answer = browser("it").post(f"{page.path}{connection.pk}/{action}/", values, follow=True)
        messages.append({str(message) for message in answer.context["messages"]})
    assert len(messages[0]) == len(messages[1]) == 1
    assert messages[0] != messages[1]


@translated
def test_receipt_and_its_progress_are_in_the_language_of_the_portal(
    smartcar: str, page: DriverPortal, connection: Connection, language: str
) -> None:
    offboarding = drivers.withdraw(connection=connection, extent=ErasureScope.EVERYTHING)
    path = f"{page.path}receipts/{offboarding.pk}/"
    for finished in (False, True):
        if finished:
            worker.run(offboarding_id=offboarding.pk)
        for address in (path, f"{path}progress/"):
            drivers.choose_language(page=page, language="en")
            english = read(address)
            drivers.choose_language(page=page, language=language)
            assert untranslated(read(address), english) <= {offboarding.vehicle.smartcar_id}


def test_driver_selects_another_language_in_the_portal(page: DriverPortal) -> None:
    device = browser("de")
    answer = device.post(f"{page.path}language/", {"language": "fr"}, follow=True)
    assert '<html lang="fr"' in answer.content.decode()
    page.refresh_from_db()
    assert page.language == "fr"
    assert device.post(f"{page.path}language/", {"language": "xx"}).status_code == 400
    assert device.get(f"{page.path}language/").status_code == 405
    page.refresh_from_db()
    assert page.language == "fr"


def test_connecting_by_another_invitation_retains_the_language_of_the_portal(
    page: DriverPortal, owner: User
) -> None:
    drivers.choose_language(page=page, language="fr")
    second = invited(fleet=page.fleet, user=owner, language="de")
    assert (
        drivers.portal_after_authorization(
            invitation=second, smartcar_user_id="user-1", language="de"
        ).language
        == "fr"
    )


def test_new_link_by_the_manager_retains_the_language(
    page: DriverPortal, owner: User, settings: Settings
) -> None:
    settings.EMAIL_ENABLED = True
    again = drivers.renew(page=page, user=owner)
    send_pending()
    assert again.language == "de"
    assert mail.outbox[0].subject == "Ihre Freigabeseite für Blue Fleet"


def test_invalid_link_is_explained_in_the_language_of_the_browser(page: DriverPortal) -> None:
    for path in (f"/connect/driver/{'0' * 64}/", f"/connect/invitation/{'0' * 64}/"):
        answer = browser("de").get(path)
        assert answer.status_code == 404
        assert "Dieser Link ist ungültig" in answer.content.decode()
    drivers.choose_language(page=page, language="fr")
    answer = browser("de").get(f"{page.path}receipts/1/")
    assert answer.status_code == 404
    assert page.path in answer.content.decode()
    assert "est plus disponible. Votre lien fonctionne toujours" in answer.content.decode()


def test_closing_the_link_is_confirmed_in_the_language_of_the_portal(page: DriverPortal) -> None:
    answer = browser("en").post(f"{page.path}close/")
    assert "Dieser Link ist geschlossen" in answer.content.decode()
    assert read(page.path, "fr").count('<html lang="fr"') == 1


# The manager


def test_manager_selects_the_language(fleet: Fleet, teammate: User, browser_of: BrowserOf) -> None:
    form = {"driver_name": "Dana", "mode": "live", "language": "fr"}
    answer = browser_of(teammate).post("/fleets/blue/invitations/", form)
    assert answer.status_code == 302
    assert Invitation.objects.get().language == "fr"
    refused = browser_of(teammate).post("/fleets/blue/invitations/", form | {"language": "xx"})
    assert refused.status_code == 400
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 302), ("teammate", 302), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_who_can_select_the_language(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    form = {"driver_name": "Dana", "mode": "live", "language": "de"}
    device = browser_of(request.getfixturevalue(person))
    assert device.post("/fleets/blue/invitations/", form).status_code == status
    assert Invitation.objects.exists() == (status == 302)
