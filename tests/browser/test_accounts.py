"""Accounts in a browser: passkeys, an authenticator app, and inviting and removing a member."""

import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import Fleet, User
from tests.browser.scenarios import (
    PASSWORD,
    View,
    collect_problems,
    open_pages,
    set_vehicle_state,
    sign_in,
)
from tests.browser.test_commands import connect_teslas, expect_newest_command, expire_reauthentication

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(autouse=True)
def no_previous_attempts() -> None:
    cache.clear()


@pytest.fixture
def site(live_server: object, settings: object) -> str:
    """The site's URL with a host name, because browsers don't allow passkeys for an IP address."""
    return str(settings.SITE_URL).replace("127.0.0.1", "localhost")  # type: ignore[attr-defined]


def add_authenticator(page: Page) -> tuple[object, str]:
    """Add a virtual fingerprint reader to the page's browser. Return its CDP session and its ID."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    authenticator = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return session, authenticator["authenticatorId"]


def open_account(page: Page, user: User) -> None:
    open_pages(page)
    page.get_by_title(user.email).click()
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_role("heading", name="Account", exact=True)).to_be_visible()


def sign_out(page: Page, user: User) -> None:
    open_pages(page)
    page.get_by_title(user.email).click()
    page.get_by_role("button", name="Sign out", exact=True).click()


def add_passkey(page: Page, user: User) -> None:
    """Create the user's first passkey on the account page, and confirm the recovery codes."""
    open_account(page, user)
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
    (vehicle,) = connect_teslas(smartcar, fleet=fleet, owner=owner, count=1)
    page = context.new_page()
    problems = collect_problems(page)
    device, authenticator_id = add_authenticator(page)
    sign_in(page, site, owner)
    add_passkey(page, owner)
    sign_out(page, owner)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Blue Fleet", exact=True)).to_be_visible()

    set_vehicle_state(smartcar, vehicle, speed=0, asleep=False, reachable=True, is_locked=True)
    page.goto(f"{site}/fleets/blue/vehicles/{vehicle.smartcar_id}/")
    page.evaluate("window.stillTheSamePage = true")
    expire_reauthentication()
    page.get_by_role("button", name="Unlock", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Keys are inside")
    # Failed user verification doesn't confirm the command, and the form keeps its values.
    device.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator_id, "isUserVerified": False})  # type: ignore[attr-defined]
    dialog.get_by_role("button", name="Use a passkey instead").click()
    expect(dialog.get_by_role("alert")).to_contain_text("No passkey was used")
    expect(dialog.get_by_label("Reason")).to_have_value("Keys are inside")
    device.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator_id, "isUserVerified": True})  # type: ignore[attr-defined]
    set_vehicle_state(smartcar, vehicle, speed=0, asleep=False, reachable=True)
    dialog.get_by_role("button", name="Use a passkey instead").click()
    expect_newest_command(page, text="Keys are inside")
    expect_newest_command(page, text="Confirmed")
    assert page.evaluate("window.stillTheSamePage") is True
    # The confirmation is valid for ten minutes, as with a password.
    page.get_by_role("button", name="Unlock", exact=True).click()
    expect(dialog.get_by_role("button", name="Unlock")).to_be_visible()
    expect(dialog.get_by_label("Your password")).to_have_count(0)
    assert problems == []


def test_a_passkey_is_required_after_a_password_and_works_without_one(
    context: BrowserContext, site: str, fleet: Fleet, owner: User
) -> None:
    page = context.new_page()
    problems = collect_problems(page)
    add_authenticator(page)
    sign_in(page, site, owner)
    add_passkey(page, owner)
    sign_out(page, owner)
    sign_in(page, site, owner)
    expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Blue Fleet", exact=True)).to_be_visible()

    expire_reauthentication()
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
    expire_reauthentication()
    page.goto(f"{site}/fleets/blue/api-tokens/")
    page.get_by_label("Name").fill("Night charging")
    page.get_by_label("Can send commands to vehicles").check()
    expect(page.get_by_label("Your password")).to_have_count(0)
    page.get_by_role("button", name="Confirm with a passkey").click()
    expect(page.get_by_role("heading", name="“Night charging” created")).to_be_visible()
    assert problems == []


def test_an_authenticator_app_is_added_and_required(
    context: BrowserContext, site: str, fleet: Fleet, owner: User
) -> None:
    page = context.new_page()
    problems = collect_problems(page)
    sign_in(page, site, owner)
    open_account(page, owner)
    page.get_by_role("link", name="Add authenticator app").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    assert page.get_by_alt_text("QR code").evaluate("image => image.naturalWidth") > 0
    page.get_by_text("Can't scan the code?").click()
    secret = page.get_by_label("Setup key").input_value()
    page.get_by_label("Code").fill(totp_code(secret))
    page.get_by_role("button", name="Add app").click()
    code = page.get_by_role("list", name="Unused codes").get_by_role("listitem").first.inner_text()
    page.get_by_role("link", name="Done").click()
    sign_out(page, owner)

    sign_in(page, site, owner)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    open_account(page, owner)
    expect(page.get_by_text("9 left")).to_be_visible()
    assert problems == []


def totp_code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_an_invited_member_joins_and_can_be_removed(
    context: BrowserContext, chromium: Browser, view: View, site: str, fleet: Fleet, owner: User
) -> None:
    page = context.new_page()
    problems = collect_problems(page)
    sign_in(page, site, owner)
    open_pages(page)
    page.get_by_role("link", name="Members").click()
    page.get_by_label("Email").fill("nia@home.example")
    page.get_by_label("Role", exact=True).select_option("Manager")
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.get_by_label("Invitation link").input_value()

    guest_context = chromium.new_context(viewport=view.screen, color_scheme=view.theme)
    guest = guest_context.new_page()
    guest_problems = collect_problems(guest)
    guest.goto(link)
    guest.get_by_label("First name").fill("Nia")
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Create account and join").click()
    expect(guest.get_by_role("heading", name="Blue Fleet", exact=True)).to_be_visible()
    nia = User.objects.get(email="nia@home.example")

    open_account(guest, nia)
    guest.get_by_label("Language").select_option("Deutsch")
    guest.get_by_label("Theme").select_option("Dark")
    guest.get_by_role("button", name="Save").click()
    expect(guest.locator("html")).to_have_attribute("lang", "de")
    expect(guest.locator("html")).to_have_attribute("data-bs-theme", "dark")

    page.reload()
    row = page.get_by_role("listitem").filter(has_text="nia@home.example")
    row.get_by_label("Role for Nia", exact=True).select_option("Viewer")
    row.get_by_role("button", name="Change role for Nia").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("Role changed for Nia: Viewer.")
    # Dismissing the confirmation leaves the member in the fleet.
    page.once("dialog", lambda dialog: dialog.dismiss())
    row.get_by_role("button", name="Remove Nia").click()
    expect(row).to_be_visible()

    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Remove Nia").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("is no longer a member")
    response = guest.goto(f"{link.partition('/accounts/')[0]}/fleets/blue/")
    assert response is not None
    assert response.status == 404
    guest_context.close()
    assert problems == []
    assert all("404" in problem for problem in guest_problems)
