"""Tesla Business Fleet: vehicles that Smartcar connects by itself join a fleet, and leave it when they vanish."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, User
from connect.business_fleet import services
from connect.business_fleet.rules import is_adoptable, rule_for
from connect.models import AdoptionRule, Connection, ConnectionState
from connect.tasks import reconcile_connections
from smartcar_api import SharedVehicle
from tests.connect.invited import invited, walk
from tests.smartcar import connect

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
NAME = "/fleets/blue/integration/business-fleet/"


def enroll(smartcar: str, **body: Any) -> None:
    params = {"applicationId": site.SMARTCAR_APPLICATION_ID}
    answer = httpx.post(
        f"{smartcar}/control/grants", params=params, json={"businessFleet": True, **body}, timeout=30
    )
    answer.raise_for_status()
    assert answer.json() == {"redirect": None}


def vanish(smartcar: str, connection: Connection) -> None:
    body = {"userId": connection.smartcar_user_id, "vehicleId": connection.vehicle.smartcar_id}
    httpx.post(f"{smartcar}/control/disconnect", json=body, timeout=30).raise_for_status()
    Connection.objects.update(state_since=timezone.now() - timedelta(hours=3))


def car(**fields: Any) -> SharedVehicle:
    defaults: dict[str, Any] = {
        "vehicle_id": "v",
        "user_id": "u",
        "external_id": "",
        "make": "TESLA",
        "model": "Model 3",
        "year": 2024,
        "powertrain": "BEV",
        "mode": "live",
        "permissions": frozenset(),
        "connection_id": "c",
        "updated_at": None,
    }
    return SharedVehicle(**(defaults | fields))


@pytest.mark.parametrize(
    ("fields", "adopted"),
    [
        ({}, True),
        ({"make": "Tesla"}, True),
        ({"make": "FORD"}, False),
        ({"external_id": "blue-1234"}, False),
        ({"user_id": "driver"}, False),
        ({"user_id": ""}, False),
        ({"vehicle_id": "known"}, False),
    ],
)
def test_only_unknown_teslas_without_a_driver_are_adopted(fields: dict[str, Any], adopted: bool) -> None:
    assert is_adoptable(car(**fields), known={("u", "known")}, drivers={"driver"}) == adopted


def test_a_rule_for_the_model_takes_precedence() -> None:
    every, threes = AdoptionRule(model=""), AdoptionRule(model="model 3")
    assert rule_for("Model 3", [every, threes]) is threes
    assert rule_for("Model Y", [every, threes]) is every
    assert rule_for("Model Y", [threes]) is None


def test_vehicles_join_the_fleet_that_the_owner_named(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf, run_enqueued: Callable[[], list[str]]
) -> None:
    enroll(smartcar, count=2)
    reconcile_connections()
    assert not Connection.objects.exists()
    assert "join this fleet" in browser_of(owner).post(NAME, follow=True).content.decode()
    reconcile_connections()
    first, second = Connection.objects.select_related("vehicle").order_by("pk")
    assert {each.state for each in (first, second)} == {ConnectionState.PENDING}
    assert first.fleet == fleet
    assert first.adopted_at is not None
    assert first.vehicle.make == "TESLA"
    assert "read_battery" in first.scopes
    assert AuditLogEntry.objects.filter(event=AuditEvent.VEHICLE_ADOPTED, actor=None).count() == 2
    reconcile_connections()
    assert Connection.objects.count() == 2
    assert "2 vehicles joined this way" in browser_of(owner).get("/fleets/blue/integration/").content.decode()


def test_a_drivers_vehicle_is_never_adopted(smartcar: str, fleet: Fleet, owner: User) -> None:
    AdoptionRule.objects.create(fleet=fleet)
    invitation = invited(fleet=fleet, user=owner, make="TESLA")
    browser = Client()
    # The driver grants access at Smartcar, and the browser never returns.
    from tests.connect.invited import at_connect
    from tests.smartcar import authorize

    authorize(smartcar, at_connect(browser, invitation), make="TESLA", count=1)
    assert services.adopt_all() == 0
    walk(smartcar, browser, invited(fleet=fleet, user=owner, make="TESLA"), make="TESLA", count=1)
    before = Connection.objects.count()
    assert services.adopt_all() == 0
    assert Connection.objects.count() == before


def test_a_vehicle_that_vanishes_is_retired_and_joins_again_when_it_returns(
    smartcar: str, fleet: Fleet
) -> None:
    AdoptionRule.objects.create(fleet=fleet)
    enroll(smartcar, count=3)
    assert services.adopt_all() == 3
    connection = Connection.objects.select_related("vehicle").order_by("pk")[0]
    vanish(smartcar, connection)
    reconcile_connections()
    connection.refresh_from_db()
    assert connection.state == ConnectionState.REMOVED
    assert connection.retired_at is not None
    assert connection.state_reason == "Tesla no longer lists the vehicle for your company."
    assert AuditLogEntry.objects.filter(event=AuditEvent.VEHICLE_RETIRED).count() == 1
    assert fleet.vehicles.filter(pk=connection.vehicle_id).exists()
    enroll(smartcar, vehicleIds=[connection.vehicle.smartcar_id])
    reconcile_connections()
    back = Connection.objects.get(vehicle=connection.vehicle, state=ConnectionState.PENDING)
    assert back.retired_at is None


def test_a_vehicle_that_somebody_disconnected_is_not_adopted_again(smartcar: str, fleet: Fleet) -> None:
    AdoptionRule.objects.create(fleet=fleet)
    enroll(smartcar, count=1)
    services.adopt_all()
    Connection.objects.update(state=ConnectionState.REMOVED)
    assert services.adopt_all() == 0


def test_drivers_connections_are_not_retired(smartcar: str, fleet: Fleet, owner: User) -> None:
    connect(smartcar, fleet=fleet, user=owner, count=1, make="TESLA")
    vanish(smartcar, Connection.objects.select_related("vehicle").get())
    reconcile_connections()
    assert Connection.objects.get().state == ConnectionState.REVOKED


def test_an_owner_cannot_name_a_fleet_for_an_application_of_several_fleets(
    fleet: Fleet, owner: User, outsider: User, browser_of: BrowserOf
) -> None:
    page = browser_of(owner).post(NAME, follow=True).content.decode()
    assert "only a site administrator can decide" in page
    assert not AdoptionRule.objects.exists()


def test_an_owner_ends_the_rule(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    browser.post(NAME, {"model": " Model  Y "})
    rule = AdoptionRule.objects.get()
    assert (rule.model, rule.fleet, rule.created_by) == ("Model Y", fleet, owner)
    browser.post(f"{NAME}{rule.pk}/stop/")
    assert not AdoptionRule.objects.exists()
    events = AuditLogEntry.objects.order_by("pk").values_list("event", flat=True)
    assert list(events)[-2:] == [AuditEvent.ADOPTION_STARTED, AuditEvent.ADOPTION_ENDED]


@pytest.mark.parametrize(
    ("person", "status"), [("teammate", 403), ("viewer", 403), ("driver", 403), ("outsider", 404)]
)
def test_only_owners_name_a_fleet(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    rule = AdoptionRule.objects.create(fleet=fleet)
    browser = browser_of(request.getfixturevalue(person))
    assert browser.post(NAME, {"model": "Model 3"}).status_code == status
    assert browser.post(f"{NAME}{rule.pk}/stop/").status_code == status
    assert AdoptionRule.objects.count() == 1
