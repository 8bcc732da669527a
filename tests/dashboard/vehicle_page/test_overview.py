"""The overview of a vehicle: content, permissions, reasons for missing values, and number of queries."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Fleet, User
from alerts.preferences import update_settings
from connect.driver_portal import privacy
from connect.models import Connection, ConnectionState, PermissionSettings
from connect.scopes import FLEET_SCOPES
from tests.dashboard.vehicle_page.fixtures import create_connection, grid, store_error, store_signal
from vehicles import catalogue
from vehicles.correction_notes import CorrectionNote, Count
from vehicles.models import LatestSignal, Vehicle
from vehicles.readings import NewReading, insert_readings

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
TABS = ["", "values/", "history/", "signals/", "connection/", "settings/"]
QUERIES = 19
VALUES_QUERIES = 12


@pytest.fixture
def vehicle_with_data(vehicle: Vehicle) -> Vehicle:
    create_connection(vehicle, scopes=list(FLEET_SCOPES))
    store_signal(vehicle, catalogue.STATE_OF_CHARGE, {"value": 17, "unit": "percent"})
    store_signal(vehicle, catalogue.RANGE, {"value": 80, "unit": "km"})
    store_signal(vehicle, catalogue.IS_LOCKED, {"value": False})
    store_signal(vehicle, catalogue.PRECISE_LOCATION, {"latitude": 37.7601, "longitude": -122.4412})
    return vehicle


def address(vehicle_with_data: Vehicle, tab: str = "") -> str:
    return f"/fleets/blue/vehicles/{vehicle_with_data.smartcar_id}/{tab}"


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)],
)
def test_permissions_for_the_vehicle_pages(
    request: pytest.FixtureRequest,
    vehicle_with_data: Vehicle,
    browser_of: BrowserOf,
    tab: str,
    person: str,
    status: int,
) -> None:
    assert (
        browser_of(request.getfixturevalue(person)).get(address(vehicle_with_data, tab)).status_code == status
    )


def test_anonymous_users_are_redirected_to_sign_in(vehicle_with_data: Vehicle) -> None:
    assert "/accounts/sign-in/" in Client().get(address(vehicle_with_data)).headers["Location"]


@pytest.mark.parametrize("tab", TABS)
def test_a_vehicle_of_another_fleet_is_not_found(
    outsider: User, vehicle_with_data: Vehicle, browser_of: BrowserOf, tab: str
) -> None:
    assert (
        browser_of(outsider).get(f"/fleets/red/vehicles/{vehicle_with_data.smartcar_id}/{tab}").status_code
        == 404
    )


def test_tabs_are_links_and_the_current_one_is_marked(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    page = browser_of(owner).get(address(vehicle_with_data, "connection/")).content.decode()
    assert f'<a href="{address(vehicle_with_data, "connection/")}" aria-current="page">Connection</a>' in page
    assert f'<a href="{address(vehicle_with_data)}">Overview</a>' in page


def test_values_are_shown_with_their_age_and_its_source(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    Fleet.objects.update(time_zone="Europe/Berlin")
    moment = timezone.now().replace(year=2026, month=11, day=2, hour=9, minute=5, second=7)
    LatestSignal.objects.filter(code=catalogue.RANGE.code).update(oem_updated_at=moment)
    page = browser_of(owner).get(address(vehicle_with_data)).content.decode()
    for shown in ("17<span", "80 km", "1 min ago</time>", "Unlocked.", "37.76010, -122.44120", "Noe Valley"):
        assert shown in page
    assert "2 November 2026, 10:05:07 CET" in page


def test_a_vehicle_can_have_its_own_units(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    Vehicle.objects.update(unit_system="imperial")
    assert "50 mi" in browser_of(owner).get(address(vehicle_with_data)).content.decode()


def test_a_fuel_vehicle_shows_fuel_and_no_battery(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    create_connection(vehicle)
    store_signal(vehicle, catalogue.FUEL_LEVEL, {"value": 62, "unit": "percent"})
    store_signal(vehicle, catalogue.FUEL_RANGE, {"value": 410, "unit": "km"})
    page = browser_of(owner).get(address(vehicle)).content.decode()
    assert "62<span" in page
    assert page.count("410 km") == 1
    assert "State of charge" not in page


@pytest.mark.parametrize(
    ("powertrain", "low", "shown", "hidden"),
    [
        ("ICE", False, "62<span", "0<span"),
        ("PHEV", False, "62<span", "0<span"),
        ("BEV", True, "0<span", "62<span"),
    ],
)
def test_the_powertrain_decides_which_energy_counts(
    owner: User,
    vehicle: Vehicle,
    browser_of: BrowserOf,
    powertrain: str,
    low: bool,
    shown: str,
    hidden: str,
) -> None:
    Vehicle.objects.update(powertrain=powertrain)
    store_signal(vehicle, catalogue.STATE_OF_CHARGE, {"value": 0, "unit": "percent"})
    store_signal(vehicle, catalogue.FUEL_LEVEL, {"value": 62, "unit": "percent"})
    page = browser_of(owner).get(address(vehicle))
    assert page.context["low"] is low
    number = page.content.decode().partition('class="energy-number"')[2].partition("</p>")[0]
    assert shown in number
    assert f">{hidden}" not in number


def test_fuel_in_liters_is_shown_with_the_range(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    Vehicle.objects.update(powertrain="ICE")
    store_signal(vehicle, catalogue.FUEL_REMAINING, {"value": 32, "unit": "L"})
    store_signal(vehicle, catalogue.FUEL_RANGE, {"value": 410, "unit": "km"})
    page = browser_of(owner).get(address(vehicle))
    content = page.content.decode()
    assert "32 L" in content
    assert content.count("410 km") == 1
    assert (page.context["level"], page.context["low"]) == (None, False)


def test_systems_that_were_not_reported_are_named(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    store_signal(vehicle, catalogue.ABS, {"status": "OK", "description": ""})
    store_error(vehicle, catalogue.AIRBAG, "UPSTREAM")
    store_error(vehicle, catalogue.MIL, "COMPATIBILITY")
    content = browser_of(owner).get(address(vehicle)).content.decode()
    assert "No warnings from the one system this vehicle reports." in content
    assert "Not reported: Airbag." in content


def test_warnings_that_the_fleet_does_not_request_are_not_missing(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    create_connection(vehicle, scopes=list(FLEET_SCOPES))
    store_error(vehicle, catalogue.MIL, "PERMISSION")
    content = browser_of(owner).get(address(vehicle)).content.decode()
    assert "t request warnings from drivers." in content
    assert "Not reported:" not in content
    PermissionSettings.objects.create(fleet=vehicle.fleet, scopes=[catalogue.MIL.permission])
    content = browser_of(owner).get(address(vehicle)).content.decode()
    assert "Not reported: Malfunction indicator lamp." in content


def test_a_rejected_value_is_explained(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    store_error(vehicle, catalogue.ODOMETER, "REFUSED", body={"value": 40_000, "unit": "km"})
    words = [Count.KILOMETERS.message(count=count) for count in (0, 40_000)]
    reason = CorrectionNote.COUNTER_FELL.note(value=words[0], before=words[1])
    LatestSignal.objects.update(error_description=reason)
    content = browser_of(owner).get(address(vehicle)).content.decode()
    assert "0 kilometers is less than the last count, 40,000 kilometers." in content
    assert "Smartcar error" not in browser_of(owner).get(address(vehicle, "signals/")).content.decode()


def test_a_level_is_low_below_the_fleets_threshold(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    assert "gauge-low" in browser_of(owner).get(address(vehicle_with_data)).content.decode()
    update_settings(fleet=vehicle_with_data.fleet, low_battery=15, kinds=[], actor=owner)
    assert "gauge-low" not in browser_of(owner).get(address(vehicle_with_data)).content.decode()


def test_an_error_is_explained_beside_the_last_valid_value(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    LatestSignal.objects.filter(code=catalogue.STATE_OF_CHARGE.code).update(
        status="ERROR", error_type="UPSTREAM"
    )
    page = browser_of(owner).get(address(vehicle_with_data)).content.decode()
    assert "17<span" in page
    assert (
        "The manufacturer&#x27;s service didn&#x27;t provide this data. Showing the last valid value." in page
    )


def test_reasons_for_missing_values_distinguish_driver_plan_and_vehicle(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    Connection.objects.update(scopes=[scope for scope in FLEET_SCOPES if scope != "read_odometer"])
    store_error(vehicle_with_data, catalogue.SUNROOF, "COMPATIBILITY")
    store_error(vehicle_with_data, catalogue.ODOMETER, "PERMISSION")
    store_error(vehicle_with_data, catalogue.TIRES, "PERMISSION")
    store_error(vehicle_with_data, catalogue.EXTERNAL_TEMPERATURE, "PERMISSION")
    missing = browser_of(owner).get(address(vehicle_with_data)).context["missing"]
    assert {each.reason: (list(each.labels), each.can_request) for each in missing} == {
        "Permission not granted by the driver.": (["Odometer"], True),
        "Not supported by this vehicle.": (["Sunroof"], False),
        "The driver granted permission, but your Smartcar plan doesn't seem to include this data.": (
            ["Tire pressure"],
            False,
        ),
    }
    assert missing[0].can_request, "what somebody can mend comes first"


def test_without_known_permissions_both_reasons_are_given(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    Connection.objects.update(scopes=[])
    store_error(vehicle_with_data, catalogue.ODOMETER, "PERMISSION")
    (missing,) = browser_of(owner).get(address(vehicle_with_data)).context["missing"]
    assert missing.reason == "Permission not granted by the driver, or not included in your Smartcar plan."


def test_only_members_who_may_connect_can_request_permissions(
    owner: User, viewer: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    Connection.objects.update(scopes=["read_vehicle_info"])
    store_error(vehicle_with_data, catalogue.ODOMETER, "PERMISSION")
    assert "Request permission" in browser_of(owner).get(address(vehicle_with_data)).content.decode()
    assert "Request permission" not in browser_of(viewer).get(address(vehicle_with_data)).content.decode()


def test_warnings_are_listed_with_the_lamp_first(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    store_signal(vehicle_with_data, catalogue.ABS, {"status": "ALERT", "description": "Sensor fault"})
    store_signal(vehicle_with_data, catalogue.BRAKE_FLUID, {"status": "OK", "description": ""})
    store_signal(vehicle_with_data, catalogue.MIL, {"status": "ALERT", "description": ""})
    store_signal(vehicle_with_data, catalogue.DTC_LIST, {"values": [{"code": "P0420"}, {"code": "U0100"}]})
    alerts = browser_of(owner).get(address(vehicle_with_data)).context["alerts"]
    assert [(alert.label, alert.text) for alert in alerts] == [
        ("Malfunction indicator lamp", "Warning"),
        ("Trouble codes", "P0420, U0100"),
        ("Anti-lock brakes", "Sensor fault"),
    ]


def test_trouble_codes_without_details_are_shown_as_a_count(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    store_signal(vehicle_with_data, catalogue.DTC_COUNT, {"value": 3, "unit": "count"})
    assert (
        "3 stored, codes not reported" in browser_of(owner).get(address(vehicle_with_data)).content.decode()
    )
    store_signal(vehicle_with_data, catalogue.DTC_COUNT, {"value": 0, "unit": "count"})
    assert browser_of(owner).get(address(vehicle_with_data)).context["alerts"] == []


def test_without_a_warning_the_number_of_healthy_systems_is_shown(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    PermissionSettings.objects.create(fleet=vehicle_with_data.fleet, scopes=[catalogue.MIL.permission])
    assert "t report system warnings" in browser_of(owner).get(address(vehicle_with_data)).content.decode()
    store_signal(vehicle_with_data, catalogue.ABS, {"status": "OK", "description": ""})
    store_signal(vehicle_with_data, catalogue.AIRBAG, {"status": "OK", "description": ""})
    assert "the 2 systems" in browser_of(owner).get(address(vehicle_with_data)).content.decode()


def test_a_vehicle_without_data_explains_what_comes_next(
    owner: User, viewer: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    assert "Invite a driver" in browser_of(owner).get(address(vehicle)).content.decode()
    assert "An owner or manager" in browser_of(viewer).get(address(vehicle)).content.decode()
    create_connection(vehicle)
    assert "to request them now" in browser_of(owner).get(address(vehicle)).content.decode()


def test_the_page_of_a_removed_vehicle_remains(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    Connection.objects.update(state=ConnectionState.REMOVED)
    page = browser_of(owner).get(address(vehicle_with_data)).content.decode()
    assert "no longer connected" in page
    assert "17<span" in page


def test_unchanged_values_are_not_resent(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)

    def request(version: int) -> int:
        return browser.get(address(vehicle_with_data, "values/"), {"version": version}).status_code

    version = browser.get(address(vehicle_with_data)).context["version"]
    assert request(version) == 204
    store_signal(vehicle_with_data, catalogue.DOORS, grid(opened=((0, 0),)))
    assert request(version) == 200
    version = browser.get(address(vehicle_with_data)).context["version"]
    Connection.objects.update(state=ConnectionState.STALE)
    assert request(version) == 200


def test_old_values_are_marked(owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf) -> None:
    version = browser_of(owner).get(address(vehicle_with_data)).context["version"]
    long_ago = timezone.now() - timedelta(days=3)
    LatestSignal.objects.filter(code=catalogue.RANGE.code).update(observed_at=long_ago)
    answer = browser_of(owner).get(address(vehicle_with_data, "values/"), {"version": version})
    assert "Older than expected for this signal." in answer.content.decode()


def test_the_location_disappears_when_the_driver_hides_it(
    owner: User, vehicle_with_data: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    shown = browser.get(address(vehicle_with_data, "values/"))
    assert 'data-latitude="37.760100"' in shown.content.decode()
    connection = Connection.objects.get()
    privacy.pause(connection=connection, duration=timedelta(hours=1), now=timezone.now())
    hidden = browser.get(
        address(vehicle_with_data, "values/"), {"version": shown.context["version"]}
    ).content.decode()
    assert "37.760100" not in hidden
    assert "Hidden by the driver." in hidden


def test_the_number_of_queries_does_not_grow_with_the_history(
    owner: User,
    vehicle_with_data: Vehicle,
    browser_of: BrowserOf,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    browser, now = browser_of(owner), timezone.now()
    for readings in (0, 2000):
        insert_readings(
            readings=[
                NewReading(
                    vehicle_with_data.pk,
                    catalogue.RANGE.code,
                    now - timedelta(minutes=at),
                    {"value": at, "unit": "km"},
                )
                for at in range(readings)
            ]
        )
        with django_assert_num_queries(QUERIES):
            browser.get(address(vehicle_with_data))
        with django_assert_num_queries(VALUES_QUERIES):
            browser.get(address(vehicle_with_data, "values/"))


@pytest.mark.parametrize("failed", [False, True], ids=["old", "failed since"])
def test_states_that_are_not_current_are_shown_as_the_last_known_ones(
    vehicle_with_data: Vehicle, owner: User, browser_of: BrowserOf, failed: bool
) -> None:
    minutes_ago = 10 if failed else 5 * 24 * 60
    states = {
        catalogue.IS_CHARGING: True,
        catalogue.CHARGE_WATTAGE: 7400,
        catalogue.TIME_TO_COMPLETE: 90,
        catalogue.IS_LOCKED: False,
        catalogue.IS_ONLINE: True,
    }
    for signal, value in states.items():
        store_signal(vehicle_with_data, signal, {"value": value}, minutes_ago=minutes_ago)
    if failed:
        LatestSignal.objects.filter(code__in=[signal.code for signal in states]).update(status="ERROR")
    response = browser_of(owner).get(address(vehicle_with_data))
    facts = {fact.label: fact.value for fact in (*response.context["charging"], *response.context["facts"])}
    assert response.context["is_charging"] is False
    assert not {"Charging power", "Time to charge limit"} & facts.keys()
    assert (facts["Lock"], facts["Online"]) == ("Unlocked (last known)", "Yes (last known)")
    page = response.content.decode()
    assert "Lock status unknown" in page
    assert "Was unlocked" in page


def test_current_power_is_shown_although_it_is_unknown_whether_the_vehicle_charges(
    vehicle_with_data: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    store_signal(vehicle_with_data, catalogue.IS_CHARGING, {"value": False}, minutes_ago=5 * 24 * 60)
    store_signal(vehicle_with_data, catalogue.CHARGE_WATTAGE, {"value": 7400}, minutes_ago=3)
    response = browser_of(owner).get(address(vehicle_with_data))
    assert "Charging power" in [fact.label for fact in response.context["charging"]]


def test_the_common_age_is_shown_once_and_only_exceptions_have_their_own(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    create_connection(vehicle)
    store_signal(vehicle, catalogue.STATE_OF_CHARGE, {"value": 50}, minutes_ago=35)
    store_signal(vehicle, catalogue.RANGE, {"value": 80, "unit": "km"}, minutes_ago=35)
    store_signal(vehicle, catalogue.ODOMETER, {"value": 900, "unit": "km"}, minutes_ago=36)
    Vehicle.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))
    browser = browser_of(owner)

    def ages() -> list[str]:
        values = browser.get(address(vehicle, "values/")).content.decode()
        return re.findall(
            r"data-ago>([^<]*)", re.sub(r'<div class="menu-list.*?</details>', "", values, flags=re.DOTALL)
        )

    assert "All values as of <time" in browser.get(address(vehicle)).content.decode()
    assert ages() == ["35 min ago", "2 min ago"]
    store_signal(vehicle, catalogue.ODOMETER, {"value": 900, "unit": "km"}, minutes_ago=60 * 50)
    assert "</time>, unless marked" in browser.get(address(vehicle)).content.decode()
    assert ages() == ["35 min ago", "2 min ago", "2 d ago"]


def test_a_single_value_has_an_age_of_its_own(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    create_connection(vehicle)
    store_signal(vehicle, catalogue.ODOMETER, {"value": 900, "unit": "km"}, minutes_ago=35)
    page = browser_of(owner).get(address(vehicle)).content.decode()
    assert "as of <time" in page
    assert "alues as of" not in page
