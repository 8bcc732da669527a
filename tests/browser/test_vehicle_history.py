"""The history and signals of a car in a browser: choosing, zooming, gaps, searching; at a desk and on a phone."""

import os
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import Fleet, User
from tests.browser.scenarios import View, problems_of, sign_in
from tests.vehicles.readings import read
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle
from vehicles.readings import NewReading, insert_readings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("live_server"),
]
SHOTS = os.environ.get("SHOTS", "")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def know(vehicle: Vehicle, signal: Signal, body: dict[str, Any], at: datetime) -> None:
    LatestSignal.objects.create(
        vehicle=vehicle, code=signal.code, body=body, status="SUCCESS", observed_at=at, reported_at=at
    )


@pytest.fixture
def told(fleet: Fleet, vehicle: Vehicle) -> Vehicle:
    """A car that told of its day, and was silent from 20 to 6 hours ago."""
    Fleet.objects.filter(pk=fleet.pk).update(time_zone="Europe/Berlin")
    now = timezone.now().replace(microsecond=0)
    moments = [now - turn * 10 * MINUTE for turn in range(1, 30 * 6) if not 6 <= turn / 6 <= 20]
    charge = [(at, 30 + (now - at) / HOUR) for at in moments]
    read(vehicle, charge)
    read(vehicle, [(at, 8000 - (now - at) / HOUR * 7) for at in moments], signal=catalogue.ODOMETER)
    read(vehicle, [(at, 80 - (now - at) / HOUR) for at in moments], signal=catalogue.LOW_VOLTAGE_SOC)
    insert_readings(
        readings=[
            NewReading(vehicle.pk, catalogue.IS_LOCKED.code, at, {"value": turn % 9 < 5})
            for turn, at in enumerate(moments)
        ]
    )
    know(vehicle, catalogue.STATE_OF_CHARGE, {"value": 30, "unit": "percent"}, moments[0])
    know(vehicle, catalogue.LOW_VOLTAGE_SOC, {"value": 80, "unit": "percent"}, moments[0])
    know(vehicle, catalogue.ODOMETER, {"value": 8000, "unit": "km"}, moments[0])
    know(vehicle, catalogue.IS_LOCKED, {"value": True}, moments[0])
    return vehicle


def shoot(page: Page, name: str) -> None:
    """A picture for whoever asks for them (`SHOTS=<folder>`)."""
    if SHOTS:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)


def times_of(page: Page) -> tuple[datetime, datetime]:
    """What the address asks for."""
    asked = parse_qs(urlsplit(page.url).query)
    return datetime.fromisoformat(asked["from"][0]), datetime.fromisoformat(asked["to"][0])


def test_two_signals_are_chosen_zoomed_into_and_shared_by_the_address(
    context: BrowserContext, view: View, settings: Any, owner: User, told: Vehicle
) -> None:
    page = context.new_page()
    problems = problems_of(page)
    sign_in(page, settings.SITE_URL, owner)
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{told.smartcar_id}/history/")
    figures = page.locator(".chart-figure:not(.chart-placeholder)")
    expect(figures).to_have_count(1)
    expect(figures).to_contain_text("State of charge")
    expect(figures.locator("canvas")).to_be_visible()
    # Silent for longer than a charge is good for.
    expect(figures.locator("figcaption")).to_contain_text("1 gap")

    page.locator(".signal-choice summary").click()
    page.get_by_label("Find a signal").fill("lock")
    expect(page.locator("#signal-found")).to_have_text("1 signal found")
    page.get_by_label("Locked", exact=True).check()
    expect(figures).to_have_count(2)
    page.get_by_label("Find a signal").fill("")
    page.get_by_label("12 V state of charge").check()
    page.get_by_label("Odometer").check()
    expect(page.locator(".signal-choice .count")).to_have_text("4")
    page.keyboard.press("Escape")
    # Both charges are percentages: they share a chart.
    expect(figures).to_have_count(3)
    expect(figures.first).to_contain_text("12 V state of charge")
    shoot(page, "history")

    figures.first.get_by_text("Show as table").click()
    expect(figures.first.locator("tbody tr").first).to_contain_text("%")
    expect(figures.first.locator("thead")).to_contain_text("12 V state of charge")
    shoot(page, "history-table")
    figures.first.get_by_text("Show as table").click()

    page.get_by_role("button", name="7 d").click()
    expect(page).to_have_url(re.compile("range=7d"))
    expect(page.locator("#history")).to_have_attribute("aria-busy", "false")
    if not view.on_phone:
        box = figures.first.locator(".u-over").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 50, steps=5)
        page.mouse.up()
    else:
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_url("**from=**")
    start, end = times_of(page)
    dragged = not view.on_phone
    assert (end - start) == pytest.approx(
        timedelta(days=7) * (0.1 if dragged else 0.5), abs=timedelta(hours=3)
    )
    zoomed = page.url
    page.locator("#history").focus()
    page.keyboard.press("ArrowLeft")
    expect(page).not_to_have_url(zoomed)
    earlier, _ = times_of(page)
    assert start - earlier == pytest.approx((end - start) / 2, abs=timedelta(seconds=2))
    shared = page.url
    page.go_back()
    expect(page).to_have_url(zoomed)
    page.keyboard.press("0")
    page.wait_for_url("**range=7d**")

    page.goto(shared)
    expect(figures).to_have_count(3)
    assert times_of(page)[0] == earlier
    assert problems == []


