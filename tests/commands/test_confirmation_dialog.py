"""The confirmation dialog of commands: confirmation, reason, and reauthentication."""

import time
from collections.abc import Callable

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client

from accounts import reauthentication
from accounts.models import User
from commands.models import Command, CommandPolicy, CommandState, ReasonRequirement
from connect.models import Connection
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PASSWORD = "a long enough passphrase"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def address(vehicle: Vehicle, connection: Connection) -> str:
    return f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands"


def age_session(client: Client) -> None:
    """Set the session's last confirmation to eleven minutes ago."""
    session: SessionBase = client.session
    session["confirmed_at"] = time.time() - reauthentication.VALID_FOR.total_seconds() - 60
    session.save()


def test_an_unlock_needs_confirmation_before_it_is_created(
    address: str, owner: User, browser_of: BrowserOf
) -> None:
    client = browser_of(owner)
    answer = client.post(f"{address}/unlock/", headers=HTMX)
    assert (answer["HX-Retarget"], Command.objects.count()) == ("#command-dialog", 0)
    text = answer.content.decode()
    assert "Anyone near the vehicle will be able to open it." in text
    assert "Your password" not in text
    client.post(f"{address}/unlock/", {"asked": "yes", "reason": "Left the keys in"}, headers=HTMX)
    assert Command.objects.get().reason == "Left the keys in"


def test_without_javascript_the_dialog_is_a_page(address: str, owner: User, browser_of: BrowserOf) -> None:
    answer = browser_of(owner).post(f"{address}/unlock/")
    assert (answer.status_code, Command.objects.count()) == (200, 0)
    assert "Anyone near the vehicle will be able to open it." in answer.content.decode()
    assert "<h1" in answer.content.decode()


def test_a_lock_needs_no_confirmation(address: str, owner: User, browser_of: BrowserOf) -> None:
    browser_of(owner).post(f"{address}/lock/", headers=HTMX)
    assert Command.objects.get().kind == "lock"


def test_after_ten_minutes_an_unlock_needs_the_password(
    address: str, owner: User, browser_of: BrowserOf
) -> None:
    owner.set_password(PASSWORD)
    owner.save()
    client = browser_of(owner)
    age_session(client)
    assert "Your password" in client.post(f"{address}/unlock/", headers=HTMX).content.decode()
    wrong = client.post(f"{address}/unlock/", {"asked": "yes", "password": "x"}, headers=HTMX)
    assert "Incorrect password" in wrong.content.decode()
    assert wrong["HX-Retarget"] == "#command-dialog"
    assert not Command.objects.exists()
    right = client.post(f"{address}/unlock/", {"asked": "yes", "password": PASSWORD}, headers=HTMX)
    assert "command:created" in right["HX-Trigger"]
    assert Command.objects.get().state == CommandState.REQUESTED


def test_a_password_confirms_for_ten_minutes(address: str, owner: User, browser_of: BrowserOf) -> None:
    owner.set_password(PASSWORD)
    owner.save()
    client = browser_of(owner)
    age_session(client)
    client.post(f"{address}/unlock/", {"asked": "yes", "password": PASSWORD}, headers=HTMX)
    assert "Your password" not in client.post(f"{address}/unlock/", headers=HTMX).content.decode()


def test_five_wrong_passwords_end_the_session(address: str, owner: User, browser_of: BrowserOf) -> None:
    client = browser_of(owner)
    age_session(client)
    for _ in range(reauthentication.MAX_ATTEMPTS):
        answer = client.post(f"{address}/unlock/", {"asked": "yes", "password": "x"}, headers=HTMX)
    assert answer["HX-Refresh"] == "true"
    assert "_auth_user_id" not in client.session
    assert not Command.objects.exists()


def test_the_dialog_cannot_be_skipped(address: str, owner: User, browser_of: BrowserOf) -> None:
    """A form that skips the question still gets the question."""
    client = browser_of(owner)
    age_session(client)
    client.post(f"{address}/unlock/", {"reason": "x"}, headers=HTMX)
    assert not Command.objects.exists()


