"""The offboarding worker: at Smartcar on both API versions, in every table, through crashes, and afterwards."""

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
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from commands.models import Command
from connect import applications, tasks
from connect.messages import TokenProblem
from connect.models import Connection, ConnectionState, ErasureRecord, OffboardingRequest, UserToken
from connect.offboarding import services, worker
from connect.offboarding.models import ErasureScope, RemoteStatus, RevocationStatus
from connect.token_store import application_access
from core import encryption
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


def share(vehicle: Vehicle, user: str = "user-1") -> Connection:
    """Returns a connection that Smartcar doesn't know."""
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id=user,
        api_version=SmartcarApiVersion.V3,
        mode="live",
    )


def record(vehicle: Vehicle, *, readings: int = 3, days_ago: int = 0) -> None:
    """Records history, latest values, a raw message and a destination."""
    at = timezone.now() - timedelta(days=days_ago, hours=1)
    place = {"latitude": 52.5, "longitude": 13.4}
    for code, body in ((PLACE, place), (LOCK, {"value": True})):
        points = [
            NewReading(vehicle.pk, code, at + timedelta(seconds=each), body) for each in range(readings)
        ]
        insert_readings(readings=points)
        LatestSignal.objects.update_or_create(
            vehicle=vehicle,
            code=code,
            defaults={"body": body, "status": "SUCCESS", "observed_at": at, "reported_at": at},
        )
    InboxEntry.objects.create(
        received_at=at, body=b"{}", smartcar_vehicle_id=vehicle.smartcar_id, state=EntryState.PROCESSED
    )
    Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        kind="set_destination",
        parameters=place,
        api_version="v3",
        state="expired",
        requested_at=at,
        expires_at=at,
    )


def finish(offboarding: OffboardingRequest) -> OffboardingRequest:
    """Runs the worker as beat would, without waiting for the next attempt."""
    for _ in range(5):
        OffboardingRequest.objects.filter(pk=offboarding.pk).update(next_try_at=None)
        worker.run(offboarding_id=offboarding.pk)
        offboarding.refresh_from_db()
        if offboarding.finished_at is not None:
            return offboarding
    return offboarding


def rows(offboarding: OffboardingRequest) -> dict[str, int]:
    return dict(offboarding.erased.values_list("kind", "rows"))


def remaining_rows(vehicle: Vehicle) -> dict[str, int]:
    """Returns the number of remaining rows by kind."""
    return {
        "readings": Reading.objects.filter(vehicle=vehicle).count(),
        "latest": LatestSignal.objects.filter(vehicle=vehicle).count(),
        "messages": InboxEntry.objects.filter(smartcar_vehicle_id=vehicle.smartcar_id)
        .exclude(body=b"")
        .count(),
        "destinations": Command.objects.filter(vehicle=vehicle).exclude(parameters={}).count(),
    }


# At Smartcar


@both
def test_grant_is_ended_and_checked_against_smartcars_list(
    smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    Fleet.objects.update(api_version=api_version)
    fleet.refresh_from_db()
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=2)
    removed, remaining = Connection.objects.select_related("vehicle", "fleet").order_by("pk")
    offboarding = services.offboard_connection(connection=removed, extent=ErasureScope.NOTHING, user=None)
    removed.refresh_from_db()
    assert removed.state == ConnectionState.REMOVED
    assert finish(offboarding).finished_at is not None
    grant = offboarding.grants.get()
    assert (grant.end, grant.listing) == (RevocationStatus.ENDED, RemoteStatus.GONE)
    assert grant.request_id
    assert listed(api_version, remaining) == {remaining.vehicle.smartcar_id}
    remaining.refresh_from_db()
    assert remaining.state == ConnectionState.PENDING
    assert (remaining.tokens is not None) == (api_version == SmartcarApiVersion.V2)
    assert offboarding.requester == "the driver"


def listed(api_version: SmartcarApiVersion, connection: Connection) -> set[str]:
    application = applications.default_application()
    if api_version == SmartcarApiVersion.V2:
        found = application.v2.all_connections(user_id=connection.smartcar_user_id)
        return {each.vehicle_id for each in found}
    access = application_access(application=application, user_id=connection.smartcar_user_id)
    return {each.vehicle_id for each in application.v3.shared_vehicles(access, mode=connection.mode)}


def test_v2_token_pair_without_remaining_connections_is_deleted(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    Fleet.objects.update(api_version=SmartcarApiVersion.V2)
    fleet.refresh_from_db()
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=2)
    for connection in Connection.objects.select_related("vehicle", "fleet"):
        assert UserToken.objects.exists()
        finish(services.offboard_vehicle(vehicle=connection.vehicle, extent=ErasureScope.NOTHING, user=owner))
    assert not UserToken.objects.exists()