def test_what_cannot_be_loaded_says_so_and_is_tried_again(
    context: BrowserContext, settings: Any, owner: User, told: Vehicle
) -> None:
    page = context.new_page()
    sign_in(page, settings.SITE_URL, owner)
    page.route("**/history/data/**", lambda route: route.abort())
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{told.smartcar_id}/history/")
    expect(page.get_by_role("alert")).to_contain_text("t load the history because the server didn")
    shoot(page, "history-failed")
    page.unroute("**/history/data/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".chart-figure canvas")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_signals_are_found_as_one_types_and_stay_found_when_they_are_renewed(
    context: BrowserContext, settings: Any, owner: User, told: Vehicle
) -> None:
    know(
        told,
        catalogue.TIRES,
        {"values": [{"row": 0, "column": 0, "tirePressure": 240}], "unit": "kPa"},
        timezone.now() - 4 * 24 * HOUR,
    )
    LatestSignal.objects.filter(code=catalogue.TIRES.code).update(status="ERROR", error_type="UPSTREAM")
    page = context.new_page()
    problems = problems_of(page)
    sign_in(page, settings.SITE_URL, owner)
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{told.smartcar_id}/signals/")
    shoot(page, "signals")
    signals = page.locator("#signals details.signal-row:visible")
    expect(signals).to_have_count(5)
    page.keyboard.press("/")
    expect(page.get_by_label("Search by name, code or value")).to_be_focused()
    page.keyboard.type("odo")
    expect(signals).to_have_count(1)
    expect(page.locator("#signal-count")).to_have_text("1 signal")
    signals.locator("summary").click()
    expect(signals.locator("pre")).to_contain_text('"unit": "km"')
    LatestSignal.objects.filter(code=catalogue.ODOMETER.code).update(body={"value": 8001, "unit": "km"})
    page.evaluate("document.body.dispatchEvent(new CustomEvent('vehicle:updated'))")
    expect(signals).to_contain_text("8,001 km")
    # Open and found as before.
    expect(signals.locator("pre")).to_be_visible()
    expect(signals).to_have_count(1)
    shoot(page, "signals-found")
    page.get_by_label("Search by name, code or value").fill("")
    page.get_by_label("With errors").check()
    expect(signals).to_contain_text("Tire pressure")
    expect(signals).to_have_count(1)
    page.get_by_label("With errors").uncheck()
    page.get_by_label("Search by name, code or value").fill("fuel level")
    expect(page.locator("#untold li:visible")).to_have_count(1)
    page.get_by_label("Search by name, code or value").fill("no such thing")
    expect(page.locator("#signal-count")).to_contain_text(
        "No signals match. Remove a filter or shorten your search"
    )
    assert problems == []
