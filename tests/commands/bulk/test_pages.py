"""The pages of bulk commands (selection, review, progress, canceling) and of the command history: who sees what."""

import time
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts import reauthentication
from accounts.models import Fleet, User
from commands.bulk.models import BulkCommand
from commands.models import Command, CommandPolicy, CommandState
from commands.types import CommandType
from connect.models import ConnectionState
from tests.commands.bulk.test_bulk import CreateVehicles, create_bulk_command
from tests.commands.bulk.test_bulk import create_vehicles as create_vehicles
from tests.dashboard.vehicle_page.fixtures import store_signal
from vehicles import catalogue
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PASSWORD = "a long enough passphrase"
SENDERS = [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)]
READERS = [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)]


@pytest.mark.parametrize(("person", "status"), SENDERS)
def test_permissions_to_review_and_send(
    request: pytest.FixtureRequest,
    create_vehicles: CreateVehicles,
    browser_of: BrowserOf,
    person: str,
    status: int,
) -> None:
    chosen = [vehicle.smartcar_id for vehicle in create_vehicles(2)]
    client = browser_of(request.getfixturevalue(person))
    assert (
        client.post("/fleets/blue/commands/bulk/", {"kind": "lock", "vehicle": chosen}).status_code == status
    )
    sent = client.post("/fleets/blue/commands/bulk/send/", {"kind": "lock", "vehicles": " ".join(chosen)})
    assert sent.status_code == (302 if status == 200 else status)
    assert Command.objects.count() == (2 if status == 200 else 0)


@pytest.mark.parametrize("person", ["owner", "teammate", "viewer", "driver", "outsider"])
@pytest.mark.parametrize("path", ["", "bulk/", "bulk/{}/"])
def test_permissions_to_read(
    request: pytest.FixtureRequest,
    fleet: Fleet,
    owner: User,
    create_vehicles: CreateVehicles,
    browser_of: BrowserOf,
    person: str,
    path: str,
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(1))
    answer = browser_of(request.getfixturevalue(person)).get(f"/fleets/blue/commands/{path.format(bulk.pk)}")
    assert answer.status_code == dict(READERS)[person]


@pytest.mark.parametrize(("person", "status"), SENDERS)
def test_permissions_to_cancel(
    request: pytest.FixtureRequest,
    fleet: Fleet,
    owner: User,
    create_vehicles: CreateVehicles,
    browser_of: BrowserOf,
    person: str,
    status: int,
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(2))
    answer = browser_of(request.getfixturevalue(person)).post(f"/fleets/blue/commands/bulk/{bulk.pk}/cancel/")
    assert answer.status_code == (302 if status == 200 else status)
    cancelled = Command.objects.filter(state=CommandState.CANCELLED).count()
    assert cancelled == (2 if status == 200 else 0)


def test_another_fleets_bulk_command_is_not_found(
    fleet: Fleet, owner: User, outsider: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(1))
    assert browser_of(outsider).get(f"/fleets/red/commands/bulk/{bulk.pk}/").status_code == 404
    assert browser_of(outsider).post(f"/fleets/red/commands/bulk/{bulk.pk}/cancel/").status_code == 404


