"""The fleet page: the vehicles it shows, its texts, permissions, and number of queries."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Fleet, Role, User
from accounts.services import add_member
from alerts.models import AlertSettings
from connect.models import Connection, ConnectionState, DriverPortal, LocationPause
from dashboard.vehicle_list.saved_models import SavedView
from tests.dashboard.vehicle_list.fixtures import connect, create_vehicle, report_signal
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/"
QUERIES = 14
SAN_FRANCISCO, OCEAN = (37.7793, -122.4193), (10.0, -150.0)


def names(browser: Client, query: str = "") -> list[str]:
    """Returns the names of the vehicles on the page, in order."""
    return [row.title for row in browser.get(f"{PAGE}?{query}").context["rows"]]


def text(browser: Client, address: str = PAGE) -> str:
    return browser.get(address).content.decode()


@pytest.fixture
def vehicles(fleet: Fleet) -> dict[str, Vehicle]:
    created = [
        create_vehicle(
            fleet, "Ada", charge=80, charging=True, locked=True, make="TESLA", model="Model 3", odometer=100
        ),
        create_vehicle(
            fleet, "Bea", charge=12, locked=False, make="BMW", model="i4", group="North", odometer=300
        ),
        create_vehicle(
            fleet, "Cem", fuel=50, speed=48, make="FORD", plate="XY 100%", driver="Robin", odometer=200
        ),
        create_vehicle(fleet, "Dan", charge=40, minutes_ago=60 * 5, make="BMW", vin="WBY00000000000007"),
        create_vehicle(fleet, "Eve", charge=60, state=ConnectionState.NEEDS_REAUTHENTICATION),
        create_vehicle(fleet, "Fay"),
    ]
    return {vehicle.name: vehicle for vehicle in created}


FRAGMENTS = ["", "list/", "map-data/", "map-data/{pk}/"]


@pytest.mark.parametrize("page", FRAGMENTS)
@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)],
)
def test_permissions_for_the_page_and_its_parts(
    request: pytest.FixtureRequest,
    vehicles: dict[str, Vehicle],
    browser_of: BrowserOf,
    page: str,
    person: str,
    status: int,
) -> None:
    address = PAGE + page.format(pk=vehicles["Ada"].pk)
    assert browser_of(request.getfixturevalue(person)).get(address).status_code == status


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_members_who_may_command_can_select_all_matching(
    request: pytest.FixtureRequest,
    vehicles: dict[str, Vehicle],
    browser_of: BrowserOf,
    person: str,
    status: int,
) -> None:
    answer = browser_of(request.getfixturevalue(person)).get(f"{PAGE}matching/?make=BMW")
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"vehicles": ["car-Bea", "car-Dan"]}


def test_anonymous_users_are_redirected_to_sign_in(fleet: Fleet) -> None:
    assert Client().get(PAGE).headers["Location"].startswith("/accounts/sign-in/")


def test_a_row_shows_the_vehicles_data(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    create_vehicle(
        fleet, "Van 1", charge=17, locked=False, place=SAN_FRANCISCO, odometer=12345, make="TESLA",
        model="Model 3", year=2022, plate="B 42", driver="Robin",
    )  # fmt: skip
    report_signal(Vehicle.objects.get(), catalogue.RANGE, {"value": 80, "unit": "km"})
    page = text(browser_of(owner), f"{PAGE}?columns=attention,model,energy,lock,place,odometer,heard,driver")
    expected = (
        *("Van 1", "Tesla Model 3 2022", "B 42", "17%", "80 km", "Unlocked", "San Francisco"),
        *("12,345 km", "1 min ago", "Low battery", "Robin"),
    )
    for shown in expected:
        assert shown in page


def test_a_location_without_a_nearby_town_is_shown_as_coordinates(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    create_vehicle(fleet, "Boat", place=OCEAN)
    assert "10.0" in text(browser_of(owner)).partition('class="place ')[2][:60]


def test_imperial_fleets_see_miles(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    create_vehicle(fleet, "Van 1", odometer=80)
    Fleet.objects.filter(slug="blue").update(unit_system="imperial")
    assert "50 mi" in text(browser_of(owner), f"{PAGE}?columns=odometer")


def test_an_empty_fleet_explains_what_to_do_next(viewer: User, browser_of: BrowserOf) -> None:
    assert "Ask an owner or manager" in text(browser_of(viewer))


def test_a_removed_vehicle_is_not_listed(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    connect(vehicle, ConnectionState.REMOVED)
    assert "Van 1" not in text(browser_of(owner))


def test_the_best_of_several_connections_is_shown(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    connect(vehicle, ConnectionState.NEEDS_REAUTHENTICATION, user="one")
    connect(vehicle, ConnectionState.ACTIVE, user="two")
    connect(vehicle, ConnectionState.REVOKED, user="three")
    assert [row.vehicle.state for row in browser_of(owner).get(PAGE).context["rows"]] == ["active"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Ada", "Bea", "Cem", "Dan", "Eve", "Fay"]),
        ("show=charging", ["Ada"]),
        ("show=low", ["Bea"]),
        ("show=unlocked", ["Bea"]),
        ("show=moving", ["Cem"]),
        ("show=stale", ["Dan", "Fay"]),
        ("show=attention", ["Bea", "Eve"]),
        ("show=nonsense", ["Ada", "Bea", "Cem", "Dan", "Eve", "Fay"]),
        ("make=BMW", ["Bea", "Dan"]),
        ("group=North", ["Bea"]),
        ("state=needs_reauth", ["Eve"]),
        ("make=BMW&show=low", ["Bea"]),
        ("q=model+tesla", ["Ada"]),
        ("q=robin", ["Cem"]),
        ("q=100%25", ["Cem"]),
        ("q=%25", ["Cem"]),
        ("q=_", []),
        ("q=nothing+of+it", []),
        ("q=%00ada", []),
        ("page=zero&sort=;drop", ["Ada", "Bea", "Cem", "Dan", "Eve", "Fay"]),
        ("page=900", ["Ada", "Bea", "Cem", "Dan", "Eve", "Fay"]),
    ],
)
def test_filters_and_search(
    owner: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf, query: str, expected: list[str]
) -> None:
    assert names(browser_of(owner), query) == expected


@pytest.mark.parametrize(
    ("sort", "first"),
    [("-name", "Fay"), ("energy", "Bea"), ("-energy", "Ada"), ("odometer", "Ada"), ("-odometer", "Bea"),
     ("heard", "Fay"), ("connection", "Eve"), ("driver", "Cem"), ("group", "Bea"), ("lock", "Bea")],
)  # fmt: skip
def test_the_list_is_sorted_by_any_column(
    owner: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf, sort: str, first: str
) -> None:
    assert names(browser_of(owner), f"sort={sort}")[0] == first


def test_only_members_who_may_connect_search_vins(
    owner: User, viewer: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    assert names(browser_of(owner), "q=wby0000") == ["Dan"]
    assert names(browser_of(viewer), "q=wby0000") == []


def test_a_driver_is_found_by_the_name_in_the_driver_portal(
    owner: User, fleet: Fleet, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    connection = connect(vehicle)
    DriverPortal.objects.create(
        fleet=fleet,
        smartcar_user_id=connection.smartcar_user_id,
        driver_name="Kim Lee",
        nonce="n",
        secret_hash="h",
    )
    assert names(browser_of(owner), "q=kim") == ["Van 1"]
    Vehicle.objects.update(driver="Robin")
    assert names(browser_of(owner), "q=kim") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"": 6, "charging": 1, "low": 1, "unlocked": 1, "moving": 1, "stale": 2, "attention": 2}),
        (
            "show=charging",
            {"": 6, "charging": 1, "low": 1, "unlocked": 1, "moving": 1, "stale": 2, "attention": 2},
        ),
        ("make=BMW&show=charging", {"": 2, "low": 1, "unlocked": 1, "stale": 1, "attention": 1}),
        ("q=bea", {"": 1, "low": 1, "unlocked": 1, "attention": 1}),
        ("group=North", {"": 1, "low": 1, "unlocked": 1, "attention": 1}),
    ],
)
def test_tiles_count_what_search_and_filters_leave(
    owner: User,
    vehicles: dict[str, Vehicle],
    browser_of: BrowserOf,
    query: str,
    expected: dict[str, int],
) -> None:
    tiles = browser_of(owner).get(f"{PAGE}?{query}").context["tiles"]
    assert {tile.show.value: tile.count for tile in tiles if tile.count} == expected


def test_tiles_are_sorted_by_severity(
    owner: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    tiles = browser_of(owner).get(PAGE).context["tiles"]
    assert [tile.show.value for tile in tiles] == [
        "attention", "low", "unlocked", "stale", "charging", "moving", "",
    ]  # fmt: skip
    assert "tile-none" in text(browser_of(owner), f"{PAGE}?q=cem").partition('id="tile-low"')[0][-60:]


@pytest.mark.parametrize(
    ("plate", "search"),
    [("8CB9102", "8cb-9102"), ("8CB-9102", "8CB9102"), ("8CB 9102", "8cb9102"), ("8CB9102", "8CB 9102"),
     ("B-CD 123", "bcd123"), ("8CB9102", "cb-91")],
)  # fmt: skip
def test_a_plate_is_found_with_and_without_spaces_and_hyphens(
    owner: User, fleet: Fleet, browser_of: BrowserOf, plate: str, search: str
) -> None:
    create_vehicle(fleet, "Ada", plate=plate)
    create_vehicle(fleet, "Bea", plate="8XX 0001")
    assert names(browser_of(owner), f"q={search}") == ["Ada"]


def test_what_is_exactly_the_searched_name_or_plate_comes_first(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    for name in ("Courier 1 North", "Courier 10", "Courier 1", "A courier 1", "Courier 11"):
        create_vehicle(fleet, name)
    create_vehicle(fleet, "Zoe", plate="10-A")
    browser = browser_of(owner)
    assert names(browser, "q=courier+1") == [
        "Courier 1", "Courier 1 North", "Courier 10", "Courier 11", "A courier 1",
    ]  # fmt: skip
    assert names(browser, "q=courier+1&sort=-name")[0] == "Courier 11"
    create_vehicle(fleet, "A 10a")
    assert names(browser, "q=10a") == ["Zoe", "A 10a"]


def test_active_filters_are_removable_chips(
    owner: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    chips = browser_of(owner).get(f"{PAGE}?make=BMW&q=bea&show=low&sort=energy").context["chips"]
    assert [(chip.label, chip.query) for chip in chips] == [
        ("Low battery", "q=bea&make=BMW&sort=energy"),
        ("“bea”", "show=low&make=BMW&sort=energy"),
        ("BMW", "show=low&q=bea&sort=energy"),
    ]
    assert browser_of(owner).get(PAGE).context["chips"] == []


def test_columns_that_are_empty_for_the_whole_fleet_are_hidden(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    create_vehicle(fleet, "Ada")
    browser = browser_of(owner)
    browser.post(f"{PAGE}columns/", {"column": ["attention", "lock", "connection", "driver", "group"]})

    def shown() -> list[str]:
        return [header.name for header in browser.get(PAGE).context["headers"]]

    assert shown() == ["name", "lock"]
    create_vehicle(fleet, "Bea", driver="Robin", group="North", state=ConnectionState.REVOKED)
    assert shown() == ["name", "attention", "lock", "connection", "driver", "group"]
    assert browser.get(f"{PAGE}?q=ada").context["columns"][0] == "attention"


def test_saved_views_are_tabs_of_which_the_matching_one_is_current(
    owner: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    browser.post(f"{PAGE}views/", {"name": "Low BMWs", "query": "make=BMW&show=low"})
    query = SavedView.objects.get().query

    def current(query: str) -> list[str]:
        return [tab.label for tab in browser.get(f"{PAGE}?{query}").context["tabs"] if tab.current]

    assert current("") == ["All vehicles"]
    assert current(query) == ["Low BMWs"]
    assert current(f"{query}&page=2") == ["Low BMWs"]
    assert current(f"{query}&q=ada") == []


def test_a_view_is_replaced_only_after_asking(
    owner: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    form = {"name": "Mine", "query": "make=BMW"}
    browser.post(f"{PAGE}views/", form)
    asked = browser.post(f"{PAGE}views/", form | {"query": "make=FORD"})
    assert "Replace view “Mine”?" in asked.content.decode()
    assert "make=BMW" in SavedView.objects.get().query
    assert 'name="query" value="make=FORD' in asked.content.decode()
    done = browser.post(f"{PAGE}views/", form | {"query": "make=FORD", "replace": "yes"}, follow=True)
    assert "View “Mine” updated." in done.content.decode()
    assert "make=FORD" in SavedView.objects.get().query


def test_an_old_speed_does_not_count_as_moving(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    create_vehicle(fleet, "Van 1", speed=50, minutes_ago=16)
    assert names(browser_of(owner), "show=moving") == []


@pytest.mark.parametrize("failed", [False, True], ids=["old", "failed since"])
def test_states_that_are_not_current_are_neither_counted_nor_filtered_nor_drawn(
    owner: User, fleet: Fleet, browser_of: BrowserOf, failed: bool
) -> None:
    minutes_ago = 10 if failed else 5 * 24 * 60
    car = create_vehicle(
        fleet, "Ada", charging=True, locked=False, speed=50, place=OCEAN, minutes_ago=minutes_ago
    )
    if failed:
        LatestSignal.objects.filter(vehicle=car).update(status="ERROR")
    report_signal(car, catalogue.STATE_OF_CHARGE, {"value": 50})
    browser = browser_of(owner)
    counts = {tile.show.value: tile.count for tile in browser.get(PAGE).context["tiles"]}
    assert (counts["charging"], counts["unlocked"], counts["moving"]) == (0, 0, 0)
    assert [names(browser, f"show={tile}") for tile in ("charging", "unlocked", "moving")] == [[], [], []]
    assert browser.get(f"{PAGE}map-data/").json()["vehicles"][0][-1] == "parked"
    for page in (text(browser), text(browser, f"{PAGE}map-data/{car.pk}/")):
        assert "Was unlocked" in page
        assert "state-unlocked" not in page
        assert "level-charging" not in page
    assert "> · charging" not in text(browser)


def test_current_lock_states_are_sorted_before_unknown_ones(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    create_vehicle(fleet, "Ada", locked=False, minutes_ago=60 * 24 * 5)
    create_vehicle(fleet, "Bea", locked=True)
    create_vehicle(fleet, "Cem", locked=False)
    assert names(browser_of(owner), "sort=lock") == ["Cem", "Bea", "Ada"]


def test_a_long_list_is_paginated(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    for number in range(60):
        create_vehicle(fleet, f"Car {number:02}")
    browser = browser_of(owner)
    assert names(browser)[-1] == "Car 49"
    assert names(browser, "page=2") == [f"Car {number}" for number in range(50, 60)]
    assert "51–60 of 60 vehicles" in text(browser, f"{PAGE}?page=2")


def test_the_map_shows_the_filtered_vehicles(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    lone = create_vehicle(fleet, "Ada", place=SAN_FRANCISCO, locked=False)
    fast = create_vehicle(fleet, "Bea", place=OCEAN, speed=50)
    report_signal(fast, catalogue.PRECISE_LOCATION, {"latitude": 10.0, "longitude": -150.0, "heading": 90.4})
    create_vehicle(fleet, "Cem")
    browser = browser_of(owner)
    both: list[list[Any]] = [
        [lone.pk, -122.4193, 37.7793, None, "unlocked"],
        [fast.pk, -150.0, 10.0, 90, "moving"],
    ]
    assert sorted(browser.get(f"{PAGE}map-data/").json()["vehicles"]) == sorted(both)
    assert browser.get(f"{PAGE}map-data/?show=moving").json()["vehicles"] == both[1:]


def test_a_hidden_location_is_not_shown_anywhere(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    hidden = create_vehicle(fleet, "Ada", place=SAN_FRANCISCO)
    LocationPause.objects.create(
        connection=Connection.objects.get(vehicle=hidden), began_at=timezone.now() - timedelta(minutes=1)
    )
    browser = browser_of(owner)
    assert "Hidden by the driver" in text(browser)
    assert "San Francisco" not in text(browser) + text(browser, f"{PAGE}map-data/{hidden.pk}/")
    assert browser.get(f"{PAGE}map-data/").json() == {"vehicles": []}


def test_vehicles_of_another_fleet_are_not_shown_anywhere(
    owner: User, outsider: User, vehicle: Vehicle, vehicles: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    browser = browser_of(outsider)
    assert "Ada" not in text(browser, "/fleets/red/")
    assert browser.get("/fleets/red/map-data/").json() == {"vehicles": []}
    assert browser.get(f"/fleets/red/map-data/{vehicles['Ada'].pk}/").status_code == 404


def test_an_unchanged_list_is_not_resent(
    owner: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    version = browser.get(f"{PAGE}list/").headers["X-Version"]
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):  # ages are updated by the browser
        assert browser.get(f"{PAGE}list/", headers={"X-Version": version}).status_code == 204
    report_signal(vehicles["Ada"], catalogue.STATE_OF_CHARGE, {"value": 81})
    assert browser.get(f"{PAGE}list/", headers={"X-Version": version}).status_code == 200


def test_htmx_gets_only_the_list_and_history_navigation_the_page(
    owner: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    assert "<html" not in browser.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    back = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in browser.get(PAGE, headers=back).content.decode()


def test_chosen_columns_are_stored_in_the_browser(
    owner: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    answer = browser.post(f"{PAGE}columns/", {"column": ["group", "lock", "nonsense"], "query": "show=low"})
    assert answer.headers["Location"] == f"{PAGE}?show=low"
    assert [header.name for header in browser.get(PAGE).context["headers"]] == ["name", "lock", "group"]


def test_a_view_is_saved_with_filters_order_and_columns(
    owner: User, vehicles: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    browser.post(f"{PAGE}columns/", {"column": ["group"]})
    answer = browser.post(f"{PAGE}views/", {"name": " North  BMWs ", "query": "make=BMW&sort=-name&page=3"})
    view = SavedView.objects.get()
    assert (view.name, view.shared) == ("North BMWs", False)
    browser.post(f"{PAGE}columns/", {"column": ["lock"]})
    context = browser.get(answer.headers["Location"]).context
    assert [row.title for row in context["rows"]] == ["Dan", "Bea"]
    assert [header.name for header in context["headers"]] == ["name", "group"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_view_needs_a_valid_name(owner: User, fleet: Fleet, browser_of: BrowserOf, name: str) -> None:
    answer = browser_of(owner).post(f"{PAGE}views/", {"name": name, "query": "show=low"}, follow=True)
    assert "t save the view" in answer.content.decode()
    assert answer.redirect_chain[0][0] == f"{PAGE}?show=low"
    assert not SavedView.objects.exists()


def test_saved_views_are_private_unless_shared(
    owner: User, teammate: User, viewer: User, outsider: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    create_vehicle(fleet, "Ada")
    other = browser_of(teammate)
    other.post(f"{PAGE}views/", {"name": "Mine", "query": ""})
    other.post(f"{PAGE}views/", {"name": "Ours", "query": "", "shared": "on"})
    assert "Mine" in text(other)
    for person in (owner, viewer):
        assert "Mine" not in text(browser_of(person))
        assert "Ours" in text(browser_of(person))
    mine, ours = SavedView.objects.get(name="Mine"), SavedView.objects.get(name="Ours")
    assert browser_of(viewer).post(f"{PAGE}views/{mine.pk}/delete/").status_code == 404
    browser_of(viewer).post(f"{PAGE}views/{ours.pk}/delete/")
    assert SavedView.objects.filter(pk=ours.pk).exists()
    assert browser_of(outsider).post(f"{PAGE}views/{ours.pk}/delete/").status_code == 404
    assert browser_of(outsider).post(f"/fleets/red/views/{ours.pk}/delete/").status_code == 404
    browser_of(owner).post(f"{PAGE}views/{ours.pk}/delete/")
    other.post(f"{PAGE}views/{mine.pk}/delete/")
    assert not SavedView.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_fleet(
    owner: User, fleet: Fleet, browser_of: BrowserOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = browser_of(owner)
    created = 0
    for count in (1, 70):
        for _ in range(count):
            created += 1
            create_vehicle(fleet, f"Car {created}", charge=50, place=SAN_FRANCISCO)
        browser.get(PAGE)
        with django_assert_num_queries(QUERIES):
            browser.get(PAGE)


def test_a_member_of_two_fleets_sees_the_vehicles_of_each(
    owner: User, outsider: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    red = Fleet.objects.get(slug="red")
    add_member(fleet=red, user=owner, role=Role.VIEWER, actor=None)
    create_vehicle(fleet, "Ada")
    create_vehicle(red, "Zoe")
    browser = browser_of(owner)
    assert names(browser) == ["Ada"]
    assert [row.title for row in browser.get("/fleets/red/").context["rows"]] == ["Zoe"]


def test_a_battery_is_low_below_the_fleets_threshold(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    create_vehicle(fleet, "Ada", charge=35)
    assert names(browser_of(owner), "show=low") == []
    AlertSettings.objects.create(fleet=fleet, low_battery=40)
    assert names(browser_of(owner), "show=low") == ["Ada"]


def test_a_vehicle_id_that_no_row_can_have_is_not_found(owner: User, browser_of: BrowserOf) -> None:
    for number in (2**63 - 1, 2**63, 10**30):
        assert browser_of(owner).get(f"/fleets/blue/map-data/{number}/").status_code == 404


def test_only_values_older_than_the_last_update_have_an_age_of_their_own(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    create_vehicle(fleet, "Ada", locked=True, charge=50, place=SAN_FRANCISCO, minutes_ago=60 * 20)
    late = create_vehicle(fleet, "Bea", locked=True, charge=50, place=SAN_FRANCISCO, minutes_ago=60 * 20)
    Vehicle.objects.filter(pk=late.pk).update(last_seen_at=timezone.now())
    _, *rows = text(browser_of(owner)).partition("<tbody>")[2].split("<tr ")
    assert [row.count("data-ago") for row in rows] == [1, 2]
    assert "20 h ago" in rows[0]
    assert "as of <time" in rows[1]
    report_signal(late, catalogue.IS_LOCKED, {"value": True}, minutes_ago=60 * 10)
    report_signal(late, catalogue.STATE_OF_CHARGE, {"value": 50}, minutes_ago=0)
    _, *rows = text(browser_of(owner)).partition("<tbody>")[2].split("<tr ")
    assert [row.count("data-ago") for row in rows] == [1, 3]