@pytest.mark.parametrize("known", [True, False])
def test_dead_v2_pair_does_not_keep_the_grant_alive(
    smartcar: str, fleet: Fleet, owner: User, known: bool
) -> None:
    """The pair is known to be revoked, or Smartcar rejects it now; either way, its grant is listed at Smartcar."""
    Fleet.objects.update(api_version=SmartcarApiVersion.V2)
    fleet.refresh_from_db()
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=2)
    removed, remaining = Connection.objects.select_related("vehicle", "fleet").order_by("pk")
    UserToken.objects.update(
        refresh_ciphertext=encryption.encrypt("not a token Smartcar knows"),
        access_expires_at=timezone.now(),
        revoked_at=timezone.now() if known else None,
    )
    offboarding = services.offboard_connection(connection=removed, extent=ErasureScope.NOTHING, user=owner)
    assert finish(offboarding).finished_at is not None
    grant = offboarding.grants.get()
    assert (grant.end, grant.listing) == (RevocationStatus.ENDED, RemoteStatus.GONE)
    assert listed(SmartcarApiVersion.V2, remaining) == {remaining.vehicle.smartcar_id}


def test_dead_v2_pair_without_a_management_token_is_reported_as_ended_before(
    smartcar: str, fleet: Fleet, owner: User, settings: Settings
) -> None:
    Fleet.objects.update(api_version=SmartcarApiVersion.V2)
    fleet.refresh_from_db()
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=1)
    UserToken.objects.update(revoked_at=timezone.now())
    settings.SMARTCAR_MANAGEMENT_TOKENS = []
    connection = Connection.objects.select_related("vehicle", "fleet").get()
    offboarding = services.offboard_connection(connection=connection, extent=ErasureScope.NOTHING, user=owner)
    assert finish(offboarding).finished_at is not None
    grant = offboarding.grants.get()
    assert (grant.end, grant.listing) == (RevocationStatus.ENDED_BEFORE, RemoteStatus.NO_LIST)


@both
def test_erasure_continues_and_grant_is_retried_while_smartcar_is_down(
    smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    Fleet.objects.update(api_version=api_version)
    fleet.refresh_from_db()
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=1)
    car = Vehicle.objects.get()
    record(car)
    offboarding = services.offboard_vehicle(vehicle=car, extent=ErasureScope.EVERYTHING, user=owner)
    httpx.post(f"{smartcar}/control/troubles", json={"serverErrors": 1}, timeout=30).raise_for_status()
    worker.run(offboarding_id=offboarding.pk)
    offboarding.refresh_from_db()
    assert offboarding.erased_at is not None
    assert offboarding.finished_at is None
    assert offboarding.problem
    assert offboarding.next_try_at is not None
    assert offboarding.next_try_at > timezone.now()
    httpx.delete(f"{smartcar}/control/troubles", timeout=30).raise_for_status()
    assert finish(offboarding).finished_at is not None
    assert offboarding.grants.get().listing == RemoteStatus.GONE


def test_grant_waits_while_its_token_cannot_be_decrypted(smartcar: str, fleet: Fleet, owner: User) -> None:
    Fleet.objects.update(api_version=SmartcarApiVersion.V2)
    fleet.refresh_from_db()
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=1)
    readable = UserToken.objects.get()
    UserToken.objects.update(access_ciphertext=b"from another key")
    offboarding = services.offboard_vehicle(
        vehicle=Vehicle.objects.get(), extent=ErasureScope.NOTHING, user=owner
    )
    worker.run(offboarding_id=offboarding.pk)
    offboarding.refresh_from_db()
    assert offboarding.problem.message.code == TokenProblem.UNREADABLE.value
    assert offboarding.next_try_at is not None
    assert offboarding.lease_until is None
    UserToken.objects.update(access_ciphertext=readable.access_ciphertext)
    assert finish(offboarding).finished_at is not None


def test_grant_that_had_already_ended_is_reported_as_such(smartcar: str, fleet: Fleet, owner: User) -> None:
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=1)
    connection = Connection.objects.select_related("vehicle", "fleet").get()
    ended = {"userId": connection.smartcar_user_id, "vehicleId": connection.vehicle.smartcar_id}
    httpx.post(f"{smartcar}/control/disconnect", json=ended, timeout=30).raise_for_status()
    offboarding = finish(
        services.offboard_connection(connection=connection, extent=ErasureScope.NOTHING, user=owner)
    )
    assert offboarding.grants.get().end == RevocationStatus.ENDED_BEFORE
    assert offboarding.finished_at is not None


