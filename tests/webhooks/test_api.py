"""Deliveries in the API: for managers, of their own fleets, with the body masked as on the page."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Membership, Role, User
from accounts.services import add_member
from accounts.tokens.services import issue_token
from connect.driver_portal.models import LocationPause
from connect.models import Connection
from vehicles.models import Vehicle
from webhooks.models import EntryState, InboxEntry

BrowserOf = Callable[[User], Client]
DELIVERIES = "/api/v1/deliveries/"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def connected_vehicle(connection: Connection) -> Vehicle:
    Connection.objects.update(created_at=NOON - timedelta(days=1))
    return connection.vehicle


def create_delivery(vehicle: Vehicle | None = None, **fields: Any) -> InboxEntry:
    about = {
        "received_at": NOON,
        "body": json.dumps({"latitude": 37.77, "charge": 61}).encode(),
        "state": EntryState.PROCESSED,
        "event_type": "VEHICLE_STATE",
        "smartcar_vehicle_id": vehicle.smartcar_id if vehicle else "",
        "source": "pull_v3",
    }
    return InboxEntry.objects.create(**(about | fields))


def token_client(user: User) -> Client:
    secret = issue_token(
        membership=Membership.objects.select_related("fleet", "user").get(user=user), name="t"
    ).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def get_ids(client: Client, **query: str) -> list[int]:
    return [each["id"] for each in client.get(DELIVERIES, query).json()["results"]]


@pytest.mark.parametrize("person", ["owner", "teammate"])
def test_owner_and_manager_read_the_deliveries_of_their_fleet(
    request: pytest.FixtureRequest, person: str, connected_vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    entry = create_delivery(connected_vehicle)
    user = request.getfixturevalue(person)
    for client in (browser_of(user), token_client(user)):
        assert get_ids(client) == [entry.pk]
        assert client.get(f"{DELIVERIES}{entry.pk}/").json()["body"] == {"latitude": 37.77, "charge": 61}


def test_viewer_has_no_access(viewer: User, connected_vehicle: Vehicle, browser_of: BrowserOf) -> None:
    entry = create_delivery(connected_vehicle)
    browser, token = browser_of(viewer), token_client(viewer)
    assert get_ids(browser) == []
    assert browser.get(DELIVERIES, {"fleet": "blue"}).status_code == 403
    assert browser.get(f"{DELIVERIES}{entry.pk}/").status_code == 404
    assert [token.get(each).status_code for each in (DELIVERIES, f"{DELIVERIES}{entry.pk}/")] == [403, 403]


@pytest.mark.parametrize(("person", "status"), [("driver", 403), ("outsider", 404)])
def test_driver_and_outsider_have_no_access(
    request: pytest.FixtureRequest,
    person: str,
    status: int,
    connected_vehicle: Vehicle,
    browser_of: BrowserOf,
) -> None:
    entry = create_delivery(connected_vehicle)
    browser = browser_of(request.getfixturevalue(person))
    assert get_ids(browser) == []
    assert browser.get(DELIVERIES, {"fleet": "blue"}).status_code == status
    assert browser.get(f"{DELIVERIES}{entry.pk}/").status_code == 404
    assert browser.get(f"{DELIVERIES}{entry.pk}/", {"fleet": "blue"}).status_code == status


def test_requires_authentication(connected_vehicle: Vehicle) -> None:
    for address in (DELIVERIES, f"{DELIVERIES}{create_delivery(connected_vehicle).pk}/"):
        assert Client().get(address).status_code == 401


def test_token_of_a_former_manager_has_no_access(teammate: User, connected_vehicle: Vehicle) -> None:
    client = token_client(teammate)
    assert client.get(DELIVERIES).status_code == 200
    add_member(fleet=connected_vehicle.fleet, user=teammate, role=Role.VIEWER, actor=None)
    assert client.get(DELIVERIES).status_code == 403


def test_delivery_without_a_vehicle_of_the_fleet_is_not_found(
    owner: User, connected_vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    delivery = create_delivery()
    assert get_ids(browser_of(owner)) == []
    assert browser_of(owner).get(f"{DELIVERIES}{delivery.pk}/").status_code == 404


def test_hidden_location_is_masked(owner: User, connected_vehicle: Vehicle, browser_of: BrowserOf) -> None:
    entry = create_delivery(connected_vehicle)
    LocationPause.objects.create(connection=Connection.objects.get(), began_at=timezone.now())
    body = browser_of(owner).get(f"{DELIVERIES}{entry.pk}/").json()["body"]
    assert body == {"latitude": "(hidden)", "charge": 61}


def test_body_that_was_not_stored_is_explained(
    owner: User, connected_vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    answer = browser_of(owner).get(f"{DELIVERIES}{create_delivery(connected_vehicle, body=b'').pk}/").json()
    assert (answer["body"], answer["body_missing"]) == (None, "The body wasn't stored.")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "dead"}, ["dead"]),
        ({"type": "VEHICLE_ERROR"}, ["error"]),
        ({"source": "webhook"}, ["pushed"]),
        ({"vehicle": "nobody"}, []),
        ({"received_after": "2026-11-20T12:00:00Z"}, ["late"]),
        ({"received_before": "2026-11-20T12:00:01Z", "state": "processed"}, ["pushed", "error"]),
    ],
)
def test_deliveries_can_be_filtered(
    owner: User, connected_vehicle: Vehicle, browser_of: BrowserOf, query: dict[str, str], found: list[str]
) -> None:
    create_delivery(connected_vehicle, event_id="error", event_type="VEHICLE_ERROR")
    create_delivery(connected_vehicle, event_id="dead", state=EntryState.DEAD)
    create_delivery(connected_vehicle, event_id="pushed", source="webhook")
    create_delivery(connected_vehicle, event_id="late", received_at=NOON + timedelta(hours=1))
    results = browser_of(owner).get(DELIVERIES, query).json()["results"]
    assert [each["event_id"] for each in results] == found


@pytest.mark.parametrize(
    "query", [{"state": "odd"}, {"vehicle": "a b"}, {"vin": "x"}, {"received_after": "x"}]
)
def test_invalid_filter_is_rejected(
    owner: User, connected_vehicle: Vehicle, browser_of: BrowserOf, query: dict[str, str]
) -> None:
    answer = browser_of(owner).get(DELIVERIES, query)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == list(query)


def test_pages_contain_each_delivery_once_while_new_ones_arrive(
    owner: User, connected_vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    expected = [create_delivery(connected_vehicle, event_id=str(number)).pk for number in range(5)][::-1]
    page = browser.get(DELIVERIES, {"page_size": "2", "fleet": "blue"}).json()
    seen = [each["id"] for each in page["results"]]
    while page["next"]:
        create_delivery(connected_vehicle, event_id=f"new{len(seen)}")
        page = browser.get(page["next"]).json()
        seen += [each["id"] for each in page["results"]]
    assert seen == expected


def test_number_of_queries_does_not_grow_with_deliveries(
    owner: User,
    connected_vehicle: Vehicle,
    browser_of: BrowserOf,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(10):
        create_delivery(connected_vehicle, event_id=str(number))
    browser = browser_of(owner)
    with django_assert_num_queries(4):  # session, user, vehicles, deliveries
        assert len(browser.get(DELIVERIES).json()["results"]) == 10
