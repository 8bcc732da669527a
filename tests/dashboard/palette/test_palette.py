"""The command palette finds what the member may see, and nothing else."""

from collections.abc import Callable

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from accounts.models import Fleet, Membership, Role, SmartcarApiVersion, User
from accounts.services import add_member, create_fleet
from connect.models import Connection, ConnectionState
from dashboard.palette import results
from dashboard.palette.results import MOST
from tests.connect.invited import invited
from vehicles.models import Place, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
URL = "/fleets/blue/palette/"
VIN = "5YJ3E1EA7KF317000"


def connect(vehicle: Vehicle, **fields: object) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        **{"smartcar_user_id": f"user-{vehicle.pk}", "state": ConnectionState.ACTIVE, "mode": "test"}
        | fields,
    )


@pytest.fixture
def van(vehicle: Vehicle) -> Vehicle:
    vehicle.plate, vehicle.driver, vehicle.vin = "B-CD 123", "Dana Novak", VIN
    vehicle.save()
    connect(vehicle)
    return vehicle


def find(user: User, query: str = "", fleet: str = "blue") -> dict[str, list[str]]:
    """The labels of the results by group."""
    membership = Membership.objects.select_related("fleet").get(user=user, fleet__slug=fleet)
    return {
        group.name: [result.label for result in group.results]
        for group in results.find(membership=membership, query=query)
    }


@pytest.mark.parametrize(
    "query",
    ["van", "VAN 1", "b-cd 123", "bcd123", "B CD-123", "cd 12", "tesla model", "model 3 2022", "novak"],
)
def test_a_vehicle_is_found_by_name_plate_make_model_year_and_driver(
    van: Vehicle, viewer: User, query: str
) -> None:
    assert find(viewer, query)["vehicles"] == ["Van 1"]


@pytest.mark.parametrize("query", [VIN, VIN[-6:], "%", "_", "v_n", "v%1", "\\", "tesla'--", "van bmw"])
def test_no_vehicle_is_found_by_its_vin_or_by_wildcards(van: Vehicle, owner: User, query: str) -> None:
    assert "vehicles" not in find(owner, query)


def test_wildcards_are_found_literally(van: Vehicle, owner: User) -> None:
    Vehicle.objects.filter(pk=van.pk).update(name="100%_green")
    assert find(owner, "0%_g")["vehicles"] == ["100%_green"]


def test_a_vehicle_whose_name_begins_with_the_search_comes_first(van: Vehicle, owner: User) -> None:
    for number, name in enumerate(["A van", "Van 0"]):
        connect(Vehicle.objects.create(fleet=van.fleet, smartcar_id=f"other-{number}", name=name))
    assert find(owner, "van")["vehicles"] == ["Van 0", "Van 1", "A van"]


def test_disconnected_vehicles_and_those_of_other_fleets_are_not_found(
    van: Vehicle, owner: User, outsider: User
) -> None:
    assert "vehicles" not in find(outsider, "van", fleet="red")
    assert "drivers" not in find(outsider, "dana", fleet="red")
    Connection.objects.update(state=ConnectionState.REMOVED)
    assert {"vehicles", "drivers"}.isdisjoint(find(owner, "van") | find(owner, "dana"))


def test_drivers_who_were_only_invited_are_found_by_those_who_see_invitations(
    van: Vehicle, owner: User, viewer: User
) -> None:
    invited(fleet=van.fleet, user=owner, driver_name="Dana Invited")
    assert find(owner, "dana")["drivers"] == ["Dana Invited", "Dana Novak"]
    assert find(viewer, "dana")["drivers"] == ["Dana Novak"]


def test_a_driver_who_drives_and_was_invited_is_one_result(van: Vehicle, owner: User) -> None:
    invited(fleet=van.fleet, user=owner, driver_name="Dana Novak")
    assert find(owner, "dana")["drivers"] == ["Dana Novak"]


def test_places_lead_to_their_page_or_for_viewers_to_the_list(
    fleet: Fleet, owner: User, viewer: User, browser_of: BrowserOf
) -> None:
    Place.objects.create(fleet=fleet, name="North depot", kind="depot", latitude=1, longitude=2)
    for user in (owner, viewer):
        membership = Membership.objects.select_related("fleet").get(user=user, fleet=fleet)
        (group,) = [
            each for each in results.find(membership=membership, query="depot") if each.name == "places"
        ]
        assert browser_of(user).get(group.results[0].url).status_code == 200


@pytest.mark.parametrize("person", ["owner", "teammate", "viewer"])
def test_every_page_and_action_that_is_offered_can_be_opened(
    request: pytest.FixtureRequest, van: Vehicle, browser_of: BrowserOf, person: str
) -> None:
    user = request.getfixturevalue(person)
    membership = Membership.objects.select_related("fleet").get(user=user, fleet=van.fleet)
    for group in results.find(membership=membership, query=""):
        for result in group.results:
            if "/connections/start/" not in result.url:  # leaves for Smartcar
                assert browser_of(user).get(result.url).status_code == 200, result


def test_actions_depend_on_the_role(van: Vehicle, owner: User, viewer: User) -> None:
    assert find(owner)["actions"][:3] == ["Invite a driver", "Connect a vehicle", "Lock a vehicle"]
    assert find(viewer)["actions"] == ["Change theme"]
    assert find(owner, "lock van")["actions"] == ["Lock Van 1"]
    assert "actions" not in find(viewer, "lock van")


def test_other_fleets_of_the_member_are_found(fleet: Fleet, owner: User, outsider: User) -> None:
    second = create_fleet(name="Green Fleet", slug="green", owner=owner, api_version=SmartcarApiVersion.V3)
    third = create_fleet(name="Grey Fleet", slug="grey", owner=outsider, api_version=SmartcarApiVersion.V3)
    add_member(fleet=third, user=owner, role=Role.DRIVER, actor=outsider)
    assert find(owner, "fleet")["fleets"] == [second.name]


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)],
)
def test_who_may_search(
    request: pytest.FixtureRequest, van: Vehicle, browser_of: BrowserOf, person: str, status: int
) -> None:
    response = browser_of(request.getfixturevalue(person)).get(f"{URL}?q=van", headers={"HX-Request": "true"})
    assert response.status_code == status
    assert (b"Van 1" in response.content) is (status == 200)


@pytest.mark.parametrize(
    ("language", "query", "label"), [("de", "fahrz", "Fahrzeuge"), ("fr", "reglages", "Réglages des alertes")]
)
def test_pages_are_found_in_the_members_language_without_accents(
    fleet: Fleet, owner: User, language: str, query: str, label: str
) -> None:
    with override(language):
        assert label in find(owner, query)["pages"]


def test_groups_have_a_limit_and_the_queries_a_number(
    van: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    template = Vehicle(fleet=van.fleet, name="Van", driver="")
    vehicles = Vehicle.objects.bulk_create(
        Vehicle(
            fleet=template.fleet,
            smartcar_id=f"many-{number}",
            name=f"Van {number:02}",
            driver=f"Van D{number}",
        )
        for number in range(20)
    )
    for each in vehicles:
        connect(each)
    browser = browser_of(owner)
    with CaptureQueriesContext(database) as queries:
        response = browser.get(f"{URL}?q=van", headers={"HX-Request": "true"})
    assert len(queries) <= 8
    assert response.content.count(b'role="option"') == 2 * MOST


def test_nothing_found_says_so(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    page = browser_of(owner).get(f"{URL}?q=<b>zebra").content.decode()
    assert "Nothing matches “&lt;b&gt;zebra”." in page