def test_grant_used_by_another_fleet_is_not_ended(
    smartcar: str, fleet: Fleet, owner: User, outsider: User
) -> None:
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=1)
    own = Connection.objects.select_related("vehicle", "fleet").get()
    red = Fleet.objects.get(slug="red")
    other_vehicle = Vehicle.objects.create(fleet=red, smartcar_id=own.vehicle.smartcar_id)
    other = share(other_vehicle, own.smartcar_user_id)
    record(own.vehicle)
    record(other_vehicle)
    offboarding = finish(
        services.offboard_connection(connection=own, extent=ErasureScope.EVERYTHING, user=None)
    )
    assert offboarding.grants.get().end == RevocationStatus.SHARED
    assert listed(SmartcarApiVersion.V3, own) == {own.vehicle.smartcar_id}
    other.refresh_from_db()
    assert other.state == ConnectionState.PENDING
    assert remaining_rows(own.vehicle)["readings"] == 0
    assert remaining_rows(other_vehicle) == {"readings": 6, "latest": 2, "messages": 2, "destinations": 1}
    assert "another fleet" in offboarding.erased.get(kind="messages").note


def test_driver_who_reconnected_meanwhile_retains_the_new_grant(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    walk(smartcar, Client(), invited(fleet=fleet, user=owner), count=1)
    connection = Connection.objects.select_related("vehicle", "fleet").get()
    offboarding = services.offboard_connection(connection=connection, extent=ErasureScope.NOTHING, user=owner)
    Connection.objects.update(state=ConnectionState.PENDING)
    assert finish(offboarding).grants.get().end == RevocationStatus.AGAIN
    assert listed(SmartcarApiVersion.V3, connection) == {connection.vehicle.smartcar_id}


# In the database


def without_smartcar(offboarding: OffboardingRequest) -> OffboardingRequest:
    """Marks the grants as finished, so that Smartcar isn't called."""
    offboarding.grants.update(end=RevocationStatus.ENDED, listing=RemoteStatus.GONE)
    return finish(offboarding)


def test_everything_is_erased_and_counted_while_command_history_remains(
    vehicle: Vehicle, owner: User
) -> None:
    Vehicle.objects.update(vin="5YJ3E1EA7KF000316", plate="B-XY 1")
    vehicle.refresh_from_db()
    share(vehicle)
    record(vehicle)
    offboarding = without_smartcar(
        services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=owner)
    )
    assert remaining_rows(vehicle) == {"readings": 0, "latest": 0, "messages": 0, "destinations": 0}
    vehicle.refresh_from_db()
    assert (vehicle.vin, vehicle.name, vehicle.plate) == ("", "", "")
    counted = rows(offboarding)
    assert (counted["readings"], counted["latest"], counted["messages"], counted["commands"]) == (6, 2, 1, 1)
    assert counted["identity"] == 1
    assert Command.objects.filter(vehicle=vehicle).count() == 1
    assert InboxEntry.objects.count() == 1


def test_only_locations_are_erased_if_only_they_were_requested(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    record(vehicle)
    offboarding = without_smartcar(
        services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.PLACES, user=owner)
    )
    assert remaining_rows(vehicle) == {"readings": 3, "latest": 1, "messages": 0, "destinations": 0}
    assert not LatestSignal.objects.filter(code=PLACE).exists()
    vehicle.refresh_from_db()
    assert vehicle.name == "Van 1"
    assert rows(offboarding)["readings"] == 3


def test_nothing_is_erased_if_history_is_retained(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    record(vehicle)
    offboarding = without_smartcar(
        services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.NOTHING, user=owner)
    )
    assert remaining_rows(vehicle) == {"readings": 6, "latest": 2, "messages": 1, "destinations": 1}
    assert offboarding.finished_at is not None


def test_only_this_drivers_time_is_erased_while_another_driver_shares_the_vehicle(
    vehicle: Vehicle, owner: User
) -> None:
    own, other = share(vehicle, "user-1"), share(vehicle, "user-2")
    Connection.objects.filter(pk=own.pk).update(created_at=timezone.now() - timedelta(days=5))
    own.refresh_from_db()
    record(vehicle, days_ago=20)
    record(vehicle, days_ago=1)
    without_smartcar(services.offboard_connection(connection=own, extent=ErasureScope.EVERYTHING, user=None))
    assert remaining_rows(vehicle) == {"readings": 6, "latest": 0, "messages": 1, "destinations": 1}
    vehicle.refresh_from_db()
    other.refresh_from_db()
    assert vehicle.name == "Van 1"
    assert other.state == ConnectionState.PENDING


