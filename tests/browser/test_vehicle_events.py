"""The events of a car in a browser: older ones are added below, kinds are chosen by the address."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from accounts.models import User
from tests.browser.scenarios import problems_of, sign_in
from vehicles import catalogue
from vehicles.models import Vehicle
from webhooks.models import VehicleError

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("live_server"),
]


def test_older_events_are_added_below_and_kinds_are_chosen(
    context: BrowserContext, settings: Any, owner: User, vehicle: Vehicle
) -> None:
    now = timezone.now()
    for turn in range(60):
        VehicleError.objects.create(
            vehicle=vehicle,
            type="UPSTREAM",
            signals=[catalogue.ODOMETER.code],
            state="ERROR",
            first_at=now - turn * timedelta(minutes=7),
            last_at=now - turn * timedelta(minutes=7),
        )
    page = context.new_page()
    problems = problems_of(page)
    sign_in(page, settings.SITE_URL, owner)
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{vehicle.smartcar_id}/events/")
    events = page.locator(".events .event")
    expect(events).to_have_count(40)
    page.get_by_role("link", name="Older").click()
    expect(events).to_have_count(60)
    # Whoever uses the keyboard goes on with the first of the added ones.
    expect(events.nth(40)).to_be_focused()
    expect(page.get_by_role("link", name="Older")).to_have_count(0)

    page.get_by_label("Commands").check()
    expect(page.get_by_text("No matching events")).to_be_visible()
    assert page.url.endswith("?kind=command")
    page.get_by_label("Errors").check()
    expect(events).to_have_count(40)
    page.reload()
    expect(page.get_by_label("Errors")).to_be_checked()
    expect(page.get_by_label("Commands")).to_be_checked()
    expect(page.get_by_label("Deliveries")).not_to_be_checked()
    assert problems == []
