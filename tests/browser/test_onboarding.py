"""A new fleet's checklist in a browser: each step turns green by itself, on a desk and on a phone."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django import Settings

from accounts.models import Fleet, User
from tests.browser.axe import violations
from tests.browser.scenarios import View, problems_of
from tests.connect.invited import invited
from tests.servers import Simulator
from tests.smartcar import connect, register_webhook, reset, subscribe
from webhooks.verifications import verifications

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WEBHOOK_ID = django_settings.SMARTCAR_WEBHOOK_ID


@pytest.fixture
def unregistered(simulator: Simulator, live_server: object, settings: Settings) -> Iterator[str]:
    """The simulator before anybody made a webhook in its dashboard."""
    reset(simulator.url)
    verifications.reset()
    settings.SMARTCAR_WEBHOOK_ID = ""
    yield simulator.url
    reset(simulator.url)


@pytest.fixture
def context(context: BrowserContext, owner: User, fleet: Fleet) -> BrowserContext:
    """The owner's browser, signed in."""
    client = Client()
    client.force_login(owner)
    name = django_settings.SESSION_COOKIE_NAME
    context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": django_settings.SITE_URL}]
    )
    return context


def green(page: Page, step: str, *, so_far: int) -> None:
    """Waits until the step is green, and its news have been said; the next may have come by then."""
    expect(page.locator(f"#step-{step}.step-done")).to_be_visible()
    expect(page.locator(".onboarding-progress label")).to_have_text(re.compile(f"[{so_far}-6] of 6 done"))
    expect(page.locator("#onboarding-news")).to_contain_text(re.compile(f"[{so_far}-6] of 6 done"))


@pytest.mark.usefixtures("worker")
def test_every_step_of_an_empty_fleet_turns_green_by_itself(
    context: BrowserContext, view: View, unregistered: str, settings: Settings, fleet: Fleet, owner: User
) -> None:
    site: str = settings.SITE_URL
    page = context.new_page()
    problems = problems_of(page)
    page.goto(f"{site}/fleets/blue/")
    expect(page.get_by_role("heading", name="Set up Blue Fleet")).to_be_visible()
    expect(page.locator(".onboarding-progress label")).to_have_text("0 of 6 complete")
    assert violations(page) == []
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    address = page.evaluate("navigator.clipboard.readText()")
    assert address == f"{site}/webhooks/smartcar/"

    # What somebody does elsewhere shows here.
    elsewhere = context.new_page()
    elsewhere.goto(f"{site}/fleets/blue/integration/")
    elsewhere.get_by_role("button", name="Test credentials").click()
    green(page, "credentials", so_far=1)
    elsewhere.close()
    settings.SMARTCAR_WEBHOOK_ID = WEBHOOK_ID
    green(page, "webhook", so_far=2)
    # Copied stays copied while the list changes around it.
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    register_webhook(unregistered, address)
    green(page, "verified", so_far=3)
    invited(fleet=fleet, user=owner)
    green(page, "invited", so_far=4)
    (connection,) = connect(unregistered, fleet=fleet, user=owner, count=1).connections
    green(page, "car", so_far=5)
    subscribe(connection)
    green(page, "delivery", so_far=6)
    expect(page.get_by_text("Setup complete: Blue Fleet is receiving data.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= view.screen["width"]
    assert violations(page) == []
    assert problems == []

    # Said once; the cars take its place, and the list stays to be looked up.
    page.goto(f"{site}/fleets/blue/")
    expect(page.get_by_role("heading", name="Set up Blue Fleet")).to_have_count(0)
    page.goto(f"{site}/fleets/blue/onboarding/")
    expect(page.locator(".onboarding-progress label")).to_have_text("6 of 6 complete")


def test_a_hidden_checklist_is_found_again_by_the_settings(
    context: BrowserContext, unregistered: str, settings: Settings, fleet: Fleet
) -> None:
    site: str = settings.SITE_URL
    page = context.new_page()
    page.goto(f"{site}/fleets/blue/")
    page.get_by_role("button", name="Hide checklist").click()
    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text(
        "Checklist hidden. You can open it again from the fleet"
    )
    expect(page.get_by_role("heading", name="Set up Blue Fleet")).to_have_count(0)
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Open checklist").click()
    expect(page.locator(".onboarding-progress label")).to_have_text("0 of 6 complete")
