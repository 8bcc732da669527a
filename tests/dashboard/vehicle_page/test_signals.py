"""The signals tab: all reported signals with their sources and errors, and unreported ones with the reason."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Fleet, User
from connect.driver_portal import privacy
from connect.models import Connection, ConnectionState
from connect.permission_settings.services import choose_scopes
from connect.scopes import FLEET_SCOPES
from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Signal
from vehicles.correction_notes import CorrectionNote
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
QUERIES = 14


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
        scopes=["read_battery", "read_location", "read_vin", "read_tires"],
    )


def store_signal(
    vehicle: Vehicle, signal: Signal | str, body: dict[str, Any] | None, **fields: Any
) -> LatestSignal:
    now = timezone.now()
    defaults = {
        "status": "SUCCESS",
        "observed_at": now - timedelta(minutes=3) if body else None,
        "reported_at": now,
    }
    code = signal if isinstance(signal, str) else signal.code
    return LatestSignal.objects.create(vehicle=vehicle, code=code, body=body, **(defaults | fields))


def address(vehicle: Vehicle, part: str = "") -> str:
    return f"/fleets/blue/vehicles/{vehicle.smartcar_id}/signals/{part}"


def reported(browser: Client, vehicle: Vehicle) -> dict[str, Any]:
    groups = browser.get(address(vehicle)).context["signals"].reported
    return {each.code: each for _group, rows in groups for each in rows}


def unreported(browser: Client, vehicle: Vehicle) -> dict[str, str]:
    groups = browser.get(address(vehicle)).context["signals"].unreported
    return {each.code: each.reason for _group, rows in groups for each in rows}


def test_all_signals_are_grouped_with_value_age_and_sources(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    Vehicle.objects.update(unit_system="imperial")
    store_signal(vehicle, catalogue.RANGE, {"value": 160.9344, "unit": "km"})
    store_signal(vehicle, catalogue.STATE_OF_CHARGE, {"value": 55, "unit": "percent"}, notes=["a note"])
    store_signal(
        vehicle, catalogue.IS_LOCKED, {"value": True}, observed_at=timezone.now() - timedelta(days=2)
    )
    store_signal(vehicle, "brand-new-signal", {"value": "x"})
    browser = browser_of(owner)
    page = browser.get(address(vehicle))
    groups = [(str(name), [each.label for each in rows]) for name, rows in page.context["signals"].reported]
    assert groups == [
        ("Battery", ["Range", "State of charge"]),
        ("Doors and windows", ["Locked"]),
        ("Other signals", ["brand-new-signal"]),
    ]
    found = reported(browser, vehicle)
    assert found[catalogue.RANGE.code].value == "100 mi"
    assert '"unit": "percent"' in found[catalogue.STATE_OF_CHARGE.code].raw
    assert found[catalogue.IS_LOCKED.code].stale
    assert not found[catalogue.RANGE.code].stale
    text = page.content.decode()
    for expected in ("3 min ago", "Vehicle timestamp", "a note", catalogue.RANGE.code):
        assert expected in text, expected


def test_an_error_is_explained_beside_the_last_valid_value(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    store_signal(
        vehicle,
        catalogue.STATE_OF_CHARGE,
        {"value": 55, "unit": "percent"},
        status="ERROR",
        error_type="UPSTREAM",
        error_code="TIMEOUT",
        error_description="Gateway timed out.",
    )
    browser = browser_of(owner)
    found = reported(browser, vehicle)[catalogue.STATE_OF_CHARGE.code]
    assert (found.value, found.problem) == ("55%", "The manufacturer's service didn't provide this data.")
    page = browser.get(address(vehicle)).content.decode()
    for words in ("data-error", "UPSTREAM", "TIMEOUT", "Gateway timed out."):
        assert words in page, words


def test_corrections_and_a_rejected_value_are_explained_in_the_language_of_the_reader(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    store_signal(
        vehicle,
        catalogue.RANGE,
        {"value": 100, "unit": "km"},
        status="ERROR",
        error_type="REFUSED",
        error_description=CorrectionNote.OUT_OF_RANGE.note(value=65535.5, low=0, high=3000, unit="km"),
        notes=[CorrectionNote.UNIT_ASSUMED.note(unit="km")],
    )
    browser = browser_of(owner)
    page = browser.get(address(vehicle)).content.decode()
    assert "65,535.5 km is outside of the plausible range from 0 to 3,000." in page
    assert "The unit was missing; km was assumed." in page
    assert "Smartcar error:" not in page
    User.objects.update(language="de")
    page = browser.get(address(vehicle)).content.decode()
    assert "65.535,5 km liegt außerhalb des plausiblen Bereichs von 0 bis 3.000." in page
    assert "Die Einheit fehlte; km wurde angenommen." in page


def test_corrections_are_explained_on_the_overview_too(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    User.objects.update(language="fr")
    note = CorrectionNote.NUMBER_SENT_AS_TEXT.note()
    store_signal(vehicle, catalogue.STATE_OF_CHARGE, {"value": 55, "unit": "percent"}, notes=[note])
    page = browser_of(owner).get(f"/fleets/blue/vehicles/{vehicle.smartcar_id}/").content.decode()
    assert "Le nombre a été envoyé sous forme de texte." in page


def test_unreported_signals_show_the_reason(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    Vehicle.objects.update(powertrain="BEV")
    store_signal(vehicle, catalogue.TIRES, None, status="ERROR", error_type="COMPATIBILITY")
    store_signal(vehicle, catalogue.RANGE, None, status="ERROR", error_type="PERMISSION")
    browser = browser_of(owner)
    reasons = unreported(browser, vehicle)
    assert reasons[catalogue.TIRES.code] == "Not supported by this vehicle."
    assert reasons[catalogue.FUEL_LEVEL.code] == "This vehicle has no combustion engine."
    assert reasons[catalogue.ODOMETER.code] == "Permission not granted by the driver."
    assert reasons[catalogue.STATE_OF_CHARGE.code].startswith(
        "Not reported so far. The vehicle may not support this signal"
    )
    # A signal that may still be reported remains in the list, with its error.
    assert set(reported(browser, vehicle)) == {catalogue.RANGE.code}
    requested = {code for code, signal in CATALOGUE.items() if signal.permission in FLEET_SCOPES}
    assert set(reasons) | {catalogue.RANGE.code} == requested


def test_what_no_permission_allows_is_not_shown_as_missing(
    owner: User, fleet: Fleet, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    store_signal(vehicle, catalogue.DTC_LIST, None, status="ERROR", error_type="PERMISSION")
    store_signal(vehicle, catalogue.OIL_LIFE, {"value": 40, "unit": "percent"})
    browser = browser_of(owner)
    assert catalogue.DTC_LIST.code not in reported(browser, vehicle) | unreported(browser, vehicle)
    # What arrived while the permission was granted remains.
    assert catalogue.OIL_LIFE.code in reported(browser, vehicle)
    page = browser.get(address(vehicle))
    count = page.context["signals"].unrequested_count
    assert count == sum(signal.permission not in FLEET_SCOPES for signal in CATALOGUE.values()) - 1
    assert f"{count} more signals need permissions that this fleet doesn" in page.content.decode()
    choose_scopes(fleet=fleet, scopes=[*FLEET_SCOPES, "read_diagnostics"], actor=owner)
    assert (
        reported(browser, vehicle)[catalogue.DTC_LIST.code].problem == "Permission not granted by the driver."
    )


def test_a_hidden_location_is_hidden_in_value_and_body(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    place = {"latitude": 52.51234, "longitude": 13.4}
    store_signal(vehicle, catalogue.PRECISE_LOCATION, place)
    store_signal(
        vehicle, catalogue.CHARGE_RECORDS, {"values": [{"energy": 7, "location": {"latitude": 52.51234}}]}
    )
    browser = browser_of(owner)
    assert "52.51234" in reported(browser, vehicle)[catalogue.PRECISE_LOCATION.code].raw
    privacy.pause(connection=connection, duration=None, now=timezone.now() - timedelta(hours=1))
    assert catalogue.PRECISE_LOCATION.code not in reported(browser, vehicle)
    # Even if a last location were still stored.
    store_signal(vehicle, catalogue.PRECISE_LOCATION, place)
    page = browser.get(address(vehicle)).content.decode()
    assert "Hidden by the driver." in page
    assert "52.5" not in page


def test_only_the_end_of_a_vin_is_shown_and_nothing_to_viewers(
    owner: User, viewer: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    vin = "5YJSA1CN5DFP00101"
    store_signal(vehicle, catalogue.VIN, {"value": vin})
    store_signal(vehicle, catalogue.NICKNAME, {"value": f"My {vin}"})
    page = browser_of(owner).get(address(vehicle)).content.decode()
    assert "•••0101" in page
    assert vin not in page
    assert vin.lower() not in page
    seen = browser_of(viewer).get(address(vehicle)).content.decode()
    assert "Visible only to members who can connect vehicles." in seen
    assert "0101" not in seen


def test_without_data_the_page_explains_what_comes_next(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    page = browser_of(owner).get(address(vehicle)).content.decode()
    assert "No data received yet" in page
    requested = sum(signal.permission in FLEET_SCOPES for signal in CATALOGUE.values())
    assert f"{requested} signals not reported by this vehicle" in page


def test_the_open_page_is_updated_only_after_changes(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    store_signal(vehicle, catalogue.STATE_OF_CHARGE, {"value": 55, "unit": "percent"})
    browser = browser_of(owner)
    version = browser.get(address(vehicle)).context["signals"].version
    assert browser.get(address(vehicle, "table/"), {"version": version}).status_code == 204
    LatestSignal.objects.update(body={"value": 54, "unit": "percent"})
    answer = browser.get(address(vehicle, "table/"), {"version": version})
    assert answer.status_code == 200
    assert "54%" in answer.content.decode()
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize("part", ["", "table/"])
@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)],
)
def test_permissions_for_the_signals(
    request: pytest.FixtureRequest,
    vehicle: Vehicle,
    browser_of: BrowserOf,
    part: str,
    person: str,
    status: int,
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.get(address(vehicle, part)).status_code == status
    assert Client().get(address(vehicle, part)).status_code == 302


def test_the_number_of_queries_is_fixed(
    owner: User, fleet: Fleet, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    counts = []
    for many in (1, 20):
        LatestSignal.objects.all().delete()
        for signal in [each for each in CATALOGUE.values() if each.shape is catalogue.Shape.NUMBER][:many]:
            store_signal(vehicle, signal, {"value": 1})
        with CaptureQueriesContext(database) as captured:
            browser.get(address(vehicle))
        counts.append(len(captured))
    assert max(counts) <= QUERIES
    assert counts[0] == counts[1]
