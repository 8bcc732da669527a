"""The usage page: permissions to see and change it, and its content."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, User
from connect.models import Connection
from connect.usage import quota
from connect.usage.models import FleetAllowance, VehicleUsage
from connect.v2 import user_tokens
from smartcar_api import TokenPair
from smartcar_api.ratelimit.priority import CallPurpose
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
URL = "/fleets/blue/usage/"


def record_usage(vehicle: Vehicle, **calls: int) -> None:
    month = quota.billing_month(timezone.now())
    for purpose, number in calls.items():
        VehicleUsage.objects.create(vehicle=vehicle, month=month, purpose=purpose, calls=number)


def create_vehicle(fleet: Fleet, name: str) -> Vehicle:
    return Vehicle.objects.create(fleet=fleet, smartcar_id=f"id-{name}", name=name)


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owner_and_manager_see_the_page(
    who: str, status: int, fleet: Fleet, browser_of: BrowserOf, request: pytest.FixtureRequest
) -> None:
    browser = browser_of(request.getfixturevalue(who))
    assert browser.get(URL).status_code == status
    answer = browser.post(f"{URL}limit/", {"calls": "7"})
    assert answer.status_code == (302 if status == 200 else status)
    assert FleetAllowance.objects.exists() == (status == 200)


def test_anonymous_user_does_not_see_the_page(fleet: Fleet) -> None:
    assert Client().get(URL).status_code == 302


def test_shows_each_vehicle_with_its_calls_and_who_is_near_or_over_the_limit(
    fleet: Fleet, owner: User, outsider: User, browser_of: BrowserOf
) -> None:
    FleetAllowance.objects.create(fleet=fleet, calls=100)
    record_usage(create_vehicle(fleet, "Over"), command=10, person=20, background=90)
    record_usage(create_vehicle(fleet, "Near"), background=85)
    record_usage(create_vehicle(fleet, "Far"), person=3)
    create_vehicle(fleet, "Unused")
    record_usage(create_vehicle(Fleet.objects.get(slug="red"), "Foreign"), person=9)
    page = browser_of(owner).get(URL)
    text = page.content.decode()
    assert [str(row.vehicle) for row in page.context["page"]] == ["Over", "Near", "Far", "Unused"]
    assert page.context["calls"] == 208
    assert "Limit reached: 120 of 100" in text
    assert "Near limit: 85 of 100" in text
    assert "Foreign" not in text


def test_is_sorted_as_requested(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    record_usage(create_vehicle(fleet, "b"), command=1, background=50)
    record_usage(create_vehicle(fleet, "A"), command=9)
    browser = browser_of(owner)
    for order, first in (("vehicle", "A"), ("command", "A"), ("background", "b"), ("nonsense", "b")):
        assert str(browser.get(URL, {"sort": order}).context["page"][0].vehicle) == first


def test_previous_month_can_be_shown(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    vehicle = create_vehicle(fleet, "Van")
    VehicleUsage.objects.create(
        vehicle=vehicle, month=datetime(2026, 1, 1, tzinfo=UTC).date(), purpose="person", calls=4
    )
    browser = browser_of(owner)
    assert browser.get(URL).context["calls"] == 0
    assert browser.get(URL, {"month": "2026-01"}).context["calls"] == 4
    assert browser.get(URL, {"month": "2026-99"}).context["current"]


def test_monthly_limit_is_set_cleared_and_logged(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    browser.post(f"{URL}limit/", {"calls": "250"})
    assert quota.monthly_limit(fleet_id=fleet.pk) == 250
    assert 'value="250"' in browser.get(URL).content.decode()
    browser.post(f"{URL}limit/", {"calls": ""})
    assert not FleetAllowance.objects.exists()
    assert AuditLogEntry.objects.filter(fleet=fleet, event=AuditEvent.USAGE_LIMIT_SET).count() == 2


@pytest.mark.parametrize("calls", ["-1", "many", "1000001", "1.5"])
def test_invalid_limit_changes_nothing_and_is_explained(
    calls: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    answer = browser_of(owner).post(f"{URL}limit/", {"calls": calls})
    assert answer.status_code == 400
    assert (
        "t change the monthly limit. Enter a whole number up to 1,000,000, or leave the field empty"
        in answer.content.decode()
    )
    assert not FleetAllowance.objects.exists()


def test_shows_the_remaining_life_of_this_fleets_tokens(
    fleet: Fleet, owner: User, outsider: User, browser_of: BrowserOf
) -> None:
    assert (
        "No vehicle depends on an expiring token: API v3 uses one token for the whole application, renewed every hour"
        in browser_of(owner).get(URL).content.decode()
    )
    now = timezone.now()
    for owned_by, days in ((fleet, 5.5), (fleet, 40.5), (Fleet.objects.get(slug="red"), 3.5)):
        ends = now + timedelta(days=days)
        pair = TokenPair(access_token="a", refresh_token="r", access_expires_at=now, refresh_expires_at=ends)
        tokens = user_tokens.store(user_id="user", pair=pair)
        Connection.objects.create(
            fleet=owned_by,
            vehicle=create_vehicle(owned_by, f"of {tokens.pk}"),
            smartcar_user_id="user",
            api_version="v2",
            mode="live",
            tokens=tokens,
        )
    page = browser_of(owner).get(URL)
    assert page.context["lifetimes"].pairs == 2
    assert (2, 6, 1) in page.context["lifetimes"].bands
    assert (
        "Check tokens with fewer than 14 days left. When a token expires, its driver must reconnect"
        in page.content.decode()
    )


def test_vehicle_page_shows_its_calls_only_to_owner_and_manager(
    vehicle: Vehicle, owner: User, viewer: User, browser_of: BrowserOf
) -> None:
    record_usage(vehicle, person=12)
    url = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/connection/"
    assert "12 API calls" in browser_of(owner).get(url).content.decode()
    assert "API calls this month" not in browser_of(viewer).get(url).content.decode()


def test_calls_are_added_up_and_ignored_for_a_deleted_vehicle(vehicle: Vehicle) -> None:
    for _ in range(3):
        quota.count_calls(vehicle_id=vehicle.pk, purpose=CallPurpose.COMMAND, calls=2)
    quota.count_calls(vehicle_id=vehicle.pk + 1000, purpose=CallPurpose.COMMAND, calls=1)
    (row,) = VehicleUsage.objects.all()
    assert row.calls == 6


def test_month_changes_at_midnight_utc() -> None:
    new_years_eve = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert quota.next_month(new_years_eve) == datetime(2027, 1, 1, tzinfo=UTC)
    assert quota.billing_month(new_years_eve).isoformat() == "2026-12-01"
