"""The pages of a fleet's places: permissions, validation, and no coordinates in URLs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditLogEntry, Fleet, User
from connect.driver_portal import privacy
from connect.models import Connection
from dashboard.places import forms
from vehicles import catalogue
from vehicles.models import LatestSignal, Place, Vehicle, VehicleSnapshot

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
LIST, NEW = "/fleets/blue/places/", "/fleets/blue/places/new/"
DEPOT = {"name": "Depot", "kind": "depot", "latitude": "37.8044", "longitude": "-122.2708", "radius": "300"}


@pytest.fixture
def depot(fleet: Fleet) -> Place:
    return Place.objects.create(
        fleet=fleet, name="Depot", kind="depot", latitude=37.8044, longitude=-122.2708, radius=300
    )


def locate(vehicle: Vehicle, latitude: float = 37.775, longitude: float = -122.418) -> None:
    now = timezone.now()
    LatestSignal.objects.create(
        vehicle=vehicle,
        code=catalogue.PRECISE_LOCATION.code,
        body={"latitude": latitude, "longitude": longitude},
        observed_at=now,
        reported_at=now,
        status="SUCCESS",
    )


@pytest.mark.parametrize(
    ("role", "sees", "edits"),
    [
        ("owner", 200, 200),
        ("teammate", 200, 200),
        ("viewer", 200, 403),
        ("driver", 403, 403),
        ("outsider", 404, 404),
    ],
)
def test_members_see_places_and_owners_and_managers_edit_them(
    request: pytest.FixtureRequest, depot: Place, browser_of: BrowserOf, role: str, sees: int, edits: int
) -> None:
    browser = browser_of(request.getfixturevalue(role))
    assert browser.get(LIST).status_code == sees
    assert browser.get(NEW).status_code == edits
    assert browser.get(f"{LIST}{depot.pk}/").status_code == edits
    changed = 302 if edits == 200 else edits
    assert browser.post(NEW, DEPOT | {"name": "Other"}).status_code == changed
    assert browser.post(f"{LIST}{depot.pk}/", DEPOT | {"radius": "400"}).status_code == changed
    assert browser.post(f"{LIST}{depot.pk}/delete/").status_code == changed
    assert Place.objects.filter(pk=depot.pk).exists() == (changed != 302)


def test_anonymous_users_are_redirected_to_sign_in(fleet: Fleet) -> None:
    for address in (LIST, NEW):
        assert Client().get(address).status_code == 302


def test_places_of_another_fleet_are_not_found(depot: Place, outsider: User, browser_of: BrowserOf) -> None:
    browser = browser_of(outsider)
    for address in (f"/fleets/red/places/{depot.pk}/", f"/fleets/red/places/{depot.pk}/delete/"):
        assert browser.post(address, DEPOT).status_code == 404
    assert "300 m radius" not in browser.get("/fleets/red/places/").content.decode()


def test_viewers_see_no_edit_buttons(depot: Place, viewer: User, browser_of: BrowserOf) -> None:
    page = browser_of(viewer).get(LIST).content.decode()
    assert "Depot" in page
    assert "300 m radius" in page
    for button in ("Add a place", "Edit", "place-here"):
        assert button not in page


def test_an_empty_list_explains_what_to_do(
    fleet: Fleet, owner: User, viewer: User, browser_of: BrowserOf
) -> None:
    assert (
        "Click the map, or add a place using coordinates or a vehicle"
        in browser_of(owner).get(LIST).content.decode()
    )
    assert (
        "Owners and managers of Blue Fleet can add places." in browser_of(viewer).get(LIST).content.decode()
    )


def test_adding_changing_and_deleting_a_place_is_in_the_audit_log(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    assert "Place “Depot” saved." in browser.post(NEW, DEPOT, follow=True).content.decode()
    place = Place.objects.get(fleet=fleet)
    assert (place.kind, place.latitude, place.longitude, place.radius) == ("depot", 37.8044, -122.2708, 300)
    browser.post(f"{LIST}{place.pk}/", DEPOT | {"name": "Depot West", "radius": "500"})
    place.refresh_from_db()
    assert (place.name, place.radius) == ("Depot West", 500)
    assert (
        "Place “Depot West” deleted."
        in browser.post(f"{LIST}{place.pk}/delete/", follow=True).content.decode()
    )
    log = (
        AuditLogEntry.objects.filter(object_type="place", object_id=str(place.pk))
        .order_by("pk")
        .values_list("event", "data__name")
    )
    assert list(log) == [
        ("place.created", "Depot"),
        ("place.changed", "Depot West"),
        ("place.deleted", "Depot West"),
    ]


@pytest.mark.parametrize("field", ["latitude", "longitude"])
@pytest.mark.parametrize(
    "pasted",
    [
        "37.8044, -122.2708",
        "37,8044; -122,2708",
        "37.8044 -122.2708",
        "37.8044 N, 122.2708 W",
        "37° 48' 15.84\" N 122° 16' 14.88\" W",
        "https://www.google.com/maps/place/Oakland/@37.1,-122.1,12z/data=!4m6!3m5!1s0x80!8m2!3d37.8044!4d-122.2708!16z",
    ],
)
def test_coordinates_may_be_pasted_together(
    fleet: Fleet, owner: User, browser_of: BrowserOf, pasted: str, field: str
) -> None:
    browser_of(owner).post(NEW, DEPOT | {"latitude": "", "longitude": ""} | {field: pasted})
    place = Place.objects.get()
    assert (place.latitude, place.longitude) == pytest.approx((37.8044, -122.2708))


def test_a_latitude_with_a_decimal_comma_is_not_split_into_a_place(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    answer = browser_of(owner).post(NEW, DEPOT | {"latitude": "52,5", "longitude": ""})
    page = answer.content.decode()
    assert (answer.status_code, Place.objects.count()) == (400, 0)
    assert "Enter the longitude, too" in page
    assert 'value="52,5"' in page


def test_the_letter_o_is_read_in_the_user_s_language(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    User.objects.filter(pk=owner.pk).update(language="de")
    browser_of(owner).post(NEW, DEPOT | {"latitude": "52,5° N, 13,4° O", "longitude": ""})
    assert (Place.objects.get().latitude, Place.objects.get().longitude) == (52.5, 13.4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": " "}, "This field is required"),
        ({"name": "depot"}, "already has a place named “depot”"),
        ({"latitude": "91"}, "Enter degrees from -90 to 90"),
        ({"longitude": "east"}, "Enter degrees from -180 to 180"),
        ({"radius": "19"}, "Enter a radius from 20 to 50000 meters."),
        ({"radius": "50001"}, "Enter a radius from 20 to 50000 meters."),
        ({"radius": "wide"}, "Enter a whole number"),
        ({"kind": "volcano"}, "volcano"),
    ],
)
def test_invalid_input_shows_the_error_and_preserves_the_form(
    depot: Place, owner: User, browser_of: BrowserOf, wrong: dict[str, str], message: str
) -> None:
    form = DEPOT | {"name": "Yard"} | wrong
    answer = browser_of(owner).post(NEW, form)
    page = answer.content.decode()
    assert (answer.status_code, Place.objects.count()) == (400, 1)
    assert message in page or wrong.get("kind") == "volcano"
    for name in ("name", "latitude", "longitude", "radius"):
        assert f'value="{form[name].strip()}"' in page or not form[name].strip()


def test_the_number_of_places_is_limited(
    depot: Place, owner: User, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "MAX_PLACES", 1)
    answer = browser_of(owner).post(NEW, DEPOT | {"name": "Yard"})
    assert "A fleet can have up to 1 places" in answer.content.decode()
    assert browser_of(owner).post(f"{LIST}{depot.pk}/", DEPOT).status_code == 302


# -- Positions from other pages ----------------------------------------------------------------------------------------


def test_a_position_is_posted_into_the_form_and_nothing_is_stored(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    answer = browser_of(owner).post(
        NEW, {"prefill": "1", "latitude": "1.5", "longitude": "2.5", "name": "Yard"}
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    for value in ("1.5", "2.5", "Yard"):
        assert f'value="{value}"' in page
    assert not Place.objects.exists()


@pytest.mark.parametrize("query", ["Van 1", "van 1", " B 42 ", "11111111-2222-4333-8444-555555555555"])
def test_a_vehicles_location_is_found_by_name_plate_or_id(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf, query: str
) -> None:
    Vehicle.objects.filter(pk=vehicle.pk).update(plate="B 42")
    locate(vehicle)
    page = (
        browser_of(owner).post(NEW, {"prefill": "vehicle", "vehicle": query, "name": "Yard"}).content.decode()
    )
    assert 'value="37.775000"' in page
    assert 'value="-122.418000"' in page
    assert 'value="Yard"' in page


def test_vehicles_of_another_fleet_or_with_ambiguous_names_are_not_found(
    vehicle: Vehicle, owner: User, outsider: User, browser_of: BrowserOf
) -> None:
    theirs = Vehicle.objects.create(fleet=Fleet.objects.get(slug="red"), smartcar_id="x", name="Theirs")
    Vehicle.objects.create(fleet=vehicle.fleet, smartcar_id="y", name="Van 1")
    for each in (vehicle, theirs):
        locate(each)
        page = browser_of(owner).post(NEW, {"prefill": "vehicle", "vehicle": each.name}).content.decode()
        assert "No unique match. Enter the exact name or plate of a vehicle in this fleet" in page
        assert "37.775" not in page


def test_a_hidden_location_is_not_shown(vehicle: Vehicle, owner: User, browser_of: BrowserOf) -> None:
    shared = Connection.objects.create(
        fleet=vehicle.fleet, vehicle=vehicle, smartcar_user_id="user", api_version="v3", mode="live"
    )
    privacy.pause(connection=shared, duration=timedelta(hours=1), now=timezone.now())
    locate(vehicle)
    page = browser_of(owner).post(NEW, {"prefill": "vehicle", "vehicle": "Van 1"}).content.decode()
    assert "is unknown or hidden by the driver" in page
    assert "37.775" not in page


def test_the_number_of_queries_is_fixed(depot: Place, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(LIST).status_code == 200
        return len(seen)

    queries()  # the first request of a session stores the session
    few = queries()
    Place.objects.bulk_create(
        Place(fleet=depot.fleet, name=f"Place {number}", latitude=1, longitude=1) for number in range(200)
    )
    assert queries() == few


def test_the_source_of_town_names_is_credited(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    page = browser_of(owner).get(LIST).content.decode()
    assert "https://www.geonames.org/" in page
    assert "CC BY 4.0" in page


def test_the_map_starts_at_the_vehicles_with_visible_locations(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    assert "data-area" not in browser.get(LIST).content.decode()
    hidden = Vehicle.objects.create(fleet=vehicle.fleet, smartcar_id="hidden")
    VehicleSnapshot.objects.create(vehicle=vehicle, latitude=37.775, longitude=-122.418)
    VehicleSnapshot.objects.create(vehicle=hidden, latitude=10, longitude=10)
    shared = Connection.objects.create(
        fleet=vehicle.fleet, vehicle=hidden, smartcar_user_id="user", api_version="v3", mode="live"
    )
    privacy.pause(connection=shared, duration=None, now=timezone.now())
    VehicleSnapshot.objects.filter(vehicle=hidden).update(latitude=10, longitude=10)
    assert 'data-area="-122.4180,37.7750,-122.4180,37.7750"' in browser.get(LIST).content.decode()
