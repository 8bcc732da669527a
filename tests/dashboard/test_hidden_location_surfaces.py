"""A location that the driver hides is on no page and in no API response, whoever asks, and also without beat."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Fleet, Membership, User
from accounts.tokens.services import issue_token
from connect.driver_portal import privacy
from connect.driver_portal.models import LocationPause, TrackingSchedule
from connect.models import Connection
from dashboard.live.patches import build_patch
from tests.webhooks.helpers import post, state_of
from vehicles import catalogue
from vehicles.models import LatestSignal, Reading, Vehicle
from webhooks import processing
from webhooks.models import InboxEntry

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
LATITUDE, LONGITUDE = 52.51234, 13.43219
SIGNALS: dict[str, Any] = {
    catalogue.PRECISE_LOCATION.code: {"latitude": LATITUDE, "longitude": LONGITUDE},
    "location-garage": {"value": str(LATITUDE)},
    "navigation-parked": {"spot": {"lat": LATITUDE, "lon": LONGITUDE}},
    catalogue.CHARGE_RECORDS.code: {
        "values": [{"energyAdded": 7, "location": {"latitude": LATITUDE, "longitude": LONGITUDE}}]
    },
}
MEMBERS = ["owner", "teammate", "viewer"]


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    """A connection that has existed for a day."""
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        scopes=["read_location", "control_navigation"],
        created_at=timezone.now() - timedelta(days=1),
    )


def deliver(vehicle: Vehicle, *, at: datetime, event_id: str = "event-1", **changes: Any) -> InboxEntry:
    """Processes a delivery with all signals that contain the location."""
    stamp = int(at.timestamp() * 1000)
    body = json.loads(state_of(vehicle.smartcar_id, event_id=event_id, locked=True, at=stamp))
    lock = body["data"]["signals"][0]
    for code, value in SIGNALS.items():
        body["data"]["signals"].append(lock | {"code": code, "name": "", "group": "", "body": value})
    post(json.dumps(body | changes).encode())
    processing.process_waiting()
    return InboxEntry.objects.latest("pk")


def surfaces(vehicle: Vehicle, entry: InboxEntry) -> list[str]:
    fleet, api = "/fleets/blue/", f"/api/v1/vehicles/{vehicle.smartcar_id}/"
    page = f"{fleet}vehicles/{vehicle.smartcar_id}/"
    return [
        *(
            page,
            f"{page}panel/",
            f"{page}values/",
            f"{page}signals/",
            f"{page}signals/table/",
            f"{page}commands/",
        ),
        *(f"{page}events/", f"{page}history/", f"{page}history/csv/", f"{page}settings/"),
        *(fleet, f"{fleet}list/", f"{fleet}map-data/", f"{fleet}map-data/{vehicle.pk}/"),
        *(f"{fleet}webhook-log/", f"{fleet}webhook-log/{entry.pk}/"),
        f"{fleet}places/new/?vehicle={vehicle.smartcar_id}",
        *(api, f"{api}signals/", *(f"{api}signals/{code}/history/" for code in SIGNALS)),
        *("/api/v1/deliveries/", f"/api/v1/deliveries/{entry.pk}/"),
    ]


def where_shown(client: Client, addresses: list[str]) -> list[str]:
    shown = []
    for address in addresses:
        answer = client.get(address)
        content = b"".join(answer) if answer.streaming else answer.content
        if any(str(number)[:6].encode() in content for number in (LATITUDE, LONGITUDE)):
            shown.append(address)
    return shown


def clients(user: User, fleet: Fleet, browser_of: BrowserOf) -> list[Client]:
    member = Membership.objects.select_related("user", "fleet").get(user=user, fleet=fleet)
    secret = issue_token(membership=member, name="Test").secret
    return [browser_of(user), Client(headers={"Authorization": f"Bearer {secret}"})]


def hide_outside_hours(connection: Connection) -> None:
    """Sets working hours that ended a minute ago, without a task that deletes what is stored."""
    connection.fleet.time_zone = "UTC"
    connection.fleet.save()
    now = timezone.now()
    starts, ends = ((now + timedelta(hours=hours)).time() for hours in (2, 4))
    connection_hours = {"starts": starts, "ends": ends, "weekdays_only": False}
    TrackingSchedule.objects.create(connection=connection, **connection_hours)


def hide_by_pause(connection: Connection) -> None:
    LocationPause.objects.create(connection=connection, began_at=timezone.now())


@pytest.mark.parametrize("hide", [hide_outside_hours, hide_by_pause])
@pytest.mark.parametrize("person", MEMBERS)
def test_a_hidden_location_is_nowhere(
    request: pytest.FixtureRequest,
    person: str,
    hide: Callable[[Connection], None],
    vehicle: Vehicle,
    connection: Connection,
    browser_of: BrowserOf,
) -> None:
    entry = deliver(vehicle, at=timezone.now() - timedelta(minutes=1))
    addresses = surfaces(vehicle, entry)
    browser, program = clients(request.getfixturevalue(person), vehicle.fleet, browser_of)
    shown = where_shown(browser, addresses) + where_shown(program, addresses)
    assert len(shown) >= 8, shown
    hide(connection)
    assert where_shown(browser, addresses) == []
    assert where_shown(program, addresses) == []


def test_live_updates_remove_a_hidden_location_from_the_map(vehicle: Vehicle, connection: Connection) -> None:
    deliver(vehicle, at=timezone.now() - timedelta(minutes=1))
    patches = []
    for hide in (lambda _: None, hide_outside_hours):
        hide(connection)
        patches.append(
            build_patch(fleet_id=vehicle.fleet_id, vehicle_ids=[vehicle.pk], shown={}, now=timezone.now())
        )
    assert [(len(patch.vehicles), patch.gone) for patch in patches if patch] == [(1, []), (0, [vehicle.pk])]


def test_history_from_before_the_pause_is_shown_again_after_it(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    now = timezone.now()
    deliver(vehicle, at=now - timedelta(hours=3))
    privacy.pause(connection=connection, duration=None, now=now - timedelta(hours=2))
    address = f"/api/v1/vehicles/{vehicle.smartcar_id}/signals/{catalogue.PRECISE_LOCATION.code}/history/"
    browser = browser_of(owner)
    assert browser.get(address).json()["points"] == []
    privacy.resume(connection=connection, now=timezone.now())
    assert len(browser.get(address).json()["points"]) == 1


def test_nothing_with_a_location_is_stored_while_it_is_hidden(
    vehicle: Vehicle, connection: Connection
) -> None:
    deliver(vehicle, at=timezone.now() - timedelta(minutes=1))
    privacy.pause(connection=connection, duration=None, now=timezone.now())
    stored = {row.code: row.body for row in LatestSignal.objects.all()}
    assert stored.keys() == {catalogue.IS_LOCKED.code, catalogue.CHARGE_RECORDS.code}
    assert stored[catalogue.CHARGE_RECORDS.code] == {"values": [{"energyAdded": 7}]}
    readings = Reading.objects.count()
    entry = deliver(vehicle, at=timezone.now(), event_id="event-2")
    assert str(LATITUDE) not in repr(list(LatestSignal.objects.values_list("body", flat=True)))
    later = Reading.objects.order_by("observed_at").values_list("signal__code", flat=True)[readings:]
    assert set(later) <= {catalogue.IS_LOCKED.code, catalogue.CHARGE_RECORDS.code}
    assert bytes(entry.body) == b""


@pytest.mark.parametrize(
    "changes",
    [
        {"eventType": "VEHICLE_MOVED"},
        {"eventId": "event-1"},
        {"meta": {"mode": "TEST"}},
    ],
    ids=["unknown event", "duplicate", "test"],
)
def test_unrecorded_deliveries_with_a_hidden_location_are_emptied(
    vehicle: Vehicle, connection: Connection, changes: dict[str, Any]
) -> None:
    deliver(vehicle, at=timezone.now() - timedelta(minutes=1))
    before = deliver(vehicle, at=timezone.now(), event_id="event-2", **changes)
    assert before.state != "processed"
    assert str(LATITUDE).encode() in bytes(before.body)
    privacy.pause(connection=connection, duration=None, now=timezone.now())
    after = deliver(vehicle, at=timezone.now(), event_id="event-3", **changes)
    assert (after.state, bytes(after.body)) == (before.state, b"")


def test_staff_see_no_location(vehicle: Vehicle, connection: Connection, browser_of: BrowserOf) -> None:
    staff = User.objects.create_superuser("staff@fleet.example")
    entry = deliver(vehicle, at=timezone.now())
    addresses = [
        f"/admin/vehicles/vehicle/{vehicle.pk}/signals/",
        f"/admin/webhooks/inboxentry/{entry.pk}/change/",
        f"/admin/vehicles/vehicle/{vehicle.pk}/change/",
    ]
    browser = browser_of(staff)
    assert [browser.get(address).status_code for address in addresses] == [200, 200, 200]
    assert where_shown(browser, addresses) == []
