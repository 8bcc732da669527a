"""A new fleet's checklist in a browser: each step completes without a reload, on a desktop and on a phone."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django import Settings

from accounts.models import Fleet, User
from tests.browser.axe import violations
from tests.browser.scenarios import View, collect_problems, open_pages
from tests.connect.invited import invited
from tests.servers import Simulator
from tests.smartcar import connect, register_webhook, reset, subscribe
from webhooks.verifications import verifications

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WEBHOOK_ID = django_settings.SMARTCAR_WEBHOOK_ID


@pytest.fixture
def simulator_without_webhook(simulator: Simulator, live_server: object, settings: Settings) -> Iterator[str]:
    """The URL of the simulator, before a webhook is created in its dashboard."""
    reset(simulator.url)
    verifications.reset()
    settings.SMARTCAR_WEBHOOK_ID = ""
    yield simulator.url
    reset(simulator.url)


@pytest.fixture
def context(context: BrowserContext, owner: User, fleet: Fleet) -> BrowserContext:
    """A browser signed in as the owner."""
    client = Client()
    client.force_login(owner)
    name = django_settings.SESSION_COOKIE_NAME
    context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": django_settings.SITE_URL}]
    )
    return context


def expect_step_done(page: Page, step: str, *, at_least: int) -> None:
    """Wait until the step is done and announced. The next step may be done by then."""
    expect(page.locator(f"#step-{step}.step-done")).to_be_visible()
    expect(page.locator(".onboarding-progress label")).to_have_text(
        re.compile(f"[{at_least}-6] of 6 complete")
    )
    expect(page.locator("#onboarding-news")).to_contain_text(re.compile(f"[{at_least}-6] of 6 complete"))


@pytest.mark.usefixtures("worker")
def test_every_step_completes_without_a_reload(
    context: BrowserContext,
    view: View,
    simulator_without_webhook: str,
    settings: Settings,
    fleet: Fleet,
    owner: User,
) -> None:
    site: str = settings.SITE_URL
    page = context.new_page()
    problems = collect_problems(page)
    page.goto(f"{site}/fleets/blue/")
    expect(page.get_by_role("heading", name="Set up Blue Fleet")).to_be_visible()
    expect(page.locator(".onboarding-progress label")).to_have_text("0 of 6 complete")
    assert violations(page) == []
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    webhook_url = page.evaluate("navigator.clipboard.readText()")
    assert webhook_url == f"{site}/webhooks/smartcar/"

    # A result on another page appears here.
    other_page = context.new_page()
    other_page.goto(f"{site}/fleets/blue/integration/")
    other_page.get_by_role("button", name="Test credentials").click()
    expect_step_done(page, "credentials", at_least=1)
    other_page.close()
    settings.SMARTCAR_WEBHOOK_ID = WEBHOOK_ID
    expect_step_done(page, "webhook", at_least=2)
    # The copied state stays while the list is updated.
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    register_webhook(simulator_without_webhook, webhook_url)
    expect_step_done(page, "verified", at_least=3)
    invited(fleet=fleet, user=owner)
    expect_step_done(page, "invited", at_least=4)
    (connection,) = connect(simulator_without_webhook, fleet=fleet, user=owner, count=1).connections
    expect_step_done(page, "vehicle", at_least=5)
    subscribe(connection)
    expect_step_done(page, "delivery", at_least=6)
    expect(page.get_by_text("Setup complete: Blue Fleet is receiving data.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= view.screen["width"]
    assert violations(page) == []
    assert problems == []

    # The vehicles now replace the checklist, which has its own page.
    page.goto(f"{site}/fleets/blue/")
    expect(page.get_by_role("heading", name="Set up Blue Fleet")).to_have_count(0)
    page.goto(f"{site}/fleets/blue/onboarding/")
    expect(page.locator(".onboarding-progress label")).to_have_text("6 of 6 complete")


def test_a_hidden_checklist_can_be_reopened_from_the_settings(
    context: BrowserContext, simulator_without_webhook: str, settings: Settings, fleet: Fleet
) -> None:
    site: str = settings.SITE_URL
    page = context.new_page()
    page.goto(f"{site}/fleets/blue/")
    page.get_by_role("button", name="Hide checklist").click()
    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text(
        "Checklist hidden. You can open it again from the fleet"
    )
    expect(page.get_by_role("heading", name="Set up Blue Fleet")).to_have_count(0)
    open_pages(page)
    page.get_by_role("link", name="Fleet settings", exact=True).first.click()
    page.get_by_role("link", name="Open checklist").click()
    expect(page.locator(".onboarding-progress label")).to_have_text("0 of 6 complete")
