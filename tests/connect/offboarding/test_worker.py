"""Carrying out a removal: at Smartcar on both API versions, in every table, through crashes; and what comes later."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from accounts.models import Fleet, SmartcarApiVersion, User
from commands.models import Command
from connect import applications, tasks
from connect.models import Connection, ConnectionState, ErasureRecord, OffboardingRequest, UserToken
from connect.offboarding import services, worker
from connect.offboarding.models import ErasureScope, RemoteStatus, RevocationStatus
from connect.token_store import application_access
from tests.connect.invited import invited, walk
from tests.webhooks.helpers import post, state_of
from vehicles import catalogue
from vehicles.models import LatestSignal, Reading, Vehicle
from vehicles.readings import NewReading, insert_readings
from webhooks import processing
from webhooks.models import EntryState, InboxEntry

PROJECT = Path(__file__).resolve().parent.parent.parent.parent
PLACE, LOCK = catalogue.PRECISE_LOCATION.code, catalogue.IS_LOCKED.code
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])
pytestmark = pytest.mark.django_db


def share(car: Vehicle, user: str = "user-1") -> Connection:
    """A connection that Smartcar knows nothing of."""
    return Connection.objects.create(
        fleet=car.fleet, vehicle=car, smartcar_user_id=user, api_version=SmartcarApiVersion.V3, mode="live"
    )


def record(car: Vehicle, *, readings: int = 3, days_ago: int = 0) -> None:
    """History, latest values, a raw message and a destination."""
    at = timezone.now() - timedelta(days=days_ago, hours=1)
    place = {"latitude": 52.5, "longitude": 13.4}
    for code, body in ((PLACE, place), (LOCK, {"value": True})):
        points = [NewReading(car.pk, code, at + timedelta(seconds=each), body) for each in range(readings)]
        insert_readings(readings=points)
        LatestSignal.objects.update_or_create(
            vehicle=car,
            code=code,
            defaults={"body": body, "status": "SUCCESS", "observed_at": at, "reported_at": at},
        )
    InboxEntry.objects.create(
        received_at=at, body=b"{}", smartcar_vehicle_id=car.smartcar_id, state=EntryState.PROCESSED
    )
    Command.objects.create(
        fleet=car.fleet,
        vehicle=car,
        kind="set_destination",
        parameters=place,
        api_version="v3",
        state="expired",
        requested_at=at,
        expires_at=at,
    )


def finish(removal: OffboardingRequest) -> OffboardingRequest:
    """Carries out as beat would, without waiting for the next try."""
    for _ in range(5):
        OffboardingRequest.objects.filter(pk=removal.pk).update(next_try_at=None)
        worker.run(offboarding_id=removal.pk)
        removal.refresh_from_db()
        if removal.finished_at is not None:
            return removal
    return removal


def rows(removal: OffboardingRequest) -> dict[str, int]:
    return dict(removal.erased.values_list("kind", "rows"))


def left_of(car: Vehicle) -> dict[str, int]:
    """What is still there."""
    return {
        "readings": Reading.objects.filter(vehicle=car).count(),
        "latest": LatestSignal.objects.filter(vehicle=car).count(),
        "messages": InboxEntry.objects.filter(smartcar_vehicle_id=car.smartcar_id).exclude(body=b"").count(),
        "destinations": Command.objects.filter(vehicle=car).exclude(parameters={}).count(),
    }


# At Smartcar


@both
def test_the_grant_is_ended_and_smartcars_list_is_asked(
    smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    Fleet.objects.update(api_version=api_version)
    fleet.refresh_from_db()
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=2)
    gone, kept = Connection.objects.select_related("vehicle", "fleet").order_by("pk")
    removal = services.offboard_connection(connection=gone, extent=ErasureScope.NOTHING, user=None)
    gone.refresh_from_db()
    assert gone.state == ConnectionState.REMOVED
    assert finish(removal).finished_at is not None
    grant = removal.grants.get()
    assert (grant.end, grant.listing) == (RevocationStatus.ENDED, RemoteStatus.GONE)
    assert grant.request_id
    assert listed(api_version, kept) == {kept.vehicle.smartcar_id}
    kept.refresh_from_db()
    assert kept.state == ConnectionState.PENDING
    assert (kept.tokens is not None) == (api_version == SmartcarApiVersion.V2)
    assert removal.requester == "the driver"


def listed(api_version: SmartcarApiVersion, connection: Connection) -> set[str]:
    application = applications.default_application()
    if api_version == SmartcarApiVersion.V2:
        found = application.v2.all_connections(user_id=connection.smartcar_user_id)
        return {each.vehicle_id for each in found}
    access = application_access(application=application, user_id=connection.smartcar_user_id)
    return {each.vehicle_id for each in application.v3.shared_vehicles(access, mode=connection.mode)}


def test_a_v2_pair_that_opens_nothing_any_more_is_deleted(smartcar: str, fleet: Fleet, owner: User) -> None:
    Fleet.objects.update(api_version=SmartcarApiVersion.V2)
    fleet.refresh_from_db()
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=2)
    for connection in Connection.objects.select_related("vehicle", "fleet"):
        assert UserToken.objects.exists()
        finish(services.offboard_vehicle(vehicle=connection.vehicle, extent=ErasureScope.NOTHING, user=owner))
    assert not UserToken.objects.exists()


@both
def test_while_smartcar_does_not_answer_erasing_goes_on_and_the_grant_is_tried_again(
    smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    Fleet.objects.update(api_version=api_version)
    fleet.refresh_from_db()
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=1)
    car = Vehicle.objects.get()
    record(car)
    removal = services.offboard_vehicle(vehicle=car, extent=ErasureScope.EVERYTHING, user=owner)
    httpx.post(f"{smartcar}/control/troubles", json={"serverErrors": 1}, timeout=30).raise_for_status()
    worker.run(offboarding_id=removal.pk)
    removal.refresh_from_db()
    assert removal.erased_at is not None
    assert removal.finished_at is None
    assert removal.problem
    assert removal.next_try_at is not None
    assert removal.next_try_at > timezone.now()
    httpx.delete(f"{smartcar}/control/troubles", timeout=30).raise_for_status()
    assert finish(removal).finished_at is not None
    assert removal.grants.get().listing == RemoteStatus.GONE


def test_a_grant_that_smartcar_had_ended_before_is_told_so(smartcar: str, fleet: Fleet, owner: User) -> None:
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=1)
    connection = Connection.objects.select_related("vehicle", "fleet").get()
    ended = {"userId": connection.smartcar_user_id, "vehicleId": connection.vehicle.smartcar_id}
    httpx.post(f"{smartcar}/control/disconnect", json=ended, timeout=30).raise_for_status()
    removal = finish(
        services.offboard_connection(connection=connection, extent=ErasureScope.NOTHING, user=owner)
    )
    assert removal.grants.get().end == RevocationStatus.ENDED_BEFORE
    assert removal.finished_at is not None


def test_a_grant_that_another_fleet_lives_by_goes_on(
    smartcar: str, fleet: Fleet, owner: User, outsider: User
) -> None:
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=1)
    mine = Connection.objects.select_related("vehicle", "fleet").get()
    red = Fleet.objects.get(slug="red")
    theirs_car = Vehicle.objects.create(fleet=red, smartcar_id=mine.vehicle.smartcar_id)
    theirs = share(theirs_car, mine.smartcar_user_id)
    record(mine.vehicle)
    record(theirs_car)
    removal = finish(services.offboard_connection(connection=mine, extent=ErasureScope.EVERYTHING, user=None))
    assert removal.grants.get().end == RevocationStatus.SHARED
    assert listed(SmartcarApiVersion.V3, mine) == {mine.vehicle.smartcar_id}
    theirs.refresh_from_db()
    assert theirs.state == ConnectionState.PENDING
    assert left_of(mine.vehicle)["readings"] == 0
    assert left_of(theirs_car) == {"readings": 6, "latest": 2, "messages": 2, "destinations": 1}
    assert "another fleet" in removal.erased.get(kind="messages").note


def test_a_driver_who_connected_again_meanwhile_keeps_the_new_grant(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=1)
    connection = Connection.objects.select_related("vehicle", "fleet").get()
    removal = services.offboard_connection(connection=connection, extent=ErasureScope.NOTHING, user=owner)
    Connection.objects.update(state=ConnectionState.PENDING)
    assert finish(removal).grants.get().end == RevocationStatus.AGAIN
    assert listed(SmartcarApiVersion.V3, connection) == {connection.vehicle.smartcar_id}


# Here


def alone(removal: OffboardingRequest) -> OffboardingRequest:
    """Without Smartcar: the grants count as settled."""
    removal.grants.update(end=RevocationStatus.ENDED, listing=RemoteStatus.GONE)
    return finish(removal)


def test_everything_is_erased_and_counted_while_the_ledger_stays(vehicle: Vehicle, owner: User) -> None:
    Vehicle.objects.update(vin="5YJ3E1EA7KF000316", plate="B-XY 1")
    vehicle.refresh_from_db()
    share(vehicle)
    record(vehicle)
    removal = alone(services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=owner))
    assert left_of(vehicle) == {"readings": 0, "latest": 0, "messages": 0, "destinations": 0}
    vehicle.refresh_from_db()
    assert (vehicle.vin, vehicle.name, vehicle.plate) == ("", "", "")
    counted = rows(removal)
    assert (counted["readings"], counted["latest"], counted["messages"], counted["commands"]) == (6, 2, 1, 1)
    assert counted["identity"] == 1
    assert Command.objects.filter(vehicle=vehicle).count() == 1
    assert InboxEntry.objects.count() == 1


def test_only_the_places_are_erased_where_only_they_are_asked_for(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    record(vehicle)
    removal = alone(services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.PLACES, user=owner))
    assert left_of(vehicle) == {"readings": 3, "latest": 1, "messages": 0, "destinations": 0}
    assert not LatestSignal.objects.filter(code=PLACE).exists()
    vehicle.refresh_from_db()
    assert vehicle.name == "Van 1"
    assert rows(removal)["readings"] == 3


def test_nothing_is_erased_where_history_is_kept(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    record(vehicle)
    removal = alone(services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.NOTHING, user=owner))
    assert left_of(vehicle) == {"readings": 6, "latest": 2, "messages": 1, "destinations": 1}
    assert removal.finished_at is not None


def test_while_another_driver_of_the_fleet_shares_the_car_only_the_time_of_this_one_is_erased(
    vehicle: Vehicle, owner: User
) -> None:
    mine, theirs = share(vehicle, "user-1"), share(vehicle, "user-2")
    Connection.objects.filter(pk=mine.pk).update(created_at=timezone.now() - timedelta(days=5))
    mine.refresh_from_db()
    record(vehicle, days_ago=20)
    record(vehicle, days_ago=1)
    alone(services.offboard_connection(connection=mine, extent=ErasureScope.EVERYTHING, user=None))
    assert left_of(vehicle) == {"readings": 6, "latest": 0, "messages": 1, "destinations": 1}
    vehicle.refresh_from_db()
    theirs.refresh_from_db()
    assert vehicle.name == "Van 1"
    assert theirs.state == ConnectionState.PENDING


def test_a_driver_who_left_before_has_nothing_of_the_next_driver_erased(vehicle: Vehicle) -> None:
    mine = share(vehicle, "user-1")
    long_ago = timezone.now() - timedelta(days=9)
    Connection.objects.filter(pk=mine.pk).update(
        created_at=long_ago, state=ConnectionState.REMOVED, state_since=long_ago + timedelta(days=4)
    )
    mine.refresh_from_db()
    share(vehicle, "user-2")
    record(vehicle, days_ago=7)
    record(vehicle, days_ago=1)
    alone(services.offboard_connection(connection=mine, extent=ErasureScope.EVERYTHING, user=None))
    assert left_of(vehicle) == {"readings": 6, "latest": 2, "messages": 1, "destinations": 1}


def test_worker_out_twice_changes_nothing(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    record(vehicle)
    removal = alone(services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=owner))
    before = rows(removal), removal.finished_at
    worker.run(offboarding_id=removal.pk)
    removal.refresh_from_db()
    assert (rows(removal), removal.finished_at) == before


def test_what_was_removed_before_and_is_kept_leaves_nothing_to_do(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    alone(services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.NOTHING, user=owner))
    with pytest.raises(services.NothingToOffboardError):
        services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.NOTHING, user=owner)


# What comes later


def test_late_deliveries_are_neither_recorded_nor_kept(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    now = int(time.time() * 1000)
    post(state_of(vehicle.smartcar_id, event_id="early", locked=True, at=now))
    processing.process_waiting()
    alone(services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=owner))
    # One that is new, one that is repeated, and one that waits when the car goes.
    for event in ("late", "early"):
        post(state_of(vehicle.smartcar_id, event_id=event, locked=False, at=now))
    processing.process_waiting()
    processing.release_quarantined()
    assert left_of(vehicle) == {"readings": 0, "latest": 0, "messages": 0, "destinations": 0}
    assert not InboxEntry.objects.filter(state=EntryState.QUARANTINED).exists()


def test_a_car_that_is_connected_again_is_recorded_again(vehicle: Vehicle, owner: User) -> None:
    mine = share(vehicle)
    alone(services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=owner))
    Connection.objects.filter(pk=mine.pk).update(state=ConnectionState.PENDING)
    post(state_of(vehicle.smartcar_id, event_id="again", locked=False, at=int(time.time() * 1000)))
    processing.process_waiting()
    assert left_of(vehicle)["readings"] == 1


# Crashes


def erase_slowly(removal_id: str) -> None:
    """Runs in a process of its own: batches of ten, so that there is time to be killed."""
    worker.BATCH = 10
    worker.run(offboarding_id=int(removal_id))


@pytest.mark.django_db(transaction=True)
def test_a_kill_in_the_middle_of_erasing_loses_no_row_and_no_count(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    record(vehicle, readings=6000)
    removal = services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=owner)
    removal.grants.update(end=RevocationStatus.ENDED, listing=RemoteStatus.GONE)
    apart = _apart(removal)
    deadline = time.monotonic() + 60
    while not ErasureRecord.objects.filter(removal=removal, kind="readings", rows__gte=200).exists():
        assert apart.poll() is None, apart.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    apart.send_signal(signal.SIGKILL)
    apart.wait(20)
    left = left_of(vehicle)["readings"]
    assert 0 < left < 12000
    assert rows(removal)["readings"] == 12000 - left
    worker.run(offboarding_id=removal.pk)
    assert left_of(vehicle)["readings"] == left, "the dead process's lease still holds"
    OffboardingRequest.objects.update(lease_until=timezone.now())
    assert finish(removal).finished_at is not None
    assert rows(removal)["readings"] == 12000
    assert left_of(vehicle) == {"readings": 0, "latest": 0, "messages": 0, "destinations": 0}


def _apart(removal: OffboardingRequest) -> "subprocess.Popen[str]":
    code = (
        "import django; django.setup(); from tests.connect.offboarding import test_worker as here; "
        f"here.erase_slowly('{removal.pk}')"
    )
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}")
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": url.geturl()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_sweeper_takes_up_what_a_lost_ring_left(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    removal = services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.PLACES, user=owner)
    removal.grants.update(end=RevocationStatus.ENDED, listing=RemoteStatus.GONE)
    tasks.sweep_offboarding()
    removal.refresh_from_db()
    assert removal.finished_at is not None
