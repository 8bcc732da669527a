"""Commands in a browser: live results without a reload, bulk commands, and confirming the password."""

import time

import httpx
import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import BrowserContext, Locator, Page, expect

from accounts import reauthentication
from accounts.models import Fleet, User
from commands.models import Command, CommandState
from connect.models import Connection
from tests.browser.scenarios import (
    PASSWORD,
    View,
    collect_problems,
    desktop_only,
    set_vehicle_state,
    sign_in,
)
from tests.smartcar import connect
from vehicles.models import Vehicle

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("worker"),
]

# Parked, plugged in, awake and reachable, regardless of the vehicle's daily plan.
PARKED: dict[str, object] = {
    "speed": 0,
    "asleep": False,
    "reachable": True,
    "doors": [],
    "plugged_in": True,
    "charging": False,
    "state_of_charge": 60,
    "charge_limit": 90,
}


def connect_teslas(smartcar: str, *, fleet: Fleet, owner: User, count: int) -> list[Vehicle]:
    """Connect `count` parked vehicles that accept every command."""
    ids: list[str] = []
    for candidate in httpx.get(f"{smartcar}/control/vehicles?make=TESLA", timeout=30).json()["vehicles"]:
        url = f"{smartcar}/control/vehicles/{candidate['id']}"
        if len(ids) < count and httpx.patch(url, json=PARKED | {"is_locked": False}, timeout=30).is_success:
            ids.append(candidate["id"])
    assert len(ids) == count, "too few Teslas stand still"
    # Each vehicle has a different owner.
    authorizations = [
        connect(smartcar, fleet=fleet, user=owner, vehicleIds=[vehicle_id]) for vehicle_id in ids
    ]
    return [
        connection.vehicle for authorization in authorizations for connection in authorization.connections
    ]


def expire_reauthentication() -> None:
    """Make every session look as if the user had signed in eleven minutes ago."""
    for session in Session.objects.all():
        data = session.get_decoded()
        data["confirmed_at"] = time.time() - reauthentication.VALID_FOR.total_seconds() - 60
        Session.objects.save(session.session_key, data, session.expire_date)


def expect_newest_command(page: Page, *, text: str) -> None:
    expect(page.locator(".command-log li").first).to_contain_text(text)


