"""The command buttons in a browser, live and without a reload; many cars at once; the password asked again."""

import time

import httpx
import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import BrowserContext, Page, expect

from accounts import reauthentication
from accounts.models import Fleet, User
from commands.models import Command, CommandState
from connect.models import Connection
from tests.browser.scenarios import PASSWORD, View, problems_of, set_car, sign_in
from tests.smartcar import connect
from vehicles.models import Vehicle

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("worker")]

# Parked, plugged in, awake and in reach, whatever its day has in mind.
CALM: dict[str, object] = {
    "speed": 0,
    "asleep": False,
    "reachable": True,
    "doors": [],
    "plugged_in": True,
    "charging": False,
    "state_of_charge": 60,
    "charge_limit": 90,
}


def teslas(smartcar: str, *, fleet: Fleet, owner: User, count: int) -> list[Vehicle]:
    """So many connected cars that stand and take every command."""
    ids: list[str] = []
    for car in httpx.get(f"{smartcar}/control/vehicles?make=TESLA", timeout=30).json()["vehicles"]:
        address = f"{smartcar}/control/vehicles/{car['id']}"
        if len(ids) < count and httpx.patch(address, json=CALM | {"is_locked": False}, timeout=30).is_success:
            ids.append(car["id"])
    assert len(ids) == count, "too few Teslas stand still"
    # Each has an owner of its own.
    trips = [connect(smartcar, fleet=fleet, user=owner, vehicleIds=[car_id]) for car_id in ids]
    return [connection.vehicle for trip in trips for connection in trip.connections]


def let_sign_in_age() -> None:
    """As if everybody had signed in eleven minutes ago."""
    for session in Session.objects.all():
        data = session.get_decoded()
        data["confirmed_at"] = time.time() - reauthentication.VALID_FOR.total_seconds() - 60
        Session.objects.save(session.session_key, data, session.expire_date)


def newest(page: Page, *, says: str) -> None:
    expect(page.locator(".ledger li").first).to_contain_text(says)


def test_every_button_tells_what_became_of_it_without_a_reload(
    context: BrowserContext, view: View, smartcar: str, settings: object, fleet: Fleet, owner: User
) -> None:
    fleet.api_version = view.api_version
    fleet.save()
    (car,) = teslas(smartcar, fleet=fleet, owner=owner, count=1)
    page = context.new_page()
    problems = problems_of(page)
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{car.smartcar_id}/")  # type: ignore[attr-defined]
    page.evaluate("window.stillTheSamePage = true")
    expect(page.locator(".lock-state")).to_contain_text("Unlocked")

    set_car(smartcar, car, **CALM)
    page.get_by_role("button", name="Lock", exact=True).click()
    newest(page, says="Confirmed")
    # Whoever does not see the panel hears of it.
    expect(page.locator("#voice")).to_have_text("Lock Confirmed")
    page.get_by_label("Charge limit, 50 to 100%").fill("70")
    page.get_by_role("button", name="Set limit").click()
    newest(page, says="Charge limit 70 %")
    newest(page, says="Confirmed")
    set_car(smartcar, car, **CALM)
    # The car has told of it: a start right after a stop would be no change, and not be delivered.
    expect(page.get_by_text("The vehicle isn't charging.")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    newest(page, says="Start charging")
    newest(page, says="Confirmed")

    let_sign_in_age()
    # Whoever is in a field at once, as this test is when the machine is busy, stays in it. The panel is swapped, too.
    page.evaluate("""
        document.addEventListener("htmx:afterSwap", function goes() {
            const reason = document.getElementById("reason");
            if (!reason) return;
            document.removeEventListener("htmx:afterSwap", goes);
            reason.focus();
        })
    """)
    page.get_by_role("button", name="Unlock", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Anyone near the vehicle will be able to open it.")
    page.wait_for_timeout(300)
    expect(dialog.get_by_label("Reason")).to_be_focused()
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Unlock", exact=True).click()
    dialog.get_by_label("Reason").fill("Keys are inside")
    dialog.get_by_label("Your password").fill("not mine")
    dialog.get_by_role("button", name="Unlock").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Incorrect password")
    expect(dialog.get_by_label("Reason")).to_have_value("Keys are inside")
    set_car(smartcar, car, speed=0, asleep=False, reachable=True)
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Unlock").click()
    newest(page, says="Keys are inside")
    newest(page, says="Confirmed")
    expect(page.locator(".lock-state")).to_contain_text("Unlocked")
    assert page.evaluate("window.stillTheSamePage") is True
    assert problems == []


def test_many_cars_are_chosen_reviewed_and_followed(
    context: BrowserContext, smartcar: str, settings: object, fleet: Fleet, owner: User
) -> None:
    cars = teslas(smartcar, fleet=fleet, owner=owner, count=2)
    ended = Vehicle.objects.create(fleet=fleet, smartcar_id="gone", name="Lost van")
    Connection.objects.create(
        fleet=fleet,
        vehicle=ended,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state="needs_reauth",
    )
    page = context.new_page()
    problems = problems_of(page)
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    page.get_by_label("Select all vehicles on this page").check()
    expect(page.get_by_text("3 selected")).to_be_visible()
    # The table renews itself meanwhile, and the choice stays.
    with page.expect_response(lambda answer: "/list/" in answer.url and answer.status == 200):
        told = {"vehicleId": cars[0].smartcar_id}
        httpx.post(f"{smartcar}/control/deliver", json=told, timeout=30).raise_for_status()
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.locator("#bulk").get_by_role("button", name="Lock", exact=True).click()

    expect(page.get_by_role("heading", name="Lock: 2 vehicles?")).to_be_visible()
    expect(page.get_by_text("1 not eligible")).to_be_visible()
    assert not Command.objects.exists()
    for car in cars:
        set_car(smartcar, car, **CALM)
    page.get_by_role("button", name="Send to 2 vehicles").click()
    expect(page.get_by_role("heading", name="Lock: 2 cars")).to_be_visible()
    expect(page.locator("#bulk-progress strong")).to_have_text("2 of 2")
    page.reload()
    expect(page.locator("#bulk-progress strong")).to_have_text("2 of 2")
    expect(page.locator(".badge-confirmed")).to_have_count(2)
    assert set(Command.objects.values_list("state", flat=True)) == {CommandState.CONFIRMED}
    assert problems == []
