"""The fleet settings: owners change them, deletion needs confirmation, and the audit log records changes."""

from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, Membership, Role, User
from core import time_zones

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/settings/"
SAME = {
    "name": "Blue Fleet",
    "unit_system": "metric",
    "time_zone": "UTC",
    "raw_retention_months": "24",
    "rollup_retention_months": "60",
}


@pytest.mark.parametrize(
    ("role", "sees", "changes"),
    [
        ("owner", 200, 302),
        ("teammate", 200, 403),
        ("viewer", 403, 403),
        ("driver", 403, 403),
        ("outsider", 404, 404),
    ],
)
def test_managers_see_the_settings_and_owners_change_them(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, role: str, sees: int, changes: int
) -> None:
    browser = browser_of(request.getfixturevalue(role))
    assert browser.get(PAGE).status_code == sees
    assert browser.post(PAGE, SAME | {"name": "Green Fleet"}).status_code == changes
    fleet.refresh_from_db()
    assert fleet.name == ("Green Fleet" if changes == 302 else "Blue Fleet")


def test_anonymous_users_are_redirected_to_sign_in(fleet: Fleet) -> None:
    assert Client().get(PAGE).status_code == 302
    assert Client().get("/new-fleet/").status_code == 302


def test_managers_see_no_form(fleet: Fleet, teammate: User, browser_of: BrowserOf) -> None:
    page = browser_of(teammate).get(PAGE).content.decode()
    assert "Only fleet owners can change these settings." in page
    assert 'name="time_zone"' not in page
    assert "Create fleet" not in page


def test_each_change_is_in_the_audit_log(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    form = SAME | {"name": " Green  Fleet ", "unit_system": "imperial", "time_zone": "berlin"}
    assert "Saved." in browser_of(owner).post(PAGE, form, follow=True).content.decode()
    fleet.refresh_from_db()
    assert (fleet.name, fleet.unit_system, fleet.time_zone) == ("Green Fleet", "imperial", "Europe/Berlin")
    entries = AuditLogEntry.objects.filter(event=AuditEvent.FLEET_SETTINGS_CHANGED).order_by("pk")
    assert [(entry.data, entry.actor) for entry in entries] == [
        ({"field": "name", "from": "Blue Fleet", "to": "Green Fleet"}, owner),
        ({"field": "unit_system", "from": "metric", "to": "imperial"}, owner),
        ({"field": "time_zone", "from": "UTC", "to": "Europe/Berlin"}, owner),
    ]


def test_unchanged_settings_store_nothing(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    page = browser_of(owner).post(PAGE, SAME, follow=True).content.decode()
    assert "Nothing was changed." in page
    assert not AuditLogEntry.objects.filter(event=AuditEvent.FLEET_SETTINGS_CHANGED).exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": " "}, "This field is required"),
        ({"time_zone": "Atlantis"}, "“Atlantis” isn&#x27;t a valid time zone"),
        ({"unit_system": "furlongs"}, "furlongs"),
        ({"raw_retention_months": "0"}, "greater than or equal to 1"),
        ({"rollup_retention_months": "121"}, "less than or equal to 120"),
        ({"rollup_retention_months": "23"}, "Enter 24 or more"),
    ],
)
def test_invalid_input_shows_the_error_and_preserves_the_form(
    fleet: Fleet, owner: User, browser_of: BrowserOf, wrong: dict[str, str], message: str
) -> None:
    answer = browser_of(owner).post(PAGE, {**SAME, "name": "Green", **wrong})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert message in page
    for name, value in wrong.items():
        assert name == "unit_system" or f'value="{value}"' in page
    fleet.refresh_from_db()
    assert fleet.name == "Blue Fleet"


