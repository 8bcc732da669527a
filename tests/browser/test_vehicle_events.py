"""A vehicle's event timeline in a browser: loading older events, and filtering by type."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from accounts.models import User
from tests.browser.scenarios import collect_problems, sign_in
from vehicles import catalogue
from vehicles.models import Vehicle
from webhooks.models import VehicleError

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("live_server"),
]


def test_older_events_are_appended_and_types_are_filtered(
    context: BrowserContext, settings: Any, owner: User, vehicle: Vehicle
) -> None:
    now = timezone.now()
    for number in range(60):
        VehicleError.objects.create(
            vehicle=vehicle,
            type="UPSTREAM",
            signals=[catalogue.ODOMETER.code],
            state="ERROR",
            first_at=now - number * timedelta(minutes=7),
            last_at=now - number * timedelta(minutes=7),
        )
    page = context.new_page()
    problems = collect_problems(page)
    sign_in(page, settings.SITE_URL, owner)
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{vehicle.smartcar_id}/events/")
    events = page.locator(".events .event")
    expect(events).to_have_count(40)
    page.get_by_role("link", name="Older").click()
    expect(events).to_have_count(60)
    # For keyboard users, the focus moves to the first added event.
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
