"""Which vehicles need attention, and that the tile, the filter, the rows and the badge agree."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Fleet, Role, User
from accounts.services import add_member
from alerts.models import AlertSettings
from alerts.notification_badge import badge_for
from alerts.services import acknowledge
from alerts.types import AlertType
from connect.models import ConnectionState
from tests.alerts.helpers import raise_alert
from tests.dashboard.vehicle_list.fixtures import create_vehicle, report_signal
from vehicles import catalogue
from vehicles.models import Vehicle, VehicleSnapshot

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/"


def reasons(browser: Client) -> dict[str, list[str]]:
    """Returns the vehicles that need attention with their reasons, after checking that all counts agree."""
    context = browser.get(f"{PAGE}?show=attention").context
    found = {row.title: [text for _, text in row.reasons] for row in context["rows"]}
    tile = next(tile for tile in context["tiles"] if tile.show == "attention")
    badge = badge_for(user=context["user"], fleet=context["fleet"])
    assert tile.count == badge.count == len(found)
    everywhere = {row.title: row.reasons for row in browser.get(PAGE).context["rows"] if row.reasons}
    assert everywhere.keys() == found.keys()
    return found


def test_the_union_of_all_reasons_is_counted_alike_everywhere(
    owner: User, viewer: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    create_vehicle(fleet, "Ada", charge=80, locked=True)
    create_vehicle(fleet, "Bea", charge=12)
    create_vehicle(fleet, "Cem", fuel=5, charge=90, powertrain="ICE")
    create_vehicle(fleet, "Dan", charge=12, charging=True)
    create_vehicle(fleet, "Eve", charge=9, state=ConnectionState.NEEDS_REAUTHENTICATION)
    raise_alert(create_vehicle(fleet, "Fay"), AlertType.TOKEN)
    expected = {
        "Bea": ["Low battery"],
        "Cem": ["Low fuel"],
        "Eve": ["Reauthentication required", "Low battery"],
        "Fay": ["Access expiring soon"],
    }
    assert reasons(browser_of(owner)) == expected
    assert reasons(browser_of(viewer)) == expected
    assert "Reauthentication required" in browser_of(viewer).get(PAGE).content.decode()


@pytest.mark.parametrize("kind", [AlertType.BATTERY, AlertType.CONNECTION])
def test_what_a_member_has_acknowledged_needs_nobody_else(
    owner: User, fleet: Fleet, browser_of: BrowserOf, kind: AlertType
) -> None:
    vehicle = create_vehicle(fleet, "Ada", charge=12, state=ConnectionState.REVOKED)
    raise_alert(vehicle, kind)
    assert reasons(browser_of(owner)) == {"Ada": ["Access revoked", "Low battery"]}
    acknowledge(fleet=fleet, kinds=[kind], user=owner, now=timezone.now())
    left = "Access revoked" if kind == AlertType.BATTERY else "Low battery"
    assert reasons(browser_of(owner)) == {"Ada": [left]}


def test_a_low_battery_counts_only_if_the_fleet_uses_these_alerts(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    create_vehicle(fleet, "Ada", charge=25)
    settings = AlertSettings.objects.create(fleet=fleet, low_battery=30)
    assert reasons(browser_of(owner)) == {"Ada": ["Low battery"]}
    settings.kinds = ["connection"]
    settings.save()
    assert reasons(browser_of(owner)) == {}


def test_an_open_alert_counts_until_it_is_resolved_even_above_the_threshold(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    raise_alert(create_vehicle(fleet, "Ada", charge=22))
    assert reasons(browser_of(owner)) == {"Ada": ["Low battery"]}


@pytest.mark.parametrize(
    ("hours", "speed", "expected"),
    [(5, None, {"Ada": ["Unlocked for long"]}), (3, None, {}), (5, 30, {})],
    ids=["forgotten", "being loaded", "moving"],
)
def test_a_vehicle_parked_unlocked_for_hours_needs_attention(
    owner: User,
    fleet: Fleet,
    browser_of: BrowserOf,
    hours: int,
    speed: float | None,
    expected: dict[str, list[str]],
) -> None:
    vehicle = create_vehicle(fleet, "Ada", speed=speed)
    report_signal(vehicle, catalogue.IS_LOCKED, {"value": False}, minutes_ago=hours * 60)
    report_signal(vehicle, catalogue.IS_LOCKED, {"value": False}, minutes_ago=10)
    assert reasons(browser_of(owner)) == expected
    report_signal(vehicle, catalogue.IS_LOCKED, {"value": True})
    assert VehicleSnapshot.objects.get().unlocked_since is None
    assert reasons(browser_of(owner)) == {}


def test_a_vehicle_unlocked_before_its_snapshot_knew_since_when_counts_from_its_next_report(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    vehicle = create_vehicle(fleet, "Ada", locked=False, minutes_ago=600)
    VehicleSnapshot.objects.update(unlocked_since=None)
    report_signal(vehicle, catalogue.IS_LOCKED, {"value": False}, minutes_ago=5)
    since = VehicleSnapshot.objects.get().unlocked_since
    assert since is not None
    assert timezone.now() - since < timedelta(minutes=6)
    assert reasons(browser_of(owner)) == {}


def test_the_badge_leaves_out_what_a_members_preferences_exclude(
    teammate: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    create_vehicle(fleet, "Ada", charge=12)
    create_vehicle(fleet, "Bea", charge=12, state=ConnectionState.REVOKED)
    browser = browser_of(teammate)
    assert badge_for(user=teammate, fleet=fleet).count == 2
    browser.post(f"{PAGE}alerts/settings/", {"in_app": ["connection", "token"]})
    assert badge_for(user=teammate, fleet=fleet).count == 1


def test_without_a_fleet_the_badge_counts_all_fleets_in_which_the_user_sees_vehicles(
    owner: User, outsider: User, fleet: Fleet, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    red = outsider.fleets.get()
    create_vehicle(fleet, "Ada", charge=12)
    create_vehicle(red, "Zoe", charge=12)
    with django_assert_num_queries(1):
        assert badge_for(user=owner, fleet=None).count == 1
    membership = add_member(fleet=red, user=owner, role=Role.VIEWER, actor=None)
    assert badge_for(user=owner, fleet=None).count == 2
    type(membership).objects.filter(pk=membership.pk).update(role=Role.DRIVER)
    assert badge_for(user=owner, fleet=None).count == 1
    assert badge_for(user=owner, fleet=fleet).count == 1


def test_a_vehicle_that_left_the_fleet_needs_no_attention(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    raise_alert(vehicle)
    assert reasons(browser_of(owner)) == {}