@time_machine.travel("2026-11-28 12:00Z", tick=False)
def test_a_shorter_retention_needs_confirmation(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    shorter = SAME | {"raw_retention_months": "6", "rollup_retention_months": "12"}
    answer = browser.post(PAGE, shorter)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "Raw readings from before 1 May 2026 will be deleted" in page
    assert "Summaries from before 1 November 2025 will be deleted" in page
    fleet.refresh_from_db()
    assert fleet.raw_retention_months == 24
    assert browser.post(PAGE, shorter | {"confirmed": "on"}).status_code == 302
    fleet.refresh_from_db()
    assert (fleet.raw_retention_months, fleet.rollup_retention_months) == (6, 12)


def test_a_longer_retention_needs_no_confirmation(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    longer = SAME | {"raw_retention_months": "36", "rollup_retention_months": "120"}
    assert browser_of(owner).post(PAGE, longer).status_code == 302


# -- Time zones --------------------------------------------------------------------------------------------------------


@given(st.sampled_from(time_zones.names()))
def test_every_offered_time_zone_is_accepted_in_any_spelling(name: str) -> None:
    assert time_zones.parse_time_zone(name) == name
    assert time_zones.parse_time_zone(f" {name.upper().replace('_', ' ')} ") == name


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("US/Pacific", "US/Pacific"),
        ("utc", "UTC"),
        ("", None),
        ("Europe", None),
        ("../../etc/passwd", None),
    ],
)
def test_time_zones_are_parsed(typed: str, expected: str | None) -> None:
    assert time_zones.parse_time_zone(typed) == expected


def test_the_list_shows_the_time_in_each_zone() -> None:
    offered = {zone.name: zone.now for zone in time_zones.zones(now=timezone.now())}
    assert {"UTC", "Europe/Berlin", "America/Los_Angeles"} <= set(offered) <= available_timezones()
    assert offered["Asia/Kolkata"].strftime("%z") == "+0530"


# -- Another fleet -----------------------------------------------------------------------------------------------------

NEW = {"name": "Night Vans", "unit_system": "imperial", "time_zone": "America/Los_Angeles"}


def staff(email: str = "staff@site.example") -> User:
    return User.objects.create_user(email, is_staff=True)


@pytest.mark.parametrize(
    ("role", "status"),
    [("owner", 200), ("teammate", 403), ("viewer", 403), ("driver", 403), ("outsider", 200)],
)
def test_owners_can_create_another_fleet(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, role: str, status: int
) -> None:
    browser = browser_of(request.getfixturevalue(role))
    assert browser.get("/new-fleet/").status_code == status
    answer: Any = browser.post("/new-fleet/", NEW)
    assert answer.status_code == (302 if status == 200 else 403)
    assert Fleet.objects.filter(name="Night Vans").exists() == (status == 200)


def test_a_new_fleet_has_its_settings_and_its_creator_as_owner(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    answer = browser_of(owner).post("/new-fleet/", NEW, follow=True)
    created = Fleet.objects.get(slug="night-vans")
    assert answer.redirect_chain[-1][0] == "/fleets/night-vans/"
    assert "created. You" in answer.content.decode()
    assert (created.unit_system, created.time_zone) == ("imperial", "America/Los_Angeles")
    assert Membership.objects.get(fleet=created).role == Role.OWNER


def test_fleets_with_the_same_name_get_different_addresses(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    for name in ("Night Vans", "Night vans!", "夜"):
        browser.post("/new-fleet/", NEW | {"name": name})
    created = Fleet.objects.exclude(pk=fleet.pk).order_by("pk")
    assert [each.slug for each in created] == ["night-vans", "night-vans-2", "fleet"]


def test_without_a_fleet_only_staff_can_create_one(db: None, browser_of: BrowserOf) -> None:
    user = User.objects.create_user("nobody@site.example")
    assert "Create fleet" not in browser_of(user).get("/").content.decode()
    assert browser_of(user).post("/new-fleet/", NEW).status_code == 403
    browser = browser_of(staff())
    assert "Create fleet" in browser.get("/").content.decode()
    assert browser.post("/new-fleet/", NEW).status_code == 302


def test_an_invalid_new_fleet_preserves_the_form(owner: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    answer = browser_of(owner).post("/new-fleet/", NEW | {"time_zone": "Nowhere"})
    assert answer.status_code == 400
    assert 'value="Night Vans"' in answer.content.decode()
    assert Fleet.objects.count() == 1