def test_vehicles_of_another_fleet_are_ignored(
    fleet: Fleet, outsider: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    (vehicle,) = create_vehicles(1)
    answer = browser_of(outsider).post(
        "/fleets/red/commands/bulk/send/", {"kind": "lock", "vehicles": vehicle.smartcar_id}, follow=True
    )
    assert "No vehicles selected. Select one or more, then choose a command" in answer.content.decode()
    assert not Command.objects.exists()


def test_the_review_shows_eligible_and_ineligible_vehicles_and_sends_nothing(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    chosen = [*create_vehicles(2), *create_vehicles(1, state=ConnectionState.REMOVED)]
    form = {
        "kind": "set_charge_limit",
        "percent": "70",
        "vehicle": [vehicle.smartcar_id for vehicle in chosen],
    }
    text = browser_of(owner).post("/fleets/blue/commands/bulk/", form).content.decode()
    for words in (
        "Charge limit 70%: 2 vehicles?",
        "2 will be sent",
        "1 left out",
        "Left out: 1 not possible.",
        "less than a minute",
    ):
        assert words in text
    assert not Command.objects.exists()


def test_invalid_parameters_redirect_back_with_an_error(
    owner: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    form = {
        "kind": "set_charge_limit",
        "percent": "7",
        "vehicle": [vehicle.smartcar_id for vehicle in create_vehicles(1)],
    }
    answer = browser_of(owner).post("/fleets/blue/commands/bulk/", form, follow=True)
    assert "from 50 to 100 percent" in answer.content.decode()


def test_bulk_commands_require_the_password_after_ten_minutes(
    owner: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    owner.set_password(PASSWORD)
    owner.save()
    client = browser_of(owner)
    session = client.session
    session["confirmed_at"] = time.time() - reauthentication.VALID_FOR.total_seconds() - 1
    session.save()
    form = {
        "kind": "lock",
        "vehicles": " ".join(vehicle.smartcar_id for vehicle in create_vehicles(2)),
        "reason": "Storm",
    }
    wrong = client.post("/fleets/blue/commands/bulk/send/", form | {"password": "x"}).content.decode()
    assert "Incorrect password" in wrong
    assert 'value="Storm"' in wrong
    assert not Command.objects.exists()
    assert client.post("/fleets/blue/commands/bulk/send/", form | {"password": PASSWORD}).status_code == 302
    assert BulkCommand.objects.get().reason == "Storm"


def test_the_progress_shows_each_vehicle_and_refreshes_until_all_are_final(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(3))
    client, address = browser_of(owner), f"/fleets/blue/commands/bulk/{bulk.pk}/"
    text = client.get(address).content.decode()
    assert "0 of 3" in text
    assert 'hx-trigger="every 2s"' in text
    version = text.partition("?version=")[2].partition("&")[0]
    assert client.get(f"{address}?version={version}").status_code == 204
    Command.objects.update(state=CommandState.REFUSED, smartcar_message="A door is open.")
    text = client.get(f"{address}?version={version}").content.decode()
    assert "3 of 3" in text
    assert text.count("A door is open.") == 3
    assert "every 2s" not in text


def test_a_group_shows_only_its_vehicles(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(3))
    first = Command.objects.order_by("pk")[0]
    Command.objects.filter(pk=first.pk).update(state=CommandState.FAILED)
    text = browser_of(owner).get(f"/fleets/blue/commands/bulk/{bulk.pk}/?group=not-done").content.decode()
    assert text.count("badge badge-") == 1


def test_the_progress_of_a_thousand_vehicles_needs_few_queries(
    fleet: Fleet,
    owner: User,
    create_vehicles: CreateVehicles,
    browser_of: BrowserOf,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(1000))
    client = browser_of(owner)
    with django_assert_max_num_queries(15):
        text = client.get(f"/fleets/blue/commands/bulk/{bulk.pk}/").content.decode()
    assert text.count("badge badge-") == 100


def test_the_history_is_filtered_by_state_and_kind(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    create_bulk_command(fleet, owner, create_vehicles(2))
    client = browser_of(owner)
    assert (
        client.get("/fleets/blue/commands/?state=queued&kind=lock").content.decode().count("badge badge-")
        == 2
    )
    assert (
        "No commands match. Choose a different status or command"
        in client.get("/fleets/blue/commands/?state=failed").content.decode()
    )


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 302), ("teammate", 403), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owners_change_the_policy(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    client = browser_of(request.getfixturevalue(person))
    assert client.post("/fleets/blue/commands/policy/", {"reason_for": "unlock"}).status_code == status
    assert CommandPolicy.objects.filter(fleet=fleet, reason_for="unlock").exists() is (status == 302)


def test_viewers_get_no_checkboxes(
    fleet: Fleet, owner: User, viewer: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    create_vehicles(1)
    assert 'name="vehicle"' in browser_of(owner).get("/fleets/blue/").content.decode()
    assert 'name="vehicle"' not in browser_of(viewer).get("/fleets/blue/").content.decode()


LOCKED, UNLOCKED = {"value": True}, {"value": False}


@pytest.fixture
def parking_lot(create_vehicles: CreateVehicles) -> dict[str, Vehicle]:
    """Four vehicles to lock: one open, two locked already, one moving."""
    names = ("open", "locked", "locked too", "moving")
    found = dict(zip(names, create_vehicles(len(names)), strict=True))
    for name, vehicle in found.items():
        store_signal(vehicle, catalogue.IS_LOCKED, LOCKED if "locked" in name else UNLOCKED)
    store_signal(found["moving"], catalogue.SPEED, {"value": 40})
    return found


def _ids(*vehicles: Vehicle) -> str:
    return " ".join(vehicle.smartcar_id for vehicle in vehicles)


def test_the_review_says_what_is_left_out_and_why(
    owner: User, parking_lot: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    form = {"kind": "lock", "vehicles": _ids(*parking_lot.values())}
    text = browser_of(owner).post("/fleets/blue/commands/bulk/", form).content.decode()
    for words in ("1 will be sent", "3 left out", "Left out: 2 already locked, 1 moving.", "Already locked."):
        assert words in text
    assert not Command.objects.exists()
    text = (
        browser_of(owner).post("/fleets/blue/commands/bulk/", form | {"with_already": "yes"}).content.decode()
    )
    assert "3 will be sent" in text
    assert "Left out: 1 moving." in text


def test_the_result_counts_what_was_left_out_and_done(
    owner: User, parking_lot: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    client = browser_of(owner)
    sent, *others = parking_lot.values()
    form = {"kind": "lock", "vehicles": _ids(sent), "others": _ids(*others)}
    answer = client.post("/fleets/blue/commands/bulk/send/", form)
    assert [command.vehicle for command in Command.objects.all()] == [sent]
    assert BulkCommand.objects.get().skipped == {"already": 2, "moving": 1}
    Command.objects.update(state=CommandState.CONFIRMED)
    text = client.get(answer.headers["Location"]).content.decode()
    assert "2 already locked · 1 locked now · 1 moving" in text


def test_what_a_review_left_out_is_not_sent_even_if_it_has_become_possible(
    owner: User, parking_lot: dict[str, Vehicle], browser_of: BrowserOf
) -> None:
    store_signal(parking_lot["moving"], catalogue.SPEED, {"value": 0})
    form = {"kind": "lock", "vehicles": _ids(parking_lot["open"]), "others": _ids(parking_lot["moving"])}
    browser_of(owner).post("/fleets/blue/commands/bulk/send/", form)
    assert Command.objects.count() == 1
    assert BulkCommand.objects.get().skipped == {"changed": 1}


@pytest.mark.parametrize("kind", [CommandType.LOCK, CommandType.UNLOCK])
def test_failed_commands_are_reviewed_again_before_they_are_retried(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles, browser_of: BrowserOf, kind: CommandType
) -> None:
    vehicles = create_vehicles(4)
    bulk = create_bulk_command(fleet, owner, vehicles, kind)
    client = browser_of(owner)
    page = f"/fleets/blue/commands/bulk/{bulk.pk}/"
    states = [CommandState.FAILED, CommandState.REFUSED, CommandState.UNKNOWN, CommandState.CONFIRMED]
    assert "Retry" not in client.get(page).content.decode()
    for vehicle, state in zip(vehicles, states, strict=True):
        Command.objects.filter(vehicle=vehicle).update(state=state)
    assert "Retry 2 failed" in client.get(page).content.decode()
    text = client.post("/fleets/blue/commands/bulk/", {"kind": kind, "retry": bulk.pk}).content.decode()
    assert "2 will be sent" in text
    assert "Nothing has been sent yet." in text
    assert Command.objects.count() == 4


def test_nobody_retries_another_fleets_bulk_command(
    fleet: Fleet, owner: User, outsider: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(1))
    Command.objects.update(state=CommandState.FAILED)
    form = {"kind": "lock", "retry": bulk.pk}
    answer = browser_of(outsider).post("/fleets/red/commands/bulk/", form, follow=True)
    assert "No vehicles selected." in answer.content.decode()


def test_viewers_are_not_offered_a_retry(
    fleet: Fleet, owner: User, viewer: User, create_vehicles: CreateVehicles, browser_of: BrowserOf
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(1))
    Command.objects.update(state=CommandState.FAILED)
    assert "Retry" not in browser_of(viewer).get(f"/fleets/blue/commands/bulk/{bulk.pk}/").content.decode()
