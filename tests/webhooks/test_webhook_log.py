"""The webhook log: a fleet's deliveries for its managers, all deliveries for staff, and none of others."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, SmartcarApiVersion, User
from accounts.services import create_fleet
from connect.models import Connection, ConnectionState
from tests.webhooks.helpers import post, state_of
from vehicles.models import LatestSignal, Vehicle
from webhooks import processing
from webhooks.models import EntryState, InboxEntry, RejectedDeliveryCount
from webhooks.rejections import RejectionReason

BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/webhook-log/"
SITE = "/webhooks/log/"


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin@site.example")


@pytest.fixture
def manager(teammate: User, browser_of: BrowserOf) -> Client:
    return browser_of(teammate)


@pytest.fixture
def connected(connection: Connection) -> Connection:
    """A connection that was made an hour ago."""
    Connection.objects.update(created_at=timezone.now() - timedelta(hours=1))
    connection.refresh_from_db()
    return connection


def create_delivery(vehicle: Vehicle | None = None, **fields: Any) -> InboxEntry:
    about = {
        "received_at": timezone.now(),
        "body": b"{}",
        "state": EntryState.PROCESSED,
        "event_type": "VEHICLE_STATE",
        "smartcar_vehicle_id": vehicle.smartcar_id if vehicle else "",
    }
    return InboxEntry.objects.create(**(about | fields))


def paths(entry: InboxEntry, base: str = PAGE) -> list[str]:
    return [base, f"{base}entries/", f"{base}{entry.pk}/", f"{base}{entry.pk}/outcome/"]


@pytest.mark.parametrize("person", ["owner", "teammate"])
def test_owner_and_manager_see_the_deliveries_of_their_fleet(
    request: pytest.FixtureRequest, person: str, connected: Connection, browser_of: BrowserOf
) -> None:
    entry = create_delivery(connected.vehicle)
    browser = browser_of(request.getfixturevalue(person))
    assert [browser.get(address).status_code for address in paths(entry)] == [200] * 4
    assert "Van 1" in browser.get(PAGE).content.decode()
    assert browser.post(f"{PAGE}{entry.pk}/reprocess/").status_code == 302


@pytest.mark.parametrize(("person", "status"), [("viewer", 403), ("driver", 403), ("outsider", 404)])
def test_others_have_no_access(
    request: pytest.FixtureRequest, person: str, status: int, connected: Connection, browser_of: BrowserOf
) -> None:
    entry = create_delivery(connected.vehicle)
    browser = browser_of(request.getfixturevalue(person))
    assert [browser.get(address).status_code for address in paths(entry)] == [status] * 4
    assert browser.post(f"{PAGE}{entry.pk}/reprocess/").status_code == status
    assert InboxEntry.objects.get().state == EntryState.PROCESSED


def test_anonymous_user_is_redirected_to_sign_in(connected: Connection) -> None:
    for address in paths(create_delivery(connected.vehicle)) + paths(create_delivery(), SITE):
        assert Client().get(address).url.startswith("/accounts/sign-in/")  # type: ignore[attr-defined]


def test_only_staff_see_all_deliveries_of_the_site(
    admin: User, owner: User, connected: Connection, browser_of: BrowserOf
) -> None:
    entry = create_delivery(event_type="NO_CAR")
    assert [browser_of(admin).get(address).status_code for address in paths(entry, SITE)] == [200] * 4
    assert "NO_CAR" in browser_of(admin).get(SITE).content.decode()
    assert [browser_of(owner).get(address).status_code for address in paths(entry, SITE)] == [403] * 4
    assert browser_of(owner).post(f"{SITE}{entry.pk}/reprocess/").status_code == 403


def test_does_not_show_deliveries_of_other_fleets_or_without_a_vehicle(
    manager: Client, connected: Connection, outsider: User
) -> None:
    other = Vehicle.objects.create(fleet=Fleet.objects.get(slug="red"), smartcar_id="red-car")
    for entry in (create_delivery(other, event_type="ODD"), create_delivery(event_type="ODD")):
        assert [manager.get(address).status_code for address in paths(entry)[2:]] == [404, 404]
        assert manager.post(f"{PAGE}{entry.pk}/reprocess/").status_code == 404
    assert "ODD" not in manager.get(PAGE).content.decode()


@pytest.mark.parametrize("ended", [ConnectionState.REMOVED, ConnectionState.REVOKED])
def test_does_not_show_deliveries_from_before_or_after_the_connection(
    manager: Client, connected: Connection, ended: ConnectionState
) -> None:
    now = timezone.now()

    def seen(received_at: datetime) -> bool:
        entry = create_delivery(connected.vehicle, received_at=received_at)
        return bool(manager.get(f"{PAGE}{entry.pk}/").status_code == 200)

    assert not seen(now - timedelta(hours=2))
    assert seen(now - timedelta(minutes=30))
    connected.move_to(ended, now=now - timedelta(minutes=20))
    assert seen(now - timedelta(minutes=30))
    assert not seen(now - timedelta(minutes=10))
    connected.move_to(ConnectionState.ACTIVE, now=now - timedelta(minutes=5))
    assert not seen(now - timedelta(minutes=10))
    assert seen(now)


def test_shows_figures(manager: Client, connected: Connection) -> None:
    now, vehicle = timezone.now(), connected.vehicle
    for number in range(10):
        create_delivery(
            vehicle, received_at=now, processed_at=now + timedelta(seconds=2), event_id=str(number)
        )
    create_delivery(vehicle, state=EntryState.WAITING, attempts=2)
    create_delivery(vehicle, state=EntryState.QUARANTINED)
    create_delivery(vehicle, state=EntryState.DEAD)
    overview = manager.get(PAGE).context["overview"]
    assert overview.per_minute == pytest.approx(13 / 5)
    assert overview.delay == pytest.approx(2)
    counts = (overview.waiting, overview.failing, overview.quarantined, overview.dead)
    assert [str(count) for count in counts] == ["1", "1", "1", "1"]
    assert overview.refused == ()


def test_staff_see_counts_of_rejected_deliveries(admin: User, browser_of: BrowserOf) -> None:
    today = timezone.now().date()
    RejectedDeliveryCount.objects.create(day=today, reason=RejectionReason.UNSIGNED, count=1200)
    RejectedDeliveryCount.objects.create(
        day=today - timedelta(days=8), reason=RejectionReason.TOO_LARGE, count=7
    )
    page = browser_of(admin).get(SITE).content.decode()
    assert "1,200" in page
    assert str(RejectionReason.UNSIGNED.label) in page
    assert str(RejectionReason.TOO_LARGE.label) not in page


def test_counts_are_limited_to_a_thousand(admin: User, browser_of: BrowserOf) -> None:
    dead = {"received_at": timezone.now(), "body": b"", "state": EntryState.DEAD}
    InboxEntry.objects.bulk_create(InboxEntry(**dead) for _ in range(1002))
    assert str(browser_of(admin).get(SITE).context["overview"].dead) == "1,000+"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["TEST", "VEHICLE_ERROR", "VEHICLE_STATE"]),
        ("?state=dead", ["VEHICLE_ERROR"]),
        ("?kind=VEHICLE_STATE", ["VEHICLE_STATE"]),
        ("?kind=other", ["TEST"]),
        ("?period=hour", ["TEST", "VEHICLE_ERROR"]),
        ("?period=day", ["TEST", "VEHICLE_ERROR", "VEHICLE_STATE"]),
        ("?vehicle=unknown", []),
        ("?state=odd&before=zero", ["TEST", "VEHICLE_ERROR", "VEHICLE_STATE"]),
    ],
)
def test_list_can_be_filtered(manager: Client, connected: Connection, query: str, found: list[str]) -> None:
    Connection.objects.update(created_at=timezone.now() - timedelta(days=3))
    vehicle = connected.vehicle
    create_delivery(vehicle, received_at=timezone.now() - timedelta(hours=2))
    create_delivery(vehicle, event_type="VEHICLE_ERROR", state=EntryState.DEAD)
    create_delivery(vehicle, event_type="TEST", state=EntryState.TEST)
    rows = manager.get(PAGE + query).context["page"].rows
    assert [row.entry.event_type for row in rows] == found


def test_older_deliveries_are_on_the_next_page_which_does_not_poll(
    manager: Client, connected: Connection
) -> None:
    for number in range(51):
        create_delivery(connected.vehicle, event_id=str(number))
    first = manager.get(PAGE)
    older = first.context["page"].older
    renews = f'hx-get="{PAGE}entries/'
    assert renews in first.content.decode()
    second = manager.get(PAGE, {"before": older})
    assert [row.entry.event_id for row in second.context["page"].rows] == ["0"]
    assert renews not in second.content.decode()


def test_open_page_is_updated_only_after_a_change(manager: Client, connected: Connection) -> None:
    entry = create_delivery(connected.vehicle, received_at=timezone.now() - timedelta(minutes=30))
    for address, fragment in (
        (PAGE, f"{PAGE}entries/"),
        (f"{PAGE}{entry.pk}/", f"{PAGE}{entry.pk}/outcome/"),
    ):
        version = manager.get(address).context["version"]
        assert manager.get(fragment, {"version": version}).status_code == 204
        InboxEntry.objects.update(state=EntryState.DEAD if address == PAGE else EntryState.QUARANTINED)
        assert manager.get(fragment, {"version": version}).status_code == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "No deliveries yet"),
        ("?state=dead", "t failed for any delivery"),
        (
            "?state=quarantined",
            "No deliveries are quarantined: all had a known event type and were for connected vehicles",
        ),
        ("?period=hour", "No matching deliveries"),
        ("?before=1", "No older entries"),
    ],
)
def test_empty_list_is_explained(manager: Client, connected: Connection, query: str, words: str) -> None:
    assert words in manager.get(PAGE + query).content.decode()


def test_number_of_queries_does_not_grow_with_deliveries(
    manager: Client, connected: Connection, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        create_delivery(connected.vehicle, event_id=str(number))
    with django_assert_max_num_queries(18):
        manager.get(f"{PAGE}entries/")


def test_reprocessing_enqueues_one_task(
    manager: Client,
    connected: Connection,
    run_enqueued: Callable[[], list[str]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    post(state_of(connected.vehicle.smartcar_id, locked=True, at=int(timezone.now().timestamp() * 1000)))
    processing.process_waiting()
    with django_capture_on_commit_callbacks(execute=True):
        manager.post(f"{PAGE}{InboxEntry.objects.get().pk}/reprocess/")
    assert run_enqueued().count("webhooks.tasks.process_inbox") == 1


def test_delivery_can_be_reprocessed(
    manager: Client, teammate: User, connected: Connection, run_enqueued: Callable[[], list[str]]
) -> None:
    at = int(timezone.now().timestamp() * 1000)
    post(state_of(connected.vehicle.smartcar_id, locked=True, at=at))
    processing.process_waiting()
    entry = InboxEntry.objects.get()
    before = list(LatestSignal.objects.values())
    page = manager.post(f"{PAGE}{entry.pk}/reprocess/", follow=True).content.decode()
    assert "Reprocessing requested. Data already recorded won" in page
    processing.process_waiting()
    entry.refresh_from_db()
    assert entry.state == EntryState.PROCESSED
    assert list(LatestSignal.objects.values()) == before
    log_entry = AuditLogEntry.objects.get(event=AuditEvent.DELIVERY_REPROCESSED)
    assert (log_entry.actor, log_entry.object_id) == (teammate, str(entry.pk))


def test_queued_or_unstored_delivery_cannot_be_reprocessed(manager: Client, connected: Connection) -> None:
    waiting = create_delivery(connected.vehicle, state=EntryState.WAITING)
    emptied = create_delivery(connected.vehicle, body=b"")
    for entry, words in ((waiting, "already queued"), (emptied, "t stored")):
        page = manager.post(f"{PAGE}{entry.pk}/reprocess/", follow=True).content.decode()
        assert words in page
    assert not AuditLogEntry.objects.filter(event=AuditEvent.DELIVERY_REPROCESSED).exists()


def test_only_staff_see_the_traceback(
    manager: Client, admin: User, connected: Connection, browser_of: BrowserOf
) -> None:
    entry = create_delivery(connected.vehicle, state=EntryState.DEAD, traceback="File x.py, line 3")
    assert "x.py" not in manager.get(f"{PAGE}{entry.pk}/").content.decode()
    assert "x.py" in browser_of(admin).get(f"{SITE}{entry.pk}/").content.decode()


def test_two_fleets_with_the_same_vehicle_both_see_its_deliveries(
    manager: Client, connected: Connection, owner: User, browser_of: BrowserOf
) -> None:
    green = create_fleet(name="Green", slug="green", owner=owner, api_version=SmartcarApiVersion.V3)
    vehicle = Vehicle.objects.create(
        fleet=green, smartcar_id=connected.vehicle.smartcar_id, name="As Green says"
    )
    Connection.objects.create(
        fleet=green, vehicle=vehicle, smartcar_user_id="u2", api_version=SmartcarApiVersion.V3, mode="live"
    )
    create_delivery(connected.vehicle)
    assert "Van 1" in manager.get(PAGE).content.decode()
    page = browser_of(owner).get("/fleets/green/webhook-log/").content.decode()
    assert "As Green says" in page
    assert "Van 1" not in page
