"""The command buttons: permissions and responses."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from commands.models import Command, CommandState
from commands.types import CommandType
from connect.models import Connection
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]


@pytest.fixture
def lock_address(vehicle: Vehicle, connection: Connection) -> str:
    return f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/lock/"


@pytest.mark.parametrize(
    ("person", "status", "created"),
    [("owner", 302, 1), ("teammate", 302, 1), ("viewer", 403, 0), ("driver", 403, 0), ("outsider", 404, 0)],
)
def test_only_owner_and_manager_may_command(
    request: pytest.FixtureRequest,
    lock_address: str,
    browser_of: BrowserOf,
    person: str,
    status: int,
    created: int,
) -> None:
    answer = browser_of(request.getfixturevalue(person)).post(lock_address)
    assert answer.status_code == status
    assert Command.objects.count() == created


@pytest.mark.parametrize("kind", list(CommandType))
@pytest.mark.parametrize(
    ("person", "status", "created"),
    [("owner", 302, 1), ("teammate", 302, 1), ("viewer", 403, 0), ("driver", 403, 0), ("outsider", 404, 0)],
)
def test_every_command_has_the_same_permissions(
    request: pytest.FixtureRequest,
    vehicle: Vehicle,
    lock_address: str,
    browser_of: BrowserOf,
    kind: CommandType,
    person: str,
    status: int,
    created: int,
) -> None:
    Vehicle.objects.update(powertrain="BEV")
    address = lock_address.replace("/lock/", f"/{kind}/")
    form = {"percent": "80", "latitude": "52.5", "longitude": "13.4", "schedule_id": "s-1"}
    form |= {"asked": "yes", "type": "daily", "every_day_start": "22:00", "every_day_stop": "06:00"}
    assert browser_of(request.getfixturevalue(person)).post(address, form).status_code == status
    assert Command.objects.filter(kind=kind).count() == Command.objects.count() == created


def test_the_history_shows_parameters(owner: User, lock_address: str, browser_of: BrowserOf) -> None:
    Vehicle.objects.update(powertrain="BEV")
    browser = browser_of(owner)
    address = lock_address.replace("/lock/", "/set_charge_limit/")
    answer = browser.post(address, {"percent": "80"}, headers={"HX-Request": "true"})
    assert "Charge limit 80%" in answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "form", "message"),
    [
        ("set_charge_limit", {"percent": "101"}, "whole number from 50 to 100 percent"),
        ("set_charge_limit", {}, "whole number from 50 to 100 percent"),
        (
            "set_destination",
            {"latitude": "91", "longitude": "0"},
            "A latitude must be a number from -90 to 90 degrees",
        ),
    ],
)
def test_invalid_parameters_are_rejected_and_nothing_is_stored(
    owner: User, lock_address: str, browser_of: BrowserOf, kind: str, form: dict[str, str], message: str
) -> None:
    Vehicle.objects.update(powertrain="BEV")
    address = lock_address.replace("/lock/", f"/{kind}/")
    answer = browser_of(owner).post(address, form, headers={"HX-Request": "true"})
    assert message in answer.content.decode()
    assert not Command.objects.exists()


def test_a_get_request_sends_no_command(owner: User, lock_address: str, browser_of: BrowserOf) -> None:
    assert browser_of(owner).get(lock_address).status_code == 405


def test_an_unknown_command_is_404(owner: User, lock_address: str, browser_of: BrowserOf) -> None:
    assert browser_of(owner).post(lock_address.replace("/lock/", "/explode/")).status_code == 404


def test_a_second_click_reports_the_command_in_progress(
    owner: User, lock_address: str, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    browser.post(lock_address, headers={"HX-Request": "true"})
    second = browser.post(lock_address, headers={"HX-Request": "true"})
    assert "Another command is in progress for this vehicle" in second.content.decode()
    assert Command.objects.count() == 1


def test_viewers_see_the_history_without_buttons(
    owner: User, viewer: User, lock_address: str, browser_of: BrowserOf
) -> None:
    browser_of(owner).post(lock_address)
    Command.objects.update(state=CommandState.ACCEPTED)
    page = browser_of(viewer).get(lock_address.removesuffix("lock/")).content.decode()
    assert "Accepted" in page
    assert "<button" not in page


def test_an_unchanged_panel_is_not_resent(owner: User, lock_address: str, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    address = lock_address.removesuffix("lock/")
    version = browser.get(address).context["panel_version"]
    assert browser.get(address, {"version": version}).status_code == 204
    browser.post(lock_address)
    assert browser.get(address, {"version": version}).status_code == 200
