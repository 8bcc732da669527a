"""The driver portal: what is shared, location pause, working hours and withdrawal, on both API versions."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, SmartcarApiVersion, User
from connect.driver_portal import privacy, services
from connect.models import (
    Connection,
    ConnectionState,
    DriverPortal,
    LocationPause,
    OffboardingRequest,
    TrackingSchedule,
)
from connect.offboarding.models import ErasureScope
from tests.connect.invited import invited
from tests.outgoing import pending
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
PLACE = catalogue.PRECISE_LOCATION.code


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version=SmartcarApiVersion.V3,
        mode="live",
        scopes=["read_location", "read_battery"],
    )


@pytest.fixture
def page(connection: Connection, owner: User) -> DriverPortal:
    return services.portal_after_authorization(
        invitation=invited(fleet=connection.fleet, user=owner), smartcar_user_id="user-1"
    )


def post_action(page: DriverPortal, connection: Connection, action: str, **values: str) -> int:
    return Client().post(f"{page.path}{connection.pk}/{action}/", values).status_code


def shown(page: DriverPortal) -> str:
    return Client().get(page.path).content.decode()


def create_location(vehicle: Vehicle) -> LatestSignal:
    return LatestSignal.objects.create(
        vehicle=vehicle,
        code=PLACE,
        body={"latitude": 1.0, "longitude": 2.0},
        status="SUCCESS",
        observed_at=timezone.now(),
        reported_at=timezone.now(),
    )


def count_locations(vehicle: Vehicle) -> int:
    return LatestSignal.objects.filter(vehicle=vehicle, code=PLACE).count()


# The link


def test_portal_opens_without_an_account_and_shows_what_is_shared_with_whom(
    page: DriverPortal, connection: Connection
) -> None:
    text = shown(page)
    assert "Sharing with Blue Fleet" in text
    assert "Tesla Model 3 2022" in text
    assert "Van 1" not in text
    assert "Battery level and range" in text
    assert "Lock and unlock" not in text


def test_does_not_show_vehicles_of_other_drivers(page: DriverPortal, connection: Connection) -> None:
    other = Vehicle.objects.create(fleet=connection.fleet, smartcar_id="other", name="Their van")
    other_connection = Connection.objects.create(
        fleet=connection.fleet, vehicle=other, smartcar_user_id="user-2", api_version="v3", mode="live"
    )
    assert "Their van" not in shown(page)
    assert post_action(page, other_connection, "withdraw") == 404
    assert post_action(page, other_connection, "pause", lasts="open") == 404
    assert not LocationPause.objects.exists()


def test_does_not_show_vehicles_of_the_same_driver_in_another_fleet(
    page: DriverPortal, connection: Connection, outsider: User
) -> None:
    red = Fleet.objects.get(slug="red")
    vehicle = Vehicle.objects.create(fleet=red, smartcar_id="red-car", name="Red van")
    other = Connection.objects.create(
        fleet=red, vehicle=vehicle, smartcar_user_id="user-1", api_version="v3", mode="live"
    )
    assert "Red van" not in shown(page)
    assert post_action(page, other, "withdraw") == 404


def test_forged_link_opens_nothing(page: DriverPortal) -> None:
    assert Client().get(f"/connect/driver/{'0' * 64}/").status_code == 404
    assert page.secret not in str(DriverPortal.objects.values())


def test_invitation_link_does_not_open_the_portal(page: DriverPortal) -> None:
    assert Client().get(f"/connect/invitation/{page.secret}/").status_code == 404


def test_closed_link_opens_nothing_and_a_new_invitation_creates_a_new_one(
    page: DriverPortal, connection: Connection, owner: User
) -> None:
    assert Client().post(f"{page.path}close/").status_code == 200
    assert Client().get(page.path).status_code == 404
    assert post_action(page, connection, "pause", lasts="open") == 404
    invitation = invited(fleet=connection.fleet, user=owner)
    again = services.portal_after_authorization(invitation=invitation, smartcar_user_id="user-1")
    assert again.secret != page.secret
    assert Client().get(again.path).status_code == 200


def test_connecting_again_retains_the_link(page: DriverPortal, connection: Connection, owner: User) -> None:
    invitation = invited(fleet=connection.fleet, user=owner)
    assert (
        services.portal_after_authorization(invitation=invitation, smartcar_user_id="user-1").path
        == page.path
    )


@pytest.mark.parametrize("offered", [True, False])
@pytest.mark.django_db(transaction=True)
def test_portal_link_is_emailed_if_the_invitation_was(
    connection: Connection,
    owner: User,
    settings: Settings,
    run_enqueued: Callable[[], list[str]],
    offered: bool,
) -> None:
    settings.EMAIL_ENABLED = offered
    invitation = invited(
        fleet=connection.fleet,
        user=owner,
        by_email=True,
        driver_email="dana@home.example",
        used_at=timezone.now(),
    )
    page = services.portal_after_authorization(invitation=invitation, smartcar_user_id="user-1")
    run_enqueued()
    assert [page.url in email.body for email in mail.outbox] == ([True] if offered else [])
    assert pending() == 0


# Hiding the location


@pytest.mark.parametrize(("lasts", "hours"), [("hour", 1), ("day", 24), ("open", None)])
def test_pause_deletes_the_last_location_and_lasts_as_long_as_selected(
    page: DriverPortal, connection: Connection, lasts: str, hours: int | None
) -> None:
    create_location(connection.vehicle)
    assert post_action(page, connection, "pause", lasts=lasts) == 302
    pause = LocationPause.objects.get()
    assert pause.ends_at == (pause.began_at + timedelta(hours=hours) if hours else None)
    assert count_locations(connection.vehicle) == 0
    assert "Hidden until" in shown(page)
    assert AuditLogEntry.objects.filter(event=AuditEvent.DRIVER_LOCATION_HIDDEN, actor=None).count() == 1


def test_ended_pause_is_still_applied_to_late_locations(page: DriverPortal, connection: Connection) -> None:
    post_action(page, connection, "pause", lasts="open")
    post_action(page, connection, "resume")
    pause = LocationPause.objects.get()
    assert pause.ends_at is not None
    now = timezone.now()
    rules = privacy.privacy_for_vehicle(vehicle_ids=[connection.vehicle_id], now=now)
    assert rules.is_hidden(connection.vehicle_id, at=pause.began_at)
    assert not rules.is_hidden(connection.vehicle_id, at=now)
    assert "Visible to Blue Fleet" in shown(page)


def test_last_location_is_deleted_outside_working_hours(connection: Connection) -> None:
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)
    TrackingSchedule.objects.create(connection=connection, starts=time(8), ends=time(17))
    create_location(connection.vehicle)
    assert privacy.end_expired_pauses(now=saturday - timedelta(days=1)) == 0
    assert privacy.end_expired_pauses(now=saturday) == 1
    assert count_locations(connection.vehicle) == 0


def test_working_hours_can_be_set_and_cleared(page: DriverPortal, connection: Connection) -> None:
    assert post_action(page, connection, "hours", starts="08:00", ends="17:00", weekdays_only="on") == 302
    hours = TrackingSchedule.objects.get()
    assert (hours.starts, hours.ends, hours.weekdays_only) == (time(8), time(17), True)
    assert "08:00–17:00, Monday to Friday" in shown(page)
    post_action(page, connection, "all-hours")
    assert not TrackingSchedule.objects.exists()


@pytest.mark.parametrize(("starts", "ends"), [("08:00", "08:00"), ("", "17:00"), ("25:00", "17:00")])
def test_invalid_working_hours_are_rejected(
    page: DriverPortal, connection: Connection, starts: str, ends: str
) -> None:
    post_action(page, connection, "hours", starts=starts, ends=ends)
    assert not TrackingSchedule.objects.exists()


@pytest.mark.parametrize(
    ("zone", "moment", "covered"),
    [
        ("UTC", datetime(2026, 11, 20, 8, 0, tzinfo=UTC), True),
        ("UTC", datetime(2026, 11, 20, 17, 0, tzinfo=UTC), False),
        ("UTC", datetime(2026, 11, 21, 9, 0, tzinfo=UTC), False),
        ("Europe/Berlin", datetime(2026, 11, 20, 7, 30, tzinfo=UTC), True),
        ("Europe/Berlin", datetime(2026, 11, 20, 16, 30, tzinfo=UTC), False),
        ("Nowhere/Town", datetime(2026, 11, 20, 16, 30, tzinfo=UTC), True),
    ],
)
def test_working_hours_follow_the_fleets_time_zone(zone: str, moment: datetime, covered: bool) -> None:
    assert TrackingSchedule(starts=time(8), ends=time(17)).cover(moment, time_zone=zone) == covered


@given(st.times(), st.times(), st.datetimes(timezones=st.just(UTC)))
def test_working_hours_and_their_complement_cover_the_whole_day(
    starts: time, ends: time, moment: datetime
) -> None:
    if starts == ends:
        return
    day = TrackingSchedule(starts=starts, ends=ends, weekdays_only=False)
    night = TrackingSchedule(starts=ends, ends=starts, weekdays_only=False)
    assert day.cover(moment, time_zone="UTC") != night.cover(moment, time_zone="UTC")


# Withdrawing (for the effects at Smartcar and in the database, see tests/connect/offboarding)


def test_withdrawing_takes_effect_immediately_whatever_smartcar_answers(
    page: DriverPortal, connection: Connection
) -> None:
    post_action(page, connection, "pause", lasts="open")
    assert post_action(page, connection, "withdraw", extent="nothing") == 302
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == (
        ConnectionState.REMOVED,
        "The driver stopped sharing.",
    )
    assert not LocationPause.objects.filter(ends_at=None).exists()
    assert AuditLogEntry.objects.filter(event=AuditEvent.VEHICLE_DISCONNECTED, actor=None).count() == 1
    assert "Not shared" in shown(page)
    assert post_action(page, connection, "withdraw", extent="nothing") == 404


def test_withdrawing_requires_a_choice_of_what_is_erased(page: DriverPortal, connection: Connection) -> None:
    post_action(page, connection, "withdraw", extent="half")
    connection.refresh_from_db()
    assert connection.state == ConnectionState.PENDING
    assert not OffboardingRequest.objects.exists()


def test_driver_can_request_erasure_later_and_sees_the_receipt(
    page: DriverPortal, connection: Connection, outsider: User
) -> None:
    post_action(page, connection, "withdraw", extent="nothing")
    assert post_action(page, connection, "erase", extent="everything") == 302
    offboarding = OffboardingRequest.objects.get(extent="everything")
    assert offboarding.by_driver
    receipt = Client().get(f"{page.path}receipts/{offboarding.pk}/")
    assert "left the fleet" in receipt.content.decode()
    fragment = f"{page.path}receipts/{offboarding.pk}/progress/"
    version = receipt.context["receipt"].version
    assert Client().get(fragment).status_code == 200
    assert Client().get(f"{fragment}?version={version}").status_code == 204


def test_receipt_of_another_driver_is_not_found(
    page: DriverPortal, connection: Connection, owner: User
) -> None:
    other = Vehicle.objects.create(fleet=connection.fleet, smartcar_id="other")
    other_connection = Connection.objects.create(
        fleet=connection.fleet, vehicle=other, smartcar_user_id="user-2", api_version="v3", mode="live"
    )
    offboarding = services.withdraw(connection=other_connection, extent=ErasureScope.PLACES)
    assert Client().get(f"{page.path}receipts/{offboarding.pk}/").status_code == 404
    assert post_action(page, other_connection, "erase", extent="everything") == 404


# The manager's list of portals


def test_only_owner_and_manager_see_the_portals(
    page: DriverPortal,
    browser_of: Callable[[User], Client],
    owner: User,
    teammate: User,
    viewer: User,
    driver: User,
    outsider: User,
) -> None:
    statuses = {}
    for person in (owner, teammate, viewer, driver, outsider):
        browser = browser_of(person)
        statuses[person.email.split("@")[0]] = [
            browser.get("/fleets/blue/drivers/").status_code,
            browser.post(f"/fleets/blue/drivers/{page.pk + 999}/close/").status_code,
            browser.post(f"/fleets/blue/drivers/{page.pk + 999}/renew/").status_code,
        ]
    assert statuses == {
        "owner": [200, 404, 404],
        "manager": [200, 404, 404],
        "viewer": [403] * 3,
        "driver": [403] * 3,
        "outsider": [404] * 3,
    }
    assert page.secret not in browser_of(owner).get("/fleets/blue/drivers/").content.decode()


def test_manager_closes_a_portal_and_creates_a_new_link(
    page: DriverPortal, browser_of: Callable[[User], Client], owner: User
) -> None:
    browser = browser_of(owner)
    answer = browser.post(f"/fleets/blue/drivers/{page.pk}/renew/", follow=True)
    again = DriverPortal.objects.get(revoked_at=None)
    assert again.url in answer.content.decode()
    assert again.url not in browser.get("/fleets/blue/drivers/").content.decode()
    assert Client().get(page.path).status_code == 404
    assert Client().get(again.path).status_code == 200
    browser.post(f"/fleets/blue/drivers/{again.pk}/close/")
    assert Client().get(again.path).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_renewed_link_goes_to_the_drivers_address_alone(
    connection: Connection,
    browser_of: Callable[[User], Client],
    owner: User,
    settings: Settings,
    run_enqueued: Callable[[], list[str]],
) -> None:
    settings.EMAIL_ENABLED = True
    invitation = invited(fleet=connection.fleet, user=owner, driver_email="dana@home.example")
    page = services.portal_after_authorization(invitation=invitation, smartcar_user_id="user-1")
    answer = browser_of(owner).post(f"/fleets/blue/drivers/{page.pk}/renew/", follow=True).content.decode()
    renewed = DriverPortal.objects.get(revoked_at=None)
    assert "dana@home.example" in answer
    assert renewed.url not in answer
    assert renewed.path not in answer
    run_enqueued()
    (email,) = mail.outbox
    assert email.to == ["dana@home.example"]
    assert renewed.url in email.body
    assert "Your old link no longer works." in email.body
    entry = AuditLogEntry.objects.get(event=AuditEvent.DRIVER_PORTAL_RENEWED)
    assert (entry.actor, entry.object_id) == (owner, str(renewed.pk))
    assert entry.data == {"name": renewed.driver_name, "by_email": True}


def test_renewed_link_without_an_address_is_shown_once(
    page: DriverPortal, browser_of: Callable[[User], Client], owner: User, mails: None
) -> None:
    browser = browser_of(owner)
    DriverPortal.objects.update(driver_email="")
    answer = browser.post(f"/fleets/blue/drivers/{page.pk}/renew/", follow=True)
    renewed = DriverPortal.objects.get(revoked_at=None)
    assert renewed.url in answer.content.decode()
    assert AuditLogEntry.objects.get(event=AuditEvent.DRIVER_PORTAL_RENEWED).data["by_email"] is False


def test_portal_of_another_fleet_cannot_be_closed(
    page: DriverPortal, browser_of: Callable[[User], Client], outsider: User
) -> None:
    assert browser_of(outsider).post(f"/fleets/red/drivers/{page.pk}/close/").status_code == 404
    page.refresh_from_db()
    assert page.revoked_at is None


def test_fleet_cannot_move_working_hours_by_its_time_zone(page: DriverPortal, connection: Connection) -> None:
    Fleet.objects.update(time_zone="Europe/Berlin")
    connection.fleet.refresh_from_db()
    hours: dict[str, Any] = {"starts": time(8), "ends": time(17), "weekdays_only": False}
    privacy.set_hours(connection=connection, now=timezone.now(), **hours)
    Fleet.objects.update(time_zone="America/Los_Angeles")
    evening = datetime(2026, 7, 1, 20, tzinfo=UTC)
    rules = privacy.privacy_for_vehicle(vehicle_ids=[connection.vehicle_id], now=evening)
    assert rules.is_hidden(connection.vehicle_id, at=evening)
    assert "Europe/Berlin" in shown(page)