def test_data_of_the_next_driver_is_not_erased_for_a_former_driver(vehicle: Vehicle) -> None:
    own = share(vehicle, "user-1")
    long_ago = timezone.now() - timedelta(days=9)
    Connection.objects.filter(pk=own.pk).update(
        created_at=long_ago, state=ConnectionState.REMOVED, state_since=long_ago + timedelta(days=4)
    )
    own.refresh_from_db()
    share(vehicle, "user-2")
    record(vehicle, days_ago=7)
    record(vehicle, days_ago=1)
    without_smartcar(services.offboard_connection(connection=own, extent=ErasureScope.EVERYTHING, user=None))
    assert remaining_rows(vehicle) == {"readings": 6, "latest": 2, "messages": 1, "destinations": 1}


def test_running_the_worker_twice_changes_nothing(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    record(vehicle)
    offboarding = without_smartcar(
        services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=owner)
    )
    before = rows(offboarding), offboarding.finished_at
    worker.run(offboarding_id=offboarding.pk)
    offboarding.refresh_from_db()
    assert (rows(offboarding), offboarding.finished_at) == before


def test_data_retained_by_an_earlier_offboarding_leaves_nothing_to_do(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    without_smartcar(services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.NOTHING, user=owner))
    with pytest.raises(services.NothingToOffboardError):
        services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.NOTHING, user=owner)


# After offboarding


def test_late_deliveries_are_neither_recorded_nor_stored(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    now = int(time.time() * 1000)
    post(state_of(vehicle.smartcar_id, event_id="early", locked=True, at=now))
    processing.process_waiting()
    without_smartcar(services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=owner))
    # A new delivery, a repeated one, and one that is queued when the vehicle is removed.
    for event in ("late", "early"):
        post(state_of(vehicle.smartcar_id, event_id=event, locked=False, at=now))
    processing.process_waiting()
    processing.release_quarantined()
    assert remaining_rows(vehicle) == {"readings": 0, "latest": 0, "messages": 0, "destinations": 0}
    assert not InboxEntry.objects.filter(state=EntryState.QUARANTINED).exists()


def test_reconnected_vehicle_is_recorded_again(vehicle: Vehicle, owner: User) -> None:
    own = share(vehicle)
    without_smartcar(services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=owner))
    Connection.objects.filter(pk=own.pk).update(state=ConnectionState.PENDING)
    post(state_of(vehicle.smartcar_id, event_id="again", locked=False, at=int(time.time() * 1000)))
    processing.process_waiting()
    assert remaining_rows(vehicle)["readings"] == 1


# Crashes


def erase_slowly(offboarding_id: str) -> None:
    """Runs in its own process, in batches of ten, so that there is time to kill it."""
    worker.BATCH = 10
    worker.run(offboarding_id=int(offboarding_id))


@pytest.mark.django_db(transaction=True)
def test_kill_during_erasure_loses_no_row_and_no_count(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    record(vehicle, readings=6000)
    offboarding = services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.EVERYTHING, user=owner)
    offboarding.grants.update(end=RevocationStatus.ENDED, listing=RemoteStatus.GONE)
    process = _start_worker(offboarding)
    deadline = time.monotonic() + 60
    while not ErasureRecord.objects.filter(offboarding=offboarding, kind="readings", rows__gte=200).exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    left = remaining_rows(vehicle)["readings"]
    assert 0 < left < 12000
    assert rows(offboarding)["readings"] == 12000 - left
    worker.run(offboarding_id=offboarding.pk)
    assert remaining_rows(vehicle)["readings"] == left, "the dead process's lease still holds"
    OffboardingRequest.objects.update(lease_until=timezone.now())
    assert finish(offboarding).finished_at is not None
    assert rows(offboarding)["readings"] == 12000
    assert remaining_rows(vehicle) == {"readings": 0, "latest": 0, "messages": 0, "destinations": 0}


def _start_worker(offboarding: OffboardingRequest) -> "subprocess.Popen[str]":
    code = (
        "import django; django.setup(); from tests.connect.offboarding import test_worker as here; "
        f"here.erase_slowly('{offboarding.pk}')"
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


def test_sweeper_picks_up_an_offboarding_whose_task_was_lost(vehicle: Vehicle, owner: User) -> None:
    share(vehicle)
    offboarding = services.offboard_vehicle(vehicle=vehicle, extent=ErasureScope.PLACES, user=owner)
    offboarding.grants.update(end=RevocationStatus.ENDED, listing=RemoteStatus.GONE)
    tasks.sweep_offboarding()
    offboarding.refresh_from_db()
    assert offboarding.finished_at is not None
