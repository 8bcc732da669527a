"""A destination can be a place of the fleet, pasted coordinates, or a click on the map, which enters them."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Fleet, User
from commands.models import Command
from connect.models import Connection
from vehicles.models import Place, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def address(vehicle: Vehicle, connection: Connection) -> str:
    return f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/set_destination/"


def depot(fleet: Fleet) -> Place:
    return Place.objects.create(
        fleet=fleet, name="Depot", kind="depot", latitude=37.8044, longitude=-122.2708
    )


def sent() -> list[tuple[float, float]]:
    return [(each.parameters["latitude"], each.parameters["longitude"]) for each in Command.objects.all()]


def test_a_place_of_the_fleet_is_offered_and_sent(
    fleet: Fleet, owner: User, browser_of: BrowserOf, address: str
) -> None:
    place, browser = depot(fleet), browser_of(owner)
    panel = browser.get(address.removesuffix("set_destination/")).content.decode()
    assert f'<option value="{place.pk}"' in panel
    browser.post(address, {"place": place.pk, "coordinates": ""}, headers=HTMX)
    assert sent() == [(37.8044, -122.2708)]


@pytest.mark.parametrize(
    "text",
    [
        "52.5163, 13.3777",
        "52,5163; 13,3777",
        "52.5163° N, 13.3777° E",
        "https://maps.example/?q=52.5163,13.3777",
        "geo:52.5163,13.3777",
    ],
)
def test_pasted_coordinates_are_sent(owner: User, browser_of: BrowserOf, address: str, text: str) -> None:
    browser_of(owner).post(address, {"place": "", "coordinates": text}, headers=HTMX)
    assert sent() == [(52.5163, 13.3777)]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "Select a place or enter coordinates"),
        ({"place": "own", "coordinates": "1.5, 2.5"}, "Select a place or enter coordinates"),
        ({"coordinates": "52"}, "coordinates can&#x27;t be read"),
        ({"coordinates": "91.5, 13.5"}, "coordinates can&#x27;t be read"),
        ({"coordinates": "near the depot"}, "coordinates can&#x27;t be read"),
        ({"place": "999999"}, "This place no longer exists"),
        ({"place": "²"}, "This place no longer exists"),
        ({"place": "other"}, "This place no longer exists"),
    ],
)
def test_what_leads_nowhere_is_refused(
    fleet: Fleet,
    owner: User,
    outsider: User,
    browser_of: BrowserOf,
    address: str,
    form: dict[str, str],
    message: str,
) -> None:
    places = {"own": depot(fleet), "other": depot(Fleet.objects.get(slug="red"))}
    if form.get("place") in places:
        form = form | {"place": str(places[form["place"]].pk)}
    assert message in browser_of(owner).post(address, form, headers=HTMX).content.decode()
    assert sent() == []