def test_every_button_shows_its_result_without_a_reload(
    context: BrowserContext, view: View, smartcar: str, settings: object, fleet: Fleet, owner: User
) -> None:
    fleet.api_version = view.api_version
    fleet.save()
    (vehicle,) = connect_teslas(smartcar, fleet=fleet, owner=owner, count=1)
    page = context.new_page()
    problems = collect_problems(page)
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{vehicle.smartcar_id}/")  # type: ignore[attr-defined]
    page.evaluate("window.stillTheSamePage = true")
    expect(page.locator(".lock-state")).to_contain_text("Unlocked")

    set_vehicle_state(smartcar, vehicle, **PARKED)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect_newest_command(page, text="Confirmed")
    # The result is also announced to screen readers.
    expect(page.locator("#voice")).to_have_text("Lock Confirmed")
    page.get_by_label("Charge limit, 50 to 100%").fill("70")
    page.get_by_role("button", name="Set limit").click()
    expect_newest_command(page, text="Charge limit 70%")
    expect_newest_command(page, text="Confirmed")
    set_vehicle_state(smartcar, vehicle, **PARKED)
    # Wait for this delivery: a start directly after a stop wouldn't be a change, and no event would be delivered.
    expect(page.get_by_text("The vehicle isn't charging.")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    expect_newest_command(page, text="Start charging")
    expect_newest_command(page, text="Confirmed")

    expire_reauthentication()
    # A field that gets the focus at once, as in this test on a busy machine, keeps it while the panel is swapped.
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
    set_vehicle_state(smartcar, vehicle, speed=0, asleep=False, reachable=True)
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Unlock").click()
    expect_newest_command(page, text="Keys are inside")
    expect_newest_command(page, text="Confirmed")
    expect(page.locator(".lock-state")).to_contain_text("Unlocked")
    assert page.evaluate("window.stillTheSamePage") is True
    assert problems == []


def hold(page: Page, button: Locator) -> None:
    """Press the mouse on the button, again if the page moved it away in between."""
    button.hover()
    page.mouse.down()
    while not button.evaluate("(each) => each.matches(':active')"):
        page.mouse.move(0, 0)
        page.mouse.up()
        button.hover()
        page.mouse.down()


@desktop_only
def test_a_button_pressed_while_the_panel_changes_still_works(
    context: BrowserContext, smartcar: str, settings: object, fleet: Fleet, owner: User
) -> None:
    (vehicle,) = connect_teslas(smartcar, fleet=fleet, owner=owner, count=1)
    page = context.new_page()
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    page.goto(f"{settings.SITE_URL}/fleets/blue/vehicles/{vehicle.smartcar_id}/")  # type: ignore[attr-defined]
    page.evaluate("window.stillTheSamePage = true")
    reload = "htmx.ajax('GET', document.querySelector('#commands').getAttribute('hx-get').split('?')[0], "
    reload += "{source: '#commands', target: '#commands', swap: 'outerHTML'})"
    dialog = page.get_by_role("dialog")
    expire_reauthentication()

    # The panel's new content arrives between press and release.
    hold(page, page.get_by_role("button", name="Unlock", exact=True))
    page.evaluate(reload)
    page.mouse.up()
    expect(dialog.get_by_label("Reason")).to_be_visible()
    dialog.get_by_role("link", name="Cancel").click()

    # The button is pressed in the moment that the panel's new content is inserted.
    page.evaluate("""
        const press = () => setTimeout(() => document.getElementById("unlock-button").click());
        document.addEventListener("htmx:afterSwap", press, { once: true });
    """)
    page.evaluate(reload)
    expect(dialog.get_by_label("Reason")).to_be_visible()
    dialog.get_by_role("link", name="Cancel").click()

    # The panel is reloading while the button is pressed: its response may arrive before or after the button's.
    page.evaluate(f"{reload}; document.getElementById('unlock-button').click()")
    expect(dialog.get_by_label("Reason")).to_be_visible()
    assert page.evaluate("window.stillTheSamePage") is True


def test_many_vehicles_are_selected_reviewed_and_tracked(
    context: BrowserContext, smartcar: str, settings: object, fleet: Fleet, owner: User
) -> None:
    vehicles = connect_teslas(smartcar, fleet=fleet, owner=owner, count=2)
    disconnected = Vehicle.objects.create(fleet=fleet, smartcar_id="gone", name="Lost van")
    Connection.objects.create(
        fleet=fleet,
        vehicle=disconnected,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state="needs_reauth",
    )
    page = context.new_page()
    problems = collect_problems(page)
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    for vehicle in vehicles:
        set_vehicle_state(smartcar, vehicle, **PARKED | {"is_locked": False})
    expect(page.locator("#vehicle-table .state-unlocked")).to_have_count(2)
    page.get_by_label("Select all vehicles on this page").check()
    expect(page.get_by_text("3 selected")).to_be_visible()
    # The selection stays when the table is refreshed.
    with page.expect_response(lambda response: "/list/" in response.url and response.status == 200):
        body = {"vehicleId": vehicles[0].smartcar_id}
        httpx.post(f"{smartcar}/control/deliver", json=body, timeout=30).raise_for_status()
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.locator("#bulk").get_by_role("button", name="Lock", exact=True).click()

    expect(page.get_by_role("heading", name="Lock: 2 vehicles?")).to_be_visible()
    expect(page.get_by_text("1 left out")).to_be_visible()
    assert not Command.objects.exists()
    for vehicle in vehicles:
        set_vehicle_state(smartcar, vehicle, **PARKED)
    page.get_by_role("button", name="Send to 2 vehicles").click()
    expect(page.get_by_role("heading", name="Lock: 2 vehicles")).to_be_visible()
    expect(page.locator("#bulk-progress strong")).to_have_text("2 of 2")
    page.reload()
    expect(page.locator("#bulk-progress strong")).to_have_text("2 of 2")
    expect(page.locator(".badge-confirmed")).to_have_count(2)
    expect(page.locator(".bulk-summary")).to_have_text("2 locked now · 1 not possible")
    assert set(Command.objects.values_list("state", flat=True)) == {CommandState.CONFIRMED}
    assert problems == []
