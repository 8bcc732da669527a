"""Naming vehicles right after they were connected: permissions, fields, and the highlighted rows."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, User
from tests.dashboard.vehicle_list.fixtures import create_vehicle
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/"


@pytest.fixture
def vehicles(fleet: Fleet) -> list[Vehicle]:
    return [create_vehicle(fleet, name, make="TESLA") for name in ("Ada", "Bea", "Cem")]


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 302), ("teammate", 302), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_members_who_may_connect_name_vehicles(
    request: pytest.FixtureRequest, vehicles: list[Vehicle], browser_of: BrowserOf, person: str, status: int
) -> None:
    form = {"vehicle": "car-Ada", "car-Ada-name": "Van 9"}
    browser = browser_of(request.getfixturevalue(person))
    assert browser.post(f"{PAGE}new/", form).status_code == status
    vehicles[0].refresh_from_db()
    assert vehicles[0].name == ("Van 9" if status == 302 else "Ada")


def test_new_vehicles_are_highlighted_and_get_their_details_in_one_step(
    owner: User, vehicles: list[Vehicle], browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    page = browser.get(f"{PAGE}?new=car-Ada,car-Bea,car-of-others")
    assert [form.instance.name for form in page.context["new_forms"]] == ["Ada", "Bea"]
    assert page.content.decode().count('class="is-new"') == 2
    form = {
        "vehicle": ["car-Ada", "car-Bea"],
        "car-Ada-name": " Van  9 ", "car-Ada-plate": "b-cd 1", "car-Ada-group": "North", "car-Ada-driver": "Robin",
        "car-Bea-name": "Bea",
    }  # fmt: skip
    answer = browser.post(f"{PAGE}new/", form)
    assert answer.headers["Location"] == f"{PAGE}?named=car-Ada,car-Bea"
    ada = Vehicle.objects.get(pk=vehicles[0].pk)
    assert (ada.name, ada.plate, ada.group, ada.driver) == ("Van 9", "B-CD 1", "North", "Robin")
    assert AuditLogEntry.objects.filter(event=AuditEvent.VEHICLE_DETAILS_CHANGED).count() == 1
    page = browser.get(answer.headers["Location"])
    assert page.content.decode().count('class="is-new"') == 2
    assert "new_forms" not in page.context


def test_other_details_of_the_vehicle_are_kept(
    owner: User, vehicles: list[Vehicle], browser_of: BrowserOf
) -> None:
    Vehicle.objects.update(unit_system="imperial", tank_liters=50)
    browser_of(owner).post(f"{PAGE}new/", {"vehicle": "car-Ada", "car-Ada-name": "Van 9"})
    ada = Vehicle.objects.get(pk=vehicles[0].pk)
    assert (ada.unit_system, ada.tank_liters) == ("imperial", 50)


def test_an_invalid_field_stores_nothing_and_keeps_the_input(
    owner: User, vehicles: list[Vehicle], browser_of: BrowserOf
) -> None:
    form = {"vehicle": ["car-Ada", "car-Bea"], "car-Ada-name": "Van 9", "car-Bea-plate": "x" * 400}
    answer = browser_of(owner).post(f"{PAGE}new/", form)
    assert answer.status_code == 400
    assert 'value="Van 9"' in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Vehicle.objects.filter(name="Van 9").exists()


def test_vehicles_of_another_fleet_are_not_named(
    owner: User, outsider: User, vehicles: list[Vehicle], browser_of: BrowserOf
) -> None:
    browser_of(outsider).post("/fleets/red/new/", {"vehicle": "car-Ada", "car-Ada-name": "Mine"})
    assert not Vehicle.objects.filter(name="Mine").exists()
    assert "new_forms" not in browser_of(outsider).get("/fleets/red/?new=car-Ada").context


def test_viewers_see_no_form(viewer: User, vehicles: list[Vehicle], browser_of: BrowserOf) -> None:
    assert "new_forms" not in browser_of(viewer).get(f"{PAGE}?new=car-Ada").context
