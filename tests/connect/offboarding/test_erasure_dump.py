"""After an erasure, nothing of the vehicle and its driver is left: in no column of any table, and not in Redis."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as site
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from accounts.models import Fleet, Membership, User
from accounts.tokens.services import issue_token
from connect.messages import OffboardingProblem
from connect.models import Connection, ConnectionState, DriverPortal, Invitation, OffboardingRequest
from connect.offboarding import services, worker
from connect.offboarding.models import ErasureScope
from connect.offboarding.residue import is_searched
from connect.scopes import FLEET_SCOPES
from core.mail.models import OutgoingEmail
from tests.connect.invited import walk
from tests.webhooks.helpers import post, state_of
from vehicles import catalogue
from vehicles.models import Vehicle
from webhooks import processing
from webhooks.models import EntryState, InboxEntry, VehicleError

VIN = "5YJ3E1EA7KF000316"
MARKERS = {
    "VIN": VIN,
    "driver's name": "Dana Marker",
    "driver's address": "dana.marker@home.example",
    "name": "Marker's van",
    "plate": "B-MARK 77",
    "driver in the settings": "Donna Marker",
    "group": "Markergroup",
    "nickname": "Markernick",
    "latitude": "52.51234",
    "longitude": "13.43219",
    "unknown signal": "Markersignal",
    "error text": "Markererror",
    "event of an unknown type": "Markerevent",
    "broken delivery": "Markerbroken",
    "delivery without a vehicle": "Markernovehicle",
    "test": "Markertest",
    "reason": "Markerreason",
    "bulk reason": "Markerbulk",
    "reason of a schedule": "Markerschedule",
    "idempotency key": "markerkey",
    "destination": "48.13713",
    "saved view": "Markerview",
    "name of an unused invitation": "Dora Marker",
}


def dump() -> str:
    """Returns every column of every table, also binary ones as text, and everything in Redis."""
    texts = []
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
        columns: dict[str, list[str]] = {}
        for table, column, kind in cursor.fetchall():
            text = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            columns.setdefault(table, []).append(f"coalesce({text}, '')")
        for table, each in columns.items():
            cursor.execute(f"SELECT concat_ws(' ', {', '.join(each)}) FROM \"{table}\"")
            texts += [f"{table}: {row[0]}" for row in cursor.fetchall()]
    with Redis.from_url(site.REDIS_URL, decode_responses=True, encoding_errors="replace") as redis:
        read: dict[str, Callable[[str], Any]] = {
            "string": redis.get,
            "hash": redis.hgetall,
            "list": lambda key: redis.lrange(key, 0, -1),
            "set": redis.smembers,
            "zset": lambda key: redis.zrange(key, 0, -1),
            "stream": redis.xrange,
        }
        texts += [f"Redis {key}: {read[str(redis.type(key))](key)!r}" for key in redis.scan_iter()]
    return "\n".join(texts)


def found(markers: dict[str, str]) -> list[str]:
    """Returns where the markers are."""
    lines = dump().splitlines()
    return [
        f"{name}: {line[:160]}"
        for name, text in markers.items()
        for line in lines
        if text.lower() in line.lower()
    ]


def deliver(vehicle: Vehicle, event_id: str, *signals: dict[str, Any], **changes: Any) -> None:
    now = int(timezone.now().timestamp() * 1000)
    body = json.loads(state_of(vehicle.smartcar_id, event_id=event_id, locked=True, at=now))
    template = body["data"]["signals"][0]
    body["data"]["signals"] += [template | {"name": "", "group": ""} | each for each in signals]
    body["data"]["user"] = {"id": Connection.objects.get(vehicle=vehicle).smartcar_user_id}
    body["data"] |= changes.pop("data", {})
    post(json.dumps(body | changes).encode())


def deliver_everything(vehicle: Vehicle) -> None:
    """Posts deliveries of all kinds, as Smartcar does."""
    place = {"latitude": float(MARKERS["latitude"]), "longitude": float(MARKERS["longitude"])}
    signals: list[dict[str, Any]] = [
        {"code": catalogue.PRECISE_LOCATION.code, "body": place},
        {"code": catalogue.VIN.code, "body": {"value": VIN}},
        {"code": catalogue.NICKNAME.code, "body": {"value": MARKERS["nickname"]}},
        {"code": "cabin-note", "body": {"value": MARKERS["unknown signal"], "where": place}},
    ]
    deliver(vehicle, "state", *signals)
    deliver(vehicle, "state", *signals)
    error = {"type": "VEHICLE_STATE", "code": "ASLEEP", "state": "ERROR", "signals": []}
    error["description"] = f"{MARKERS['error text']} of {MARKERS['driver in the settings']}, {VIN}"
    deliver(vehicle, "error", eventType="VEHICLE_ERROR", data={"errors": [error], "signals": []})
    deliver(vehicle, "unknown", eventType="VEHICLE_MOVED", note=MARKERS["event of an unknown type"])
    deliver(vehicle, "test", meta={"mode": "TEST", "note": MARKERS["test"]})
    post(f'{{"eventType": "VEHICLE_STATE", "note": "{MARKERS["broken delivery"]}", "vin": "{VIN}"'.encode())
    post(json.dumps({"eventType": "VEHICLE_SEEN", "note": MARKERS["delivery without a vehicle"]}).encode())
    processing.process_waiting()


def enter_everything(vehicle: Vehicle, owner: User, browser: Client) -> None:
    """Enters texts on the pages and in the API, as members do."""
    page = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/"
    details = {
        "name": MARKERS["name"],
        "plate": MARKERS["plate"],
        "group": MARKERS["group"],
        "driver": MARKERS["driver in the settings"],
        "unit_system": "",
    }
    assert browser.post(f"{page}settings/", details).status_code == 302
    member = Membership.objects.select_related("user", "fleet").get(user=owner)
    secret = issue_token(membership=member, name="Test", may_command=True).secret
    program = Client(
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": MARKERS["idempotency key"]}
    )
    parameters = {"latitude": float(MARKERS["destination"]), "longitude": 11.5}
    body = {"kind": "set_destination", "parameters": parameters, "reason": MARKERS["reason"]}
    sent = program.post(
        f"/api/v1/vehicles/{vehicle.smartcar_id}/commands/", body, content_type="application/json"
    )
    assert sent.status_code in (200, 201, 202), sent.content
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    admin = {"name": MARKERS["name"], "plate": MARKERS["plate"], "make": "TESLA", "model": "Model 3"}
    admin |= {"group": MARKERS["group"], "driver": "Donna Marker", "unit_system": "metric"}
    assert browser.post(f"/admin/vehicles/vehicle/{vehicle.pk}/change/", admin).status_code == 302
    view = {"name": MARKERS["saved view"], "query": f"q={MARKERS['plate'].replace(' ', '+')}"}
    assert browser.post("/fleets/blue/views/", view).status_code == 302
    bulk = {
        "vehicles": vehicle.smartcar_id,
        "kind": "lock",
        "reason": MARKERS["bulk reason"],
        "with_already": "yes",
    }
    assert browser.post("/fleets/blue/commands/bulk/send/", bulk).status_code == 302
    schedule = {"kind": "lock", "repeats": "weekly", "weekdays": ["0"], "at": "20:00"}
    schedule |= {"vehicles": vehicle.smartcar_id, "reason": MARKERS["reason of a schedule"]}
    assert browser.post("/fleets/blue/commands/scheduled/new/", schedule).status_code == 302


def invite(browser: Client, **changes: str) -> Invitation:
    """Invites a driver by the form, and by email if there is an address."""
    form: dict[str, Any] = {"mode": site.SMARTCAR_MODE, "scopes": list(FLEET_SCOPES), **changes}
    if "driver_email" in form:
        form["by_email"] = "on"
    assert browser.post("/fleets/blue/invitations/", form).status_code == 302
    return Invitation.objects.latest("pk")


def finish(offboarding: OffboardingRequest) -> OffboardingRequest:
    for _ in range(6):
        OffboardingRequest.objects.filter(pk=offboarding.pk).update(next_try_at=None, lease_until=None)
        worker.run(offboarding_id=offboarding.pk)
        offboarding.refresh_from_db()
        if offboarding.finished_at is not None:
            break
    return offboarding


@pytest.mark.django_db
def test_nothing_is_left_after_everything_is_erased(
    smartcar: str,
    fleet: Fleet,
    owner: User,
    browser_of: Callable[[User], Client],
    settings: Settings,
) -> None:
    settings.EMAIL_ENABLED = True
    browser = browser_of(owner)
    unused = {"driver_name": MARKERS["name of an unused invitation"]}
    invite(browser, **unused, vin=VIN, driver_email="dora.marker@home.example")
    invitation = invite(
        browser, driver_name=MARKERS["driver's name"], driver_email=MARKERS["driver's address"].title()
    )
    driver = Client()
    walk(smartcar, driver, invitation, count=1, make="TESLA")
    connection = Connection.objects.select_related("vehicle").get()
    vehicle = connection.vehicle
    Connection.objects.update(state=ConnectionState.ACTIVE)
    deliver_everything(vehicle)
    enter_everything(vehicle, owner, browser)
    portal = DriverPortal.objects.get()
    address = f"{portal.path}{connection.pk}/"
    hours = {"starts": "00:00", "ends": "23:59"}
    assert driver.post(f"{address}hours/", hours).status_code == 302
    assert driver.post(f"{address}all-hours/").status_code == 302
    missing = {name for name in MARKERS if not found({name: MARKERS[name]})}
    assert not missing
    assert VehicleError.objects.exists()
    assert OutgoingEmail.objects.exists()

    assert driver.post(f"{address}withdraw/", {"extent": ErasureScope.EVERYTHING}).status_code == 302
    offboarding = finish(OffboardingRequest.objects.get())
    assert found(MARKERS) == []
    assert offboarding.finished_at is not None, str(offboarding.problem)
    assert offboarding.searched_at is not None
    assert offboarding.search_terms is None
    assert driver.get(portal.path).status_code == 200


@pytest.mark.django_db
def test_receipt_is_not_finished_while_a_search_finds_something(
    smartcar: str, fleet: Fleet, owner: User, browser_of: Callable[[User], Client]
) -> None:
    invitation = invite(browser_of(owner), driver_name="Dana Marker", driver_email="dana.marker@home.example")
    walk(smartcar, Client(), invitation, count=1)
    vehicle = Vehicle.objects.get()
    Vehicle.objects.update(vin=VIN)
    page = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/disconnect/"
    browser = browser_of(owner)
    assert browser.post(page, {"extent": ErasureScope.EVERYTHING, "sure": "on"}).status_code == 302
    offboarding = OffboardingRequest.objects.get()
    # As if a column kept the VIN that no handler erases.
    connection = Connection.objects.filter(vehicle=vehicle)
    connection.update(state_error=f"FORGOTTEN:{VIN}")
    finish(offboarding)
    assert offboarding.finished_at is None
    assert offboarding.problem.message.code == OffboardingProblem.DATA_FOUND.value
    assert offboarding.problem.message.params == {"tables": "connect_connection (1)"}
    assert (
        "connect_connection (1)"
        in browser.get(f"/fleets/blue/offboarding/{offboarding.pk}/").content.decode()
    )
    connection.update(state_error="")
    assert finish(offboarding).finished_at is not None


@pytest.mark.django_db
def test_unassigned_deliveries_about_other_vehicles_remain(
    smartcar: str, fleet: Fleet, owner: User, browser_of: Callable[[User], Client]
) -> None:
    walk(smartcar, Client(), invite(browser_of(owner), driver_name="Dana"), count=2)
    first, second = Connection.objects.select_related("vehicle", "fleet").order_by("pk")
    for each in (first, second):
        post(f'{{"eventType": "VEHICLE_STATE", "vehicleId": "{each.vehicle.smartcar_id}"'.encode())
    processing.process_waiting()
    InboxEntry.objects.update(smartcar_vehicle_id="", state=EntryState.DEAD)
    finish(services.offboard_connection(connection=first, extent=ErasureScope.EVERYTHING, user=None))
    kept = [bytes(entry.body) for entry in InboxEntry.objects.exclude(body=b"")]
    assert len(kept) == 1
    assert second.vehicle.smartcar_id.encode() in kept[0]
    portal = DriverPortal.objects.get()
    assert portal.driver_name == "Dana", "the driver still shares another vehicle"


# Tables that belong to no vehicle and no fleet, or that only contain a member's choices.
UNRELATED = {
    *(
        "accounts_user",
        "accounts_attemptcount",
        "accounts_fleet",
        "alerts_memberchoice",
        "webhooks_refuseddeliveries",
        # When a schedule was due, and the code of what came of it; the schedule itself is searched.
        "commands_scheduledrun",
    ),
    *("connect_ownertokens", "connect_applicationtokens", "connect_smartcarapplication"),
    *("connect_reachedmilestone", "connect_comparison", "core_lease"),
}


def test_every_table_is_searched_or_belongs_to_no_vehicle() -> None:
    ours = ("accounts", "alerts", "commands", "connect", "core", "vehicles", "webhooks", "fleet")
    models = [model for model in apps.get_models() if model._meta.app_label in ours]
    forgotten = {model._meta.db_table for model in models if not is_searched(model)}
    assert forgotten == UNRELATED


@pytest.mark.django_db
def test_deliveries_of_all_kinds_that_come_after_the_erasure_are_not_stored(
    smartcar: str, fleet: Fleet, owner: User, browser_of: Callable[[User], Client]
) -> None:
    walk(smartcar, Client(), invite(browser_of(owner), driver_name="Dana"), count=1)
    connection = Connection.objects.select_related("vehicle", "fleet").get()
    finish(services.offboard_connection(connection=connection, extent=ErasureScope.EVERYTHING, user=None))
    deliver(connection.vehicle, "late", note="Markerlate")
    deliver(connection.vehicle, "late test", meta={"mode": "TEST", "note": "Markerlate"})
    deliver(connection.vehicle, "late unknown", eventType="VEHICLE_MOVED", note="Markerlate")
    post(
        f'{{"eventType": "VEHICLE_STATE", "vehicleId": "{connection.vehicle.smartcar_id}", Markerlate'.encode()
    )
    processing.process_waiting()
    assert found({"late delivery": "Markerlate"}) == []
