"""Deliveries by the API: for managers, of their own fleets, with the body masked as on the page."""

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
def car(connection: Connection) -> Vehicle:
    Connection.objects.update(created_at=NOON - timedelta(days=1))
    return connection.vehicle


def message(car: Vehicle | None = None, **fields: Any) -> InboxEntry:
    about = {
        "received_at": NOON,
        "body": json.dumps({"latitude": 37.77, "charge": 61}).encode(),
        "state": EntryState.PROCESSED,
        "event_type": "VEHICLE_STATE",
        "smartcar_vehicle_id": car.smartcar_id if car else "",
        "source": "pull_v3",
    }
    return InboxEntry.objects.create(**(about | fields))


def by_token(user: User) -> Client:
    secret = issue_token(
        membership=Membership.objects.select_related("fleet", "user").get(user=user), name="t"
    ).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def ids(client: Client, **question: str) -> list[int]:
    return [each["id"] for each in client.get(DELIVERIES, question).json()["results"]]


@pytest.mark.parametrize("person", ["owner", "teammate"])
def test_who_manages_the_fleet_reads_its_deliveries(
    request: pytest.FixtureRequest, person: str, car: Vehicle, browser_of: BrowserOf
) -> None:
    entry = message(car)
    user = request.getfixturevalue(person)
    for client in (browser_of(user), by_token(user)):
        assert ids(client) == [entry.pk]
        assert client.get(f"{DELIVERIES}{entry.pk}/").json()["body"] == {"latitude": 37.77, "charge": 61}


def test_a_viewer_does_not(viewer: User, car: Vehicle, browser_of: BrowserOf) -> None:
    entry = message(car)
    browser, token = browser_of(viewer), by_token(viewer)
    assert ids(browser) == []
    assert browser.get(DELIVERIES, {"fleet": "blue"}).status_code == 403
    assert browser.get(f"{DELIVERIES}{entry.pk}/").status_code == 404
    assert [token.get(each).status_code for each in (DELIVERIES, f"{DELIVERIES}{entry.pk}/")] == [403, 403]


@pytest.mark.parametrize(("person", "status"), [("driver", 403), ("outsider", 404)])
def test_neither_do_others(
    request: pytest.FixtureRequest, person: str, status: int, car: Vehicle, browser_of: BrowserOf
) -> None:
    entry = message(car)
    browser = browser_of(request.getfixturevalue(person))
    assert ids(browser) == []
    assert browser.get(DELIVERIES, {"fleet": "blue"}).status_code == status
    assert browser.get(f"{DELIVERIES}{entry.pk}/").status_code == 404
    assert browser.get(f"{DELIVERIES}{entry.pk}/", {"fleet": "blue"}).status_code == status


def test_nobody_gets_anything_unsigned(car: Vehicle) -> None:
    for address in (DELIVERIES, f"{DELIVERIES}{message(car).pk}/"):
        assert Client().get(address).status_code == 401


def test_a_token_of_somebody_who_is_a_manager_no_more_opens_no_delivery(teammate: User, car: Vehicle) -> None:
    client = by_token(teammate)
    assert client.get(DELIVERIES).status_code == 200
    add_member(fleet=car.fleet, user=teammate, role=Role.VIEWER, actor=None)
    assert client.get(DELIVERIES).status_code == 403


def test_what_names_no_car_of_the_fleet_is_not_there(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    strange = message()
    assert ids(browser_of(owner)) == []
    assert browser_of(owner).get(f"{DELIVERIES}{strange.pk}/").status_code == 404


def test_a_hidden_place_is_left_out(owner: User, car: Vehicle, browser_of: BrowserOf) -> None:
    entry = message(car)
    LocationPause.objects.create(connection=Connection.objects.get(), began_at=timezone.now())
    body = browser_of(owner).get(f"{DELIVERIES}{entry.pk}/").json()["body"]
    assert body == {"latitude": "(hidden)", "charge": 61}


def test_a_body_that_was_not_kept_is_explained(owner: User, car: Vehicle, browser_of: BrowserOf) -> None:
    answer = browser_of(owner).get(f"{DELIVERIES}{message(car, body=b'').pk}/").json()
    assert (answer["body"], answer["body_missing"]) == (None, "The body wasn't stored.")


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({"state": "dead"}, ["dead"]),
        ({"type": "VEHICLE_ERROR"}, ["error"]),
        ({"source": "webhook"}, ["pushed"]),
        ({"vehicle": "nobody"}, []),
        ({"received_after": "2026-11-20T12:00:00Z"}, ["late"]),
        ({"received_before": "2026-11-20T12:00:01Z", "state": "processed"}, ["pushed", "error"]),
    ],
)
def test_deliveries_are_narrowed(
    owner: User, car: Vehicle, browser_of: BrowserOf, question: dict[str, str], found: list[str]
) -> None:
    message(car, event_id="error", event_type="VEHICLE_ERROR")
    message(car, event_id="dead", state=EntryState.DEAD)
    message(car, event_id="pushed", source="webhook")
    message(car, event_id="late", received_at=NOON + timedelta(hours=1))
    results = browser_of(owner).get(DELIVERIES, question).json()["results"]
    assert [each["event_id"] for each in results] == found


@pytest.mark.parametrize(
    "question", [{"state": "odd"}, {"vehicle": "a b"}, {"vin": "x"}, {"received_after": "x"}]
)
def test_a_question_that_makes_no_sense_is_refused(
    owner: User, car: Vehicle, browser_of: BrowserOf, question: dict[str, str]
) -> None:
    answer = browser_of(owner).get(DELIVERIES, question)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == list(question)


def test_pages_hold_each_delivery_once_while_new_ones_come(
    owner: User, car: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    expected = [message(car, event_id=str(number)).pk for number in range(5)][::-1]
    page = browser.get(DELIVERIES, {"page_size": "2", "fleet": "blue"}).json()
    seen = [each["id"] for each in page["results"]]
    while page["next"]:
        message(car, event_id=f"new{len(seen)}")
        page = browser.get(page["next"]).json()
        seen += [each["id"] for each in page["results"]]
    assert seen == expected


def test_more_deliveries_take_no_more_queries(
    owner: User, car: Vehicle, browser_of: BrowserOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        message(car, event_id=str(number))
    browser = browser_of(owner)
    with django_assert_num_queries(4):  # session, user, cars, deliveries
        assert len(browser.get(DELIVERIES).json()["results"]) == 10
