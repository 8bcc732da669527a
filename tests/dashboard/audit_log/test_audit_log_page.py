"""The audit log page and its CSV: who may see them, filters, wording."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import AuditLogEntry, Fleet, User
from dashboard.audit_log.wording import entry_details, event_label
from vehicles.models import Vehicle

BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/audit-log/"


def log(fleet: Fleet, event: AuditEvent, actor: User | None = None, **more: object) -> AuditLogEntry:
    about = more.pop("about", None)
    return log_event(fleet=fleet, actor=actor, event=event, about=about, data=more)  # type: ignore[arg-type]


def rows_of(answer: object) -> list[dict[str, str]]:
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    return list(csv.DictReader(lines))


@pytest.mark.parametrize("path", ["", "csv/"])
@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_owners_and_managers_see_the_log(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, path: str, person: str, status: int
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.get(f"{PAGE}{path}").status_code == status


@pytest.mark.parametrize("path", ["", "csv/"])
def test_anonymous_users_are_redirected_to_sign_in(fleet: Fleet, path: str) -> None:
    assert Client().get(f"{PAGE}{path}").status_code == 302


def test_another_fleets_entries_are_not_shown(
    fleet: Fleet, outsider: User, owner: User, browser_of: BrowserOf
) -> None:
    theirs = outsider.fleets.get()
    log(theirs, AuditEvent.PLACE_CREATED, outsider, name="Secret depot")
    assert "Secret depot" not in browser_of(owner).get(PAGE).content.decode()
    assert all(row["person"] != outsider.email for row in rows_of(browser_of(owner).get(f"{PAGE}csv/")))


def test_the_log_is_filtered_by_user_event_vehicle_and_day(
    fleet: Fleet, vehicle: Vehicle, owner: User, teammate: User, browser_of: BrowserOf
) -> None:
    AuditLogEntry.objects.all().delete()
    about = (AuditObject.VEHICLE, vehicle.smartcar_id)
    old = log(fleet, AuditEvent.VEHICLE_VIN_VIEWED, teammate, about=about)
    AuditLogEntry.objects.filter(pk=old.pk).update(at=datetime(2026, 3, 31, 23, 30, tzinfo=UTC))
    log(fleet, AuditEvent.VEHICLE_DETAILS_CHANGED, owner, about=about, fields=["name"])
    log(fleet, AuditEvent.PLACE_CREATED, owner, name="Depot")
    browser = browser_of(owner)

    def events(query: str) -> list[str]:
        return [row["event"] for row in rows_of(browser.get(f"{PAGE}csv/?{query}"))]

    assert events("") == ["Place created", "Vehicle details changed", "VIN viewed"]
    assert events(f"person={teammate.pk}") == ["VIN viewed"]
    assert events("event=place.created") == ["Place created"]
    assert events(f"vehicle={vehicle.smartcar_id}") == ["Vehicle details changed", "VIN viewed"]
    assert events("from=2026-03-31&to=2026-03-31") == ["VIN viewed"]
    # Days are the fleet's: 23:30 UTC is 1:30 of the next day in Berlin.
    fleet.time_zone = "Europe/Berlin"
    fleet.save()
    assert events("from=2026-03-31&to=2026-03-31") == []
    assert events("to=2026-04-01") == ["VIN viewed"]


@pytest.mark.parametrize(
    "query",
    [
        "person=x",
        "person=99999999999999",
        "event=no",
        "from=2026-02-31",
        "to=0001-01-01",
        "page=x",
        "vehicle=%00",
    ],
)
def test_an_invalid_filter_is_ignored(fleet: Fleet, owner: User, browser_of: BrowserOf, query: str) -> None:
    assert browser_of(owner).get(f"{PAGE}?{query}").status_code == 200
    assert browser_of(owner).get(f"{PAGE}csv/?{query}").status_code == 200


def test_an_entry_shows_user_event_object_and_details(
    fleet: Fleet, vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    about = (AuditObject.VEHICLE, vehicle.smartcar_id)
    log(fleet, AuditEvent.COMMAND_REQUESTED, owner, about=about, command="lock", command_id=1)
    log(fleet, AuditEvent.DRIVER_LOCATION_HIDDEN, None, about=about, by_driver=True)
    text = browser_of(owner).get(PAGE).content.decode()
    for part in ("Command requested", "Lock", "Van 1", owner.email, "Location hidden", "By the driver"):
        assert part in text


def test_details_show_the_setting_with_its_old_and_new_value(fleet: Fleet) -> None:
    data = {"to": "imperial", "from": "metric", "field": "unit_system"}
    entry = AuditLogEntry(fleet=fleet, event=AuditEvent.FLEET_SETTINGS_CHANGED, data=data)
    assert entry_details(entry) == ["Units", "Previous: Metric", "New: Imperial"]


def test_a_name_that_looks_like_a_formula_is_escaped_in_the_file(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    log(fleet, AuditEvent.OTHER, owner, text="=HYPERLINK(1)")
    row = rows_of(browser_of(owner).get(f"{PAGE}csv/?event=other"))[0]
    assert row["details"] == "'=HYPERLINK(1)"


def test_the_file_for_excel_begins_with_a_byte_order_mark(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    log(fleet, AuditEvent.OTHER, owner, text="=HYPERLINK(1)")
    text = b"".join(browser_of(owner).get(f"{PAGE}csv/?event=other&format=excel")).decode()
    assert text.startswith("\ufefftime,person,")
    assert "'=HYPERLINK(1)" in text


def test_times_in_the_file_are_in_the_fleets_zone(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    fleet.time_zone = "Asia/Kolkata"
    fleet.save()
    at = datetime.fromisoformat(rows_of(browser_of(owner).get(f"{PAGE}csv/"))[0]["time"])
    assert at.utcoffset() == timedelta(hours=5, minutes=30)
    assert abs(timezone.now() - at) < timedelta(minutes=1)


def test_the_number_of_queries_does_not_grow(
    fleet: Fleet, owner: User, browser_of: BrowserOf, django_assert_max_num_queries: object
) -> None:
    for number in range(60):
        log(fleet, AuditEvent.PLACE_CREATED, owner, name=f"Place {number}")
    browser = browser_of(owner)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        browser.get(PAGE)


@pytest.mark.parametrize("language", ["de", "fr"])
def test_every_event_is_translated(language: str) -> None:
    with translation.override("en"):
        english = {event: str(event.label) for event in AuditEvent}
    with translation.override(language):
        same = [event for event in AuditEvent if str(event.label) == english[event]]
    assert same == []


def test_an_event_of_a_newer_version_shows_its_code(fleet: Fleet) -> None:
    entry = AuditLogEntry(fleet=fleet, event="trip.sealed", data={"unknown": 1})
    assert event_label(entry) == "trip.sealed"
    assert entry_details(entry) == []
