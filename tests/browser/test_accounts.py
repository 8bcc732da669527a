"""Accounts in a browser: a passkey from its making to an unlock, an authenticator app, an invitation, sessions."""

import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import Fleet, User
from tests.browser.scenarios import PASSWORD, View, problems_of, set_car, sign_in
from tests.browser.test_commands import let_sign_in_age, newest, teslas

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(autouse=True)
def nothing_was_tried_before() -> None:
    cache.clear()


@pytest.fixture
def site(live_server: object, settings: object) -> str:
    """The site by a name: browsers allow no passkeys at an address."""
    return str(settings.SITE_URL).replace("127.0.0.1", "localhost")  # type: ignore[attr-defined]


def device_with_passkeys(page: Page) -> tuple[object, str]:
    """Gives the page's browser a fingerprint reader; returns how to speak to it, and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    return session, made["authenticatorId"]


def to_account(page: Page, user: User) -> None:
    page.get_by_title(user.email).click()
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_role("heading", name="Account", exact=True)).to_be_visible()


def sign_out(page: Page, user: User) -> None:
    page.get_by_title(user.email).click()
    page.get_by_role("button", name="Sign out", exact=True).click()


def add_passkey(page: Page, user: User) -> None:
    """Makes a passkey on the account page, the first of the person; leaves off at the recovery codes."""
    to_account(page, user)
    page.get_by_role("link", name="Add passkey").click()
    page.get_by_label("Name").fill("This laptop")
    page.get_by_role("button", name="Create passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("This laptop")).to_be_visible()


@pytest.mark.usefixtures("worker")
def test_a_passkey_signs_in_and_confirms_an_unlock(
    context: BrowserContext, smartcar: str, site: str, fleet: Fleet, owner: User
) -> None:
    (car,) = teslas(smartcar, fleet=fleet, owner=owner, count=1)
    page = context.new_page()
    problems = problems_of(page)
    device, key = device_with_passkeys(page)
    sign_in(page, site, owner)
    add_passkey(page, owner)
    sign_out(page, owner)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Blue Fleet", exact=True)).to_be_visible()

    set_car(smartcar, car, speed=0, asleep=False, reachable=True, is_locked=True)
    page.goto(f"{site}/fleets/blue/vehicles/{car.smartcar_id}/")
    page.evaluate("window.stillTheSamePage = true")
    let_sign_in_age()
    page.get_by_role("button", name="Unlock", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Keys are inside")
    # Whoever is not recognised confirms nothing, and loses nothing of what was typed.
    device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})  # type: ignore[attr-defined]
    dialog.get_by_role("button", name="Use a passkey instead").click()
    expect(dialog.get_by_role("alert")).to_contain_text("No passkey was used")
    expect(dialog.get_by_label("Reason")).to_have_value("Keys are inside")
    device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})  # type: ignore[attr-defined]
    set_car(smartcar, car, speed=0, asleep=False, reachable=True)
    dialog.get_by_role("button", name="Use a passkey instead").click()
    newest(page, says="Keys are inside")
    newest(page, says="Confirmed")
    assert page.evaluate("window.stillTheSamePage") is True
    # It holds for ten minutes, as a password does.
    page.get_by_role("button", name="Unlock", exact=True).click()
    expect(dialog.get_by_role("button", name="Unlock")).to_be_visible()
    expect(dialog.get_by_label("Your password")).to_have_count(0)
    assert problems == []


def test_who_has_a_passkey_only_confirms_by_it_and_a_password_alone_is_not_enough(
    context: BrowserContext, site: str, fleet: Fleet, owner: User
) -> None:
    page = context.new_page()
    problems = problems_of(page)
    device_with_passkeys(page)
    sign_in(page, site, owner)
    add_passkey(page, owner)
    sign_out(page, owner)
    sign_in(page, site, owner)
    expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Blue Fleet", exact=True)).to_be_visible()

    let_sign_in_age()
    page.goto(f"{site}/accounts/two-factor/app/")
    expect(page.get_by_role("heading", name="Confirm your identity")).to_be_visible()
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Add authenticator app")).to_be_visible()

    owner.refresh_from_db()
    owner.set_unusable_password()
    owner.save()
    page.goto(f"{site}/accounts/sign-in/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Blue Fleet", exact=True)).to_be_visible()
    let_sign_in_age()
    page.goto(f"{site}/fleets/blue/api-tokens/")
    page.get_by_label("Name").fill("Night charging")
    page.get_by_label("Can send commands to vehicles").check()
    expect(page.get_by_label("Your password")).to_have_count(0)
    page.get_by_role("button", name="Confirm with a passkey").click()
    expect(page.get_by_role("heading", name="“Night charging” created")).to_be_visible()
    assert problems == []


def test_an_authenticator_app_is_added_and_asked_for(
    context: BrowserContext, site: str, fleet: Fleet, owner: User
) -> None:
    page = context.new_page()
    problems = problems_of(page)
    sign_in(page, site, owner)
    to_account(page, owner)
    page.get_by_role("link", name="Add authenticator app").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    assert page.get_by_alt_text("QR code").evaluate("image => image.naturalWidth") > 0
    page.get_by_text("Can't scan the code?").click()
    secret = page.get_by_label("Secret").input_value()
    page.get_by_label("Code").fill(shown_by_the_app(secret))
    page.get_by_role("button", name="Add app").click()
    code = page.get_by_role("list", name="Unused codes").get_by_role("listitem").first.inner_text()
    page.get_by_role("link", name="Done").click()
    sign_out(page, owner)

    sign_in(page, site, owner)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    to_account(page, owner)
    expect(page.get_by_text("9 left")).to_be_visible()
    assert problems == []


def shown_by_the_app(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_an_invited_person_joins_and_may_be_signed_out_from_afar(
    context: BrowserContext, chromium: Browser, view: View, site: str, fleet: Fleet, owner: User
) -> None:
    page = context.new_page()
    problems = problems_of(page)
    sign_in(page, site, owner)
    page.get_by_role("link", name="Members").click()
    page.get_by_label("Email").fill("nia@home.example")
    page.get_by_label("Role", exact=True).select_option("Manager")
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.get_by_label("Invitation link").input_value()

    theirs = chromium.new_context(viewport=view.screen, color_scheme=view.theme)
    guest = theirs.new_page()
    more_problems = problems_of(guest)
    guest.goto(link)
    guest.get_by_label("First name").fill("Nia")
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Create account and join").click()
    expect(guest.get_by_role("heading", name="Blue Fleet", exact=True)).to_be_visible()
    nia = User.objects.get(email="nia@home.example")

    to_account(guest, nia)
    guest.get_by_label("Language").select_option("Deutsch")
    guest.get_by_label("Theme").select_option("Dark")
    guest.get_by_role("button", name="Save").click()
    expect(guest.locator("html")).to_have_attribute("lang", "de")
    expect(guest.locator("html")).to_have_attribute("data-bs-theme", "dark")

    page.reload()
    row = page.get_by_role("listitem").filter(has_text="nia@home.example")
    row.get_by_label("Role for Nia", exact=True).select_option("Viewer")
    row.get_by_role("button", name="Change role for Nia").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("Nia: Viewer.")
    # Asked back first; whoever says no keeps the member.
    page.once("dialog", lambda dialog: dialog.dismiss())
    row.get_by_role("button", name="Remove Nia").click()
    expect(row).to_be_visible()

    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Remove Nia").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("is no longer a member")
    answer = guest.goto(f"{link.partition('/accounts/')[0]}/fleets/blue/")
    assert answer is not None
    assert answer.status == 404
    theirs.close()
    assert problems == []
    assert all("404" in problem for problem in more_problems)