def test_a_required_reason_is_requested_and_the_parameters_preserved(
    address: str, owner: User, browser_of: BrowserOf, vehicle: Vehicle
) -> None:
    CommandPolicy.objects.create(fleet=vehicle.fleet, reason_for=ReasonRequirement.EVERYTHING)
    Vehicle.objects.update(powertrain="BEV")
    client = browser_of(owner)
    dialog = client.post(f"{address}/set_charge_limit/", {"percent": "80"}, headers=HTMX).content.decode()
    assert '<input type="hidden" name="percent" value="80">' in dialog
    form = {"asked": "yes", "percent": "80", "reason": "Long trip"}
    client.post(f"{address}/set_charge_limit/", form, headers=HTMX)
    assert (Command.objects.get().parameters, Command.objects.get().reason) == ({"percent": 80}, "Long trip")


@pytest.mark.parametrize(
    ("person", "status", "state"),
    [
        ("owner", 302, CommandState.CANCELLED),
        ("teammate", 302, CommandState.CANCELLED),
        ("viewer", 403, CommandState.REQUESTED),
        ("driver", 403, CommandState.REQUESTED),
        ("outsider", 404, CommandState.REQUESTED),
    ],
)
def test_permissions_to_cancel(
    request: pytest.FixtureRequest,
    address: str,
    owner: User,
    browser_of: BrowserOf,
    person: str,
    status: int,
    state: CommandState,
) -> None:
    browser_of(owner).post(f"{address}/lock/")
    client = browser_of(request.getfixturevalue(person))
    answer = client.post(f"{address}/{Command.objects.get().pk}/cancel/")
    assert (answer.status_code, Command.objects.get().state) == (status, state)


def test_a_command_of_another_vehicle_is_not_found(
    address: str, owner: User, browser_of: BrowserOf, vehicle: Vehicle
) -> None:
    browser_of(owner).post(f"{address}/lock/")
    other = Vehicle.objects.create(fleet=vehicle.fleet, smartcar_id="another")
    command = Command.objects.get()
    answer = browser_of(owner).post(
        f"/fleets/blue/vehicles/{other.smartcar_id}/commands/{command.pk}/cancel/"
    )
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("person", "written"),
    [("owner", 1), ("teammate", 1), ("viewer", 0), ("driver", 0), ("outsider", 0)],
)
def test_a_command_to_a_sleeping_vehicle_can_wait_until_it_is_online(
    request: pytest.FixtureRequest,
    address: str,
    owner: User,
    browser_of: BrowserOf,
    person: str,
    written: int,
) -> None:
    browser_of(owner).post(f"{address}/lock/")
    rejected = Command.objects.get()
    Command.objects.update(state=CommandState.REFUSED, error_type="VEHICLE_STATE", error_code="ASLEEP")
    assert "Send when vehicle wakes" in browser_of(owner).get(f"{address}/").content.decode()
    for _ in range(2):
        browser_of(request.getfixturevalue(person)).post(f"{address}/{rejected.pk}/when-online/")
    assert Command.objects.filter(state=CommandState.WAITING).count() == written


def test_the_panel_offers_schedule_types_of_the_make_and_deletes_schedules(
    address: str, owner: User, viewer: User, browser_of: BrowserOf, vehicle: Vehicle
) -> None:
    Vehicle.objects.update(powertrain="BEV")
    timer = {
        "type": "LOCATION",
        "scheduleType": "DAILY",
        "scheduleId": "s-1",
        "schedules": [{"startTime": "22:00:00", "endTime": "06:00:00", "days": ["MONDAY", "TUESDAY"]}],
    }
    LatestSignal.objects.create(
        vehicle=vehicle,
        code="charge-chargetimers",
        body={"values": [timer]},
        status="SUCCESS",
        reported_at=vehicle.created_at,
    )
    text = browser_of(owner).get(f"{address}/").content.decode()
    for words in ("Monday, Tuesday 22:00–06:00", "By day of the week", "Weekdays and weekends"):
        assert words in text
    assert "Charge schedules" not in browser_of(viewer).get(f"{address}/").content.decode()
    browser_of(owner).post(f"{address}/delete_charge_schedule/", {"schedule_id": "s-1"})
    assert Command.objects.get().parameters == {"schedule_id": "s-1"}


def test_destinations_are_shown_only_to_members_who_may_send_them(
    address: str, owner: User, viewer: User, browser_of: BrowserOf
) -> None:
    browser_of(owner).post(f"{address}/set_destination/", {"latitude": "52.5", "longitude": "13.4"})
    assert "52.5000, 13.4000" in browser_of(owner).get(f"{address}/").content.decode()
    assert "52.5" not in browser_of(viewer).get(f"{address}/").content.decode()
