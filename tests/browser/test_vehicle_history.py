"""A vehicle's history and signals in a browser: selecting, zooming, gaps, searching, on desktop and phone."""

import os
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import Fleet, User
from tests.browser.scenarios import View, collect_problems, sign_in
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


def store_latest(vehicle: Vehicle, signal: Signal, body: dict[str, Any], at: datetime) -> None:
    LatestSignal.objects.create(
        vehicle=vehicle, code=signal.code, body=body, status="SUCCESS", observed_at=at, reported_at=at
    )


@pytest.fixture
def vehicle_with_history(fleet: Fleet, vehicle: Vehicle) -> Vehicle:
    """A vehicle with 30 hours of readings, and a gap from 20 to 6 hours ago."""
    Fleet.objects.filter(pk=fleet.pk).update(time_zone="Europe/Berlin")
    now = timezone.now().replace(microsecond=0)
    moments = [now - index * 10 * MINUTE for index in range(1, 30 * 6) if not 6 <= index / 6 <= 20]
    charge = [(at, 30 + (now - at) / HOUR) for at in moments]
    read(vehicle, charge)
    read(vehicle, [(at, 8000 - (now - at) / HOUR * 7) for at in moments], signal=catalogue.ODOMETER)
    read(vehicle, [(at, 80 - (now - at) / HOUR) for at in moments], signal=catalogue.LOW_VOLTAGE_SOC)
    insert_readings(
        readings=[
            NewReading(vehicle.pk, catalogue.IS_LOCKED.code, at, {"value": index % 9 < 5})
            for index, at in enumerate(moments)
        ]
    )
    store_latest(vehicle, catalogue.STATE_OF_CHARGE, {"value": 30, "unit": "percent"}, moments[0])
    store_latest(vehicle, catalogue.LOW_VOLTAGE_SOC, {"value": 80, "unit": "percent"}, moments[0])
    store_latest(vehicle, catalogue.ODOMETER, {"value": 8000, "unit": "km"}, moments[0])
    store_latest(vehicle, catalogue.IS_LOCKED, {"value": True}, moments[0])
    return vehicle


def take_screenshot(page: Page, name: str) -> None:
    """Take a screenshot if SHOTS names a folder."""
    if SHOTS:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)


def get_time_range(page: Page) -> tuple[datetime, datetime]:
    """Return the time range in the page's URL."""
    query = parse_qs(urlsplit(page.url).query)
    return datetime.fromisoformat(query["from"][0]), datetime.fromisoformat(query["to"][0])


def test_signals_are_selected_zoomed_and_shared_by_url(
    context: BrowserContext, view: View, settings: Any, owner: User, vehicle_with_history: Vehicle
) -> None:
    page = context.new_page()
    problems = collect_problems(page)
    sign_in(page, settings.SITE_URL, owner)
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{vehicle_with_history.smartcar_id}/history/")
    charts = page.locator(".chart-figure:not(.chart-placeholder)")
    expect(charts).to_have_count(1)
    expect(charts).to_contain_text("State of charge")
    expect(charts.locator("canvas")).to_be_visible()
    # The time without data is longer than a state of charge stays valid.
    expect(charts.locator("figcaption")).to_contain_text("1 gap")

    page.locator(".signal-choice summary").click()
    page.get_by_label("Find a signal").fill("lock")
    expect(page.locator("#signal-found")).to_have_text("1 signal found")
    page.get_by_label("Locked", exact=True).check()
    expect(charts).to_have_count(2)
    page.get_by_label("Find a signal").fill("")
    page.get_by_label("12 V state of charge").check()
    page.get_by_label("Odometer").check()
    expect(page.locator(".signal-choice .count")).to_have_text("4")
    page.keyboard.press("Escape")
    # Both states of charge are percentages, so they share a chart.
    expect(charts).to_have_count(3)
    expect(charts.first).to_contain_text("12 V state of charge")
    take_screenshot(page, "history")

    charts.first.get_by_text("Show as table").click()
    expect(charts.first.locator("tbody tr").first).to_contain_text("%")
    expect(charts.first.locator("thead")).to_contain_text("12 V state of charge")
    take_screenshot(page, "history-table")
    charts.first.get_by_text("Show as table").click()

    page.get_by_role("button", name="7 d").click()
    expect(page).to_have_url(re.compile("range=7d"))
    expect(page.locator("#history")).to_have_attribute("aria-busy", "false")
    if not view.on_phone:
        box = charts.first.locator(".u-over").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 50, steps=5)
        page.mouse.up()
    else:
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_url("**from=**")
    start, end = get_time_range(page)
    dragged = not view.on_phone
    assert (end - start) == pytest.approx(
        timedelta(days=7) * (0.1 if dragged else 0.5), abs=timedelta(hours=3)
    )
    zoomed = page.url
    page.locator("#history").focus()
    page.keyboard.press("ArrowLeft")
    expect(page).not_to_have_url(zoomed)
    earlier, _ = get_time_range(page)
    assert start - earlier == pytest.approx((end - start) / 2, abs=timedelta(seconds=2))
    shared = page.url
    page.go_back()
    expect(page).to_have_url(zoomed)
    page.keyboard.press("0")
    page.wait_for_url("**range=7d**")

    page.goto(shared)
    expect(charts).to_have_count(3)
    assert get_time_range(page)[0] == earlier
    assert problems == []


def test_a_failed_load_shows_an_error_and_can_be_retried(
    context: BrowserContext, settings: Any, owner: User, vehicle_with_history: Vehicle
) -> None:
    page = context.new_page()
    sign_in(page, settings.SITE_URL, owner)
    page.route("**/history/data/**", lambda route: route.abort())
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{vehicle_with_history.smartcar_id}/history/")
    expect(page.get_by_role("alert")).to_contain_text("t load the history because the server didn")
    take_screenshot(page, "history-failed")
    page.unroute("**/history/data/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".chart-figure canvas")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_signals_are_filtered_while_typing_and_stay_filtered_after_an_update(
    context: BrowserContext, settings: Any, owner: User, vehicle_with_history: Vehicle
) -> None:
    store_latest(
        vehicle_with_history,
        catalogue.TIRES,
        {"values": [{"row": 0, "column": 0, "tirePressure": 240}], "unit": "kPa"},
        timezone.now() - 4 * 24 * HOUR,
    )
    LatestSignal.objects.filter(code=catalogue.TIRES.code).update(status="ERROR", error_type="UPSTREAM")
    page = context.new_page()
    problems = collect_problems(page)
    sign_in(page, settings.SITE_URL, owner)
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{vehicle_with_history.smartcar_id}/signals/")
    take_screenshot(page, "signals")
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
    # The row is still expanded and filtered.
    expect(signals.locator("pre")).to_be_visible()
    expect(signals).to_have_count(1)
    take_screenshot(page, "signals-found")
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
