"""A car's overview: what it shows, to whom, why something is missing, and in how many queries."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Fleet, User
from alerts.preferences import update_settings
from connect.driver_portal import privacy
from connect.models import Connection, ConnectionState
from connect.scopes import FLEET_SCOPES
from tests.dashboard.vehicle_page.fixtures import connected, failed, grid, told
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from vehicles.readings import NewReading, insert_readings

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
TABS = ["", "values/", "history/", "signals/", "connection/", "settings/"]
QUERIES = 15
VALUES_QUERIES = 11


@pytest.fixture
def car(vehicle: Vehicle) -> Vehicle:
    connected(vehicle, scopes=list(FLEET_SCOPES))
    told(vehicle, catalogue.STATE_OF_CHARGE, {"value": 17, "unit": "percent"})
    told(vehicle, catalogue.RANGE, {"value": 80, "unit": "km"})
    told(vehicle, catalogue.IS_LOCKED, {"value": False})
    told(vehicle, catalogue.PRECISE_LOCATION, {"latitude": 37.7601, "longitude": -122.4412})
    return vehicle


def address(car: Vehicle, tab: str = "") -> str:
    return f"/fleets/blue/vehicles/{car.smartcar_id}/{tab}"


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)],
)
def test_a_cars_pages_are_for_members_who_may_see(
    request: pytest.FixtureRequest, car: Vehicle, browser_of: BrowserOf, tab: str, person: str, status: int
) -> None:
    assert browser_of(request.getfixturevalue(person)).get(address(car, tab)).status_code == status


def test_whoever_is_not_signed_in_is_asked_to(car: Vehicle) -> None:
    assert "/accounts/sign-in/" in Client().get(address(car)).headers["Location"]


@pytest.mark.parametrize("tab", TABS)
def test_a_car_of_another_fleet_is_404_under_ones_own_fleet(
    outsider: User, car: Vehicle, browser_of: BrowserOf, tab: str
) -> None:
    assert browser_of(outsider).get(f"/fleets/red/vehicles/{car.smartcar_id}/{tab}").status_code == 404


def test_the_tabs_are_links_and_the_one_that_is_open_says_so(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    page = browser_of(owner).get(address(car, "connection/")).content.decode()
    assert f'<a href="{address(car, "connection/")}" aria-current="page">Connection</a>' in page
    assert f'<a href="{address(car)}">Overview</a>' in page


def test_values_are_shown_with_their_age_and_what_it_rests_on(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    Fleet.objects.update(time_zone="Europe/Berlin")
    moment = timezone.now().replace(year=2026, month=11, day=2, hour=9, minute=5, second=7)
    LatestSignal.objects.filter(code=catalogue.RANGE.code).update(oem_updated_at=moment)
    page = browser_of(owner).get(address(car)).content.decode()
    for shown in ("17<span", "80 km", "1 min ago", "Unlocked.", "37.76010, -122.44120", "Noe Valley"):
        assert shown in page
    assert "2 November 2026, 10:05:07 CET" in page


def test_a_car_has_units_of_its_own(owner: User, car: Vehicle, browser_of: BrowserOf) -> None:
    Vehicle.objects.update(unit_system="imperial")
    assert "50 mi" in browser_of(owner).get(address(car)).content.decode()


def test_a_fuel_car_shows_its_fuel_and_no_battery(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    connected(vehicle)
    told(vehicle, catalogue.FUEL_LEVEL, {"value": 62, "unit": "percent"})
    told(vehicle, catalogue.FUEL_RANGE, {"value": 410, "unit": "km"})
    page = browser_of(owner).get(address(vehicle)).content.decode()
    assert "62<span" in page
    assert page.count("410 km") == 1
    assert "State of charge" not in page


def test_a_level_is_low_below_what_the_fleet_calls_low(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    assert "gauge-low" in browser_of(owner).get(address(car)).content.decode()
    update_settings(fleet=car.fleet, low_battery=15, kinds=[], actor=owner)
    assert "gauge-low" not in browser_of(owner).get(address(car)).content.decode()


def test_an_error_is_told_in_plain_words_beside_the_last_good_value(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    LatestSignal.objects.filter(code=catalogue.STATE_OF_CHARGE.code).update(
        status="ERROR", error_type="UPSTREAM"
    )
    page = browser_of(owner).get(address(car)).content.decode()
    assert "17<span" in page
    assert (
        "The manufacturer&#x27;s service didn&#x27;t provide this data. Showing the last valid value." in page
    )


def test_why_a_value_is_missing_tells_driver_plan_and_car_apart(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    Connection.objects.update(scopes=[scope for scope in FLEET_SCOPES if scope != "read_odometer"])
    failed(car, catalogue.SUNROOF, "COMPATIBILITY")
    failed(car, catalogue.ODOMETER, "PERMISSION")
    failed(car, catalogue.TIRES, "PERMISSION")
    failed(car, catalogue.EXTERNAL_TEMPERATURE, "PERMISSION")
    missing = browser_of(owner).get(address(car)).context["missing"]
    assert {each.reason: (list(each.labels), each.can_request) for each in missing} == {
        "Permission not granted by the driver.": (["Odometer"], True),
        "Not supported by this vehicle.": (["Sunroof"], False),
        "The driver granted permission, but your Smartcar plan doesn't seem to include this data.": (
            ["Tire pressure"],
            False,
        ),
        "This fleet doesn't request this permission from drivers.": (["Outside temperature"], False),
    }
    assert missing[0].can_request, "what somebody can mend comes first"


def test_where_the_grant_is_not_known_both_reasons_are_told(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    Connection.objects.update(scopes=[])
    failed(car, catalogue.ODOMETER, "PERMISSION")
    (missing,) = browser_of(owner).get(address(car)).context["missing"]
    assert missing.reason == "Permission not granted by the driver, or not included in your Smartcar plan."


def test_only_who_may_connect_is_offered_to_ask_the_driver(
    owner: User, viewer: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    Connection.objects.update(scopes=["read_vehicle_info"])
    failed(car, catalogue.ODOMETER, "PERMISSION")
    assert "Request permission" in browser_of(owner).get(address(car)).content.decode()
    assert "Request permission" not in browser_of(viewer).get(address(car)).content.decode()


def test_warnings_are_told_the_lamp_first(owner: User, car: Vehicle, browser_of: BrowserOf) -> None:
    told(car, catalogue.ABS, {"status": "ALERT", "description": "Sensor fault"})
    told(car, catalogue.BRAKE_FLUID, {"status": "OK", "description": ""})
    told(car, catalogue.MIL, {"status": "ALERT", "description": ""})
    told(car, catalogue.DTC_LIST, {"values": [{"code": "P0420"}, {"code": "U0100"}]})
    alerts = browser_of(owner).get(address(car)).context["alerts"]
    assert [(alert.label, alert.text) for alert in alerts] == [
        ("Malfunction indicator lamp", "Warning"),
        ("Trouble codes", "P0420, U0100"),
        ("Anti-lock brakes", "Sensor fault"),
    ]


def test_trouble_codes_that_are_only_counted_are_told_as_a_number(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    told(car, catalogue.DTC_COUNT, {"value": 3, "unit": "count"})
    assert "3 stored, codes not reported" in browser_of(owner).get(address(car)).content.decode()
    told(car, catalogue.DTC_COUNT, {"value": 0, "unit": "count"})
    assert browser_of(owner).get(address(car)).context["alerts"] == []


def test_without_a_warning_it_is_told_how_many_systems_are_well(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    assert "t report system warnings" in browser_of(owner).get(address(car)).content.decode()
    told(car, catalogue.ABS, {"status": "OK", "description": ""})
    told(car, catalogue.AIRBAG, {"status": "OK", "description": ""})
    assert "the 2 systems" in browser_of(owner).get(address(car)).content.decode()


def test_a_car_of_which_nothing_was_heard_says_what_comes_next(
    owner: User, viewer: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    assert "Invite a driver" in browser_of(owner).get(address(vehicle)).content.decode()
    assert "An owner or manager" in browser_of(viewer).get(address(vehicle)).content.decode()
    connected(vehicle)
    assert "to request them now" in browser_of(owner).get(address(vehicle)).content.decode()


def test_a_removed_cars_page_stays(owner: User, car: Vehicle, browser_of: BrowserOf) -> None:
    Connection.objects.update(state=ConnectionState.REMOVED)
    page = browser_of(owner).get(address(car)).content.decode()
    assert "no longer connected" in page
    assert "17<span" in page


def test_unchanged_values_are_not_sent_again(owner: User, car: Vehicle, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)

    def again(version: int) -> int:
        return browser.get(address(car, "values/"), {"version": version}).status_code

    version = browser.get(address(car)).context["version"]
    assert again(version) == 204
    told(car, catalogue.DOORS, grid(opened=((0, 0),)))
    assert again(version) == 200
    version = browser.get(address(car)).context["version"]
    Connection.objects.update(state=ConnectionState.STALE)
    assert again(version) == 200


def test_values_say_so_when_they_have_become_old(owner: User, car: Vehicle, browser_of: BrowserOf) -> None:
    version = browser_of(owner).get(address(car)).context["version"]
    long_ago = timezone.now() - timedelta(days=3)
    LatestSignal.objects.filter(code=catalogue.RANGE.code).update(observed_at=long_ago)
    answer = browser_of(owner).get(address(car, "values/"), {"version": version})
    assert "Older than expected for this signal." in answer.content.decode()


def test_the_place_comes_with_the_values_and_goes_when_the_driver_hides_it(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    shown = browser.get(address(car, "values/"))
    assert 'data-latitude="37.760100"' in shown.content.decode()
    connection = Connection.objects.get()
    privacy.pause(connection=connection, duration=timedelta(hours=1), now=timezone.now())
    hidden = browser.get(address(car, "values/"), {"version": shown.context["version"]}).content.decode()
    assert "37.760100" not in hidden
    assert "Hidden by the driver." in hidden


def test_queries_are_few_and_the_same_at_any_size_of_history(
    owner: User, car: Vehicle, browser_of: BrowserOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser, now = browser_of(owner), timezone.now()
    for readings in (0, 2000):
        insert_readings(
            readings=[
                NewReading(
                    car.pk, catalogue.RANGE.code, now - timedelta(minutes=at), {"value": at, "unit": "km"}
                )
                for at in range(readings)
            ]
        )
        with django_assert_num_queries(QUERIES):
            browser.get(address(car))
        with django_assert_num_queries(VALUES_QUERIES):
            browser.get(address(car, "values/"))
