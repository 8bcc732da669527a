"""The fleet page and the vehicle page: what they show, to whom, in how many queries."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Fleet, User
from connect.models import Connection, ConnectionState
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGES = [
    "",
    "cars/",
    "vehicles/{car}/",
    "vehicles/{car}/values/",
    "vehicles/{car}/signals/",
    "vehicles/{car}/signals/table/",
    "vehicles/{car}/history/",
]
FLEET_PAGE_QUERIES = 11
VEHICLE_PAGE_QUERIES = 17


def connect(vehicle: Vehicle, state: ConnectionState = ConnectionState.ACTIVE) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id=f"user-{vehicle.pk}",
        generation="v3",
        mode="live",
        state=state,
        subscribed_at=timezone.now(),
    )


def know(vehicle: Vehicle, signal: Signal, body: dict[str, object], *, minutes_ago: float = 1) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    LatestSignal.objects.create(
        vehicle=vehicle, code=signal.code, body=body, status="SUCCESS", observed_at=at, reported_at=at
    )
    Vehicle.objects.filter(pk=vehicle.pk).update(last_seen_at=at)


@pytest.fixture
def car(vehicle: Vehicle) -> Vehicle:
    connect(vehicle)
    know(vehicle, catalogue.STATE_OF_CHARGE, {"value": 17, "unit": "percent"})
    know(vehicle, catalogue.RANGE, {"value": 80, "unit": "km"})
    know(vehicle, catalogue.IS_LOCKED, {"value": False})
    know(vehicle, catalogue.PRECISE_LOCATION, {"latitude": 37.7601, "longitude": -122.4412})
    return vehicle


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)],
)
def test_pages_are_for_members_who_may_see(
    request: pytest.FixtureRequest, car: Vehicle, browser_of: BrowserOf, page: str, person: str, status: int
) -> None:
    address = f"/fleets/blue/{page.format(car=car.smartcar_id)}"
    assert browser_of(request.getfixturevalue(person)).get(address).status_code == status


@pytest.mark.parametrize("page", ["", "vehicles/{car}/"])
def test_whoever_is_not_signed_in_is_asked_to(car: Vehicle, page: str) -> None:
    address = f"/fleets/blue/{page.format(car=car.smartcar_id)}"
    assert Client().get(address).headers["Location"].startswith("/accounts/sign-in/")


def test_a_car_of_another_fleet_is_404_under_ones_own_fleet(
    outsider: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    assert browser_of(outsider).get(f"/fleets/red/vehicles/{car.smartcar_id}/").status_code == 404


def test_the_fleet_page_shows_battery_place_lock_and_age(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    page = browser_of(owner).get("/fleets/blue/").content.decode()
    for shown in ("Van 1", "17 %", "80 km", "Unlocked", "37.7601, -122.4412", "1 min ago"):
        assert shown in page


def test_imperial_fleets_see_miles(owner: User, car: Vehicle, browser_of: BrowserOf) -> None:
    Fleet.objects.filter(slug="blue").update(unit_system="imperial")
    assert "50 mi" in browser_of(owner).get("/fleets/blue/").content.decode()


def test_an_empty_fleet_says_what_to_do_next(owner: User, viewer: User, browser_of: BrowserOf) -> None:
    assert "Connect the first vehicle" in browser_of(owner).get("/fleets/blue/").content.decode()
    assert "Ask an owner or manager" in browser_of(viewer).get("/fleets/blue/").content.decode()


def test_a_removed_car_is_not_listed_but_its_page_stays(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    connect(vehicle, ConnectionState.REMOVED)
    browser = browser_of(owner)
    assert "Van 1" not in browser.get("/fleets/blue/").content.decode()
    assert (
        "no longer connected" in browser.get(f"/fleets/blue/vehicles/{vehicle.smartcar_id}/").content.decode()
    )


def test_a_connection_in_trouble_is_told_to_those_who_can_mend_it_until_it_works_again(
    owner: User, teammate: User, viewer: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    told = "1 connection needs attention"
    assert told not in browser_of(owner).get("/fleets/blue/").content.decode()
    Connection.objects.update(state=ConnectionState.NEEDS_REAUTHENTICATION)
    for person in (owner, teammate):
        assert told in browser_of(person).get("/fleets/blue/cars/").content.decode()
    assert told not in browser_of(viewer).get("/fleets/blue/").content.decode()
    Connection.objects.update(state=ConnectionState.ACTIVE)
    assert told not in browser_of(owner).get("/fleets/blue/cars/").content.decode()


def test_an_unchanged_table_is_not_sent_again(owner: User, car: Vehicle, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    version = browser.get("/fleets/blue/cars/").context["overview"].version
    assert browser.get("/fleets/blue/cars/", {"version": version}).status_code == 204
    Vehicle.objects.update(last_seen_at=timezone.now())
    assert browser.get("/fleets/blue/cars/", {"version": version}).status_code == 200


def test_a_signals_error_is_told_in_plain_words_beside_the_last_good_value(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    LatestSignal.objects.filter(code=catalogue.STATE_OF_CHARGE.code).update(
        status="ERROR", error_type="UPSTREAM"
    )
    page = browser_of(owner).get(f"/fleets/blue/vehicles/{car.smartcar_id}/").content.decode()
    assert "17<span" in page
    assert "The maker&#x27;s service did not deliver it." in page


@pytest.mark.parametrize("cars", [1, 30])
def test_the_number_of_queries_does_not_grow_with_the_fleet(
    owner: User,
    fleet: Fleet,
    browser_of: BrowserOf,
    django_assert_num_queries: DjangoAssertNumQueries,
    cars: int,
) -> None:
    for number in range(cars):
        vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=f"car-{number}")
        connect(vehicle)
        know(vehicle, catalogue.STATE_OF_CHARGE, {"value": 50, "unit": "percent"})
    browser = browser_of(owner)
    with django_assert_num_queries(FLEET_PAGE_QUERIES):
        browser.get("/fleets/blue/")
    with django_assert_num_queries(VEHICLE_PAGE_QUERIES):
        browser.get("/fleets/blue/vehicles/car-0/")


def test_a_poll_after_the_session_ended_reloads_the_page_to_sign_in(car: Vehicle) -> None:
    answer = Client().get("/fleets/blue/cars/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (200, "true")
    assert answer.content == b""


def test_the_home_page_leads_to_the_first_fleet_or_says_what_to_do(
    owner: User, driver: User, browser_of: BrowserOf
) -> None:
    assert browser_of(owner).get("/").headers["Location"] == "/fleets/blue/"
    assert "not in a fleet" in browser_of(driver).get("/").content.decode()
