"""Automatic requests and reminders: when, to whom, how often, and never twice or at night."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core import mail
from django.db import connections as databases
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Fleet, User
from connect.models import (
    Connection,
    ConnectionState,
    DriverPortal,
    DriverReminder,
    Invitation,
    ReminderSettings,
)
from connect.reminders import services
from connect.reminders.rules import INTERVAL, MAX_REMINDERS
from core.mail.models import OutgoingEmail
from tests.connect.invited import invited
from tests.connect.test_bulk_requests import portal, shared
from tests.outgoing import send_pending

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mails")]
BrowserOf = Callable[[User], Client]
# The open links of these tests must not have expired yet.
NOON = (timezone.now() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def reminding(fleet: Fleet) -> ReminderSettings:
    return ReminderSettings.objects.create(fleet=fleet, enabled=True)


def invitation_at(moment: datetime, fleet: Fleet, user: User, **options: Any) -> Invitation:
    values: dict[str, Any] = {"by_email": True, "driver_email": "ann@drivers.example"} | options
    found = invited(fleet=fleet, user=user, **values)
    Invitation.objects.filter(pk=found.pk).update(created_at=moment, expires_at=moment + timedelta(days=7))
    found.refresh_from_db()
    return found


def troubled(fleet: Fleet, since: datetime, **fields: Any) -> Connection:
    defaults: dict[str, Any] = {"state": ConnectionState.NEEDS_REAUTHENTICATION, "state_since": since}
    return shared(fleet, "ann", **(defaults | fields))


def test_an_unused_link_is_followed_by_three_reminders_and_no_more(
    fleet: Fleet, owner: User, reminding: ReminderSettings
) -> None:
    invitation_at(NOON, fleet, owner)
    sent = [services.remind_drivers(now=NOON + timedelta(hours=6 * step)) for step in range(28)]
    assert sum(sent) == MAX_REMINDERS
    times = list(DriverReminder.objects.order_by("number").values_list("created_at", flat=True))
    assert times == [NOON + INTERVAL * number for number in (1, 2, 3)]
    assert times[-1] < NOON + timedelta(days=7)


def test_nothing_is_sent_in_fleets_that_did_not_choose_it(fleet: Fleet, owner: User) -> None:
    invitation_at(NOON, fleet, owner)
    troubled(fleet, NOON)
    portal(fleet, "ann", "Ann", "ann@drivers.example")
    assert services.remind_drivers(now=NOON + 3 * DAY) == 0
    ReminderSettings.objects.create(fleet=fleet, enabled=False)
    assert services.remind_drivers(now=NOON + 3 * DAY) == 0


@pytest.mark.parametrize("end", ["used_at", "revoked_at"])
def test_a_used_or_revoked_link_is_not_followed_by_reminders(
    fleet: Fleet, owner: User, reminding: ReminderSettings, end: str
) -> None:
    invitation = invitation_at(timezone.now() - 3 * DAY, fleet, owner)
    Invitation.objects.filter(pk=invitation.pk).update(**{end: timezone.now()})
    assert services.remind_drivers(now=timezone.now()) == 0


def test_a_link_shared_by_hand_is_not_followed_by_reminders(
    fleet: Fleet, owner: User, reminding: ReminderSettings
) -> None:
    invitation_at(NOON, fleet, owner, by_email=False)
    assert services.remind_drivers(now=NOON + 3 * DAY) == 0


def test_reminders_wait_for_the_end_of_the_quiet_hours_in_the_local_time_zone(
    fleet: Fleet, owner: User, reminding: ReminderSettings
) -> None:
    Fleet.objects.update(time_zone="America/Phoenix")
    invitation_at(NOON, fleet, owner)
    due = NOON + INTERVAL  # 5 a.m. in Phoenix
    assert services.remind_drivers(now=due) == 0
    assert services.remind_drivers(now=due + timedelta(hours=2, minutes=59)) == 0
    assert services.remind_drivers(now=due + timedelta(hours=3)) == 1


def test_the_time_zone_that_the_driver_chose_takes_precedence(
    fleet: Fleet, owner: User, reminding: ReminderSettings
) -> None:
    portal(fleet, "ann", "Ann", "ann@drivers.example")
    DriverPortal.objects.update(time_zone="America/Phoenix")
    connection = shared(fleet, "ann")
    invitation_at(NOON, fleet, owner, connection=connection, purpose="permissions")
    due = NOON + INTERVAL  # 5 a.m. in Phoenix
    assert services.remind_drivers(now=due) == 0
    assert services.remind_drivers(now=due + timedelta(hours=3)) == 1


@given(moment=st.times(), begins=st.times(), ends=st.times())
def test_the_quiet_hours_and_the_rest_make_up_the_day(moment: time, begins: time, ends: time) -> None:
    local = datetime.combine(NOON.date(), moment)
    quiet = ReminderSettings(quiet_from=begins, quiet_until=ends).is_quiet(local)
    loud = ReminderSettings(quiet_from=ends, quiet_until=begins).is_quiet(local)
    assert quiet != loud or begins == ends


def test_a_connection_that_needs_its_driver_is_asked_for_once(
    fleet: Fleet, reminding: ReminderSettings
) -> None:
    portal(fleet, "ann", "Ann", "ann@drivers.example")
    troubled(fleet, NOON)
    troubled(fleet, NOON)
    assert services.remind_drivers(now=NOON + timedelta(hours=5)) == 0
    Invitation.objects.all().delete()
    now = timezone.now()
    Connection.objects.update(state_since=now - timedelta(hours=7))
    ReminderSettings.objects.update(
        quiet_from=(now + 2 * timedelta(hours=1)).time(), quiet_until=(now + 3 * timedelta(hours=1)).time()
    )
    assert services.remind_drivers(now=now) == 1
    assert services.remind_drivers(now=now) == 0
    invitation = Invitation.objects.get()
    assert (invitation.created_by, invitation.automatic) == (None, True)
    assert (invitation.purpose, invitation.by_email) == ("sign_in", True)
    send_pending()
    assert "sign in again" in mail.outbox[0].subject


@pytest.mark.parametrize("address", ["", None])
def test_a_driver_without_an_address_is_not_asked(
    fleet: Fleet, reminding: ReminderSettings, address: str | None
) -> None:
    if address is not None:
        portal(fleet, "ann", "Ann", address)
    troubled(fleet, NOON)
    assert services.remind_drivers(now=NOON + DAY) == 0


def test_a_connection_that_works_again_ends_the_reminders(
    fleet: Fleet, owner: User, reminding: ReminderSettings
) -> None:
    since = timezone.now() - 3 * DAY
    ReminderSettings.objects.update(quiet_from=time(0), quiet_until=time(0, 0, 1))
    connection = troubled(fleet, since)
    invitation_at(since, fleet, owner, connection=connection, purpose="sign_in")
    Connection.objects.update(state=ConnectionState.ACTIVE)
    assert services.remind_drivers(now=timezone.now()) == 0
    Connection.objects.update(state=ConnectionState.NEEDS_REAUTHENTICATION)
    assert services.remind_drivers(now=timezone.now()) == 1


@pytest.mark.parametrize(
    ("language", "subject"), [("", "Reminder: "), ("de", "Erinnerung: "), ("fr", "Rappel : ")]
)
def test_a_reminder_is_in_the_drivers_language_and_says_that_it_ends(
    fleet: Fleet, owner: User, reminding: ReminderSettings, language: str, subject: str
) -> None:
    ReminderSettings.objects.update(quiet_from=time(0), quiet_until=time(0, 0, 1))
    invitation = invitation_at(timezone.now() - 3 * DAY, fleet, owner, language=language)
    OutgoingEmail.objects.all().delete()
    assert services.remind_drivers(now=timezone.now()) == 1
    send_pending()
    (sent,) = mail.outbox
    assert sent.subject.startswith(subject)
    assert invitation.url in sent.body
    if not language:
        assert "reminder 1 of at most 3" in sent.body


def test_a_reminder_names_the_time_zone_and_who_asks(
    fleet: Fleet, owner: User, reminding: ReminderSettings
) -> None:
    Fleet.objects.update(
        time_zone="Asia/Tokyo", legal_name="Blue Fleet KK", contact_email="privacy@blue.example"
    )
    fleet.refresh_from_db()
    ReminderSettings.objects.update(quiet_from=time(0), quiet_until=time(0, 0, 1))
    invitation_at(timezone.now() - 3 * DAY, fleet, owner)
    OutgoingEmail.objects.all().delete()
    assert services.remind_drivers(now=timezone.now()) == 1
    send_pending()
    (sent,) = mail.outbox
    assert "JST" in sent.body
    assert "UTC" not in sent.body
    assert "Blue Fleet KK" in sent.body
    assert sent.reply_to == ["privacy@blue.example"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one_email(fleet: Fleet, owner: User) -> None:
    ReminderSettings.objects.create(fleet=fleet, enabled=True, quiet_from=time(0), quiet_until=time(0, 0, 1))
    now = timezone.now()
    portal(fleet, "ann", "Ann", "ann@drivers.example")
    troubled(fleet, now - DAY)
    invitation_at(now - 3 * DAY, fleet, owner, driver_email="bob@drivers.example")
    OutgoingEmail.objects.all().delete()
    start = Barrier(4)

    def work() -> None:
        start.wait()
        services.remind_drivers(now=now)
        databases.close_all()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    recipients = sorted(OutgoingEmail.objects.values_list("recipient", flat=True))
    assert recipients == ["ann@drivers.example", "bob@drivers.example"]


@pytest.mark.parametrize(
    ("person", "status"), [("owner", 302), ("teammate", 403), ("viewer", 403), ("outsider", 404)]
)
def test_only_owners_change_the_settings(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    data = {"enabled": "on", "quiet_from": "21:30", "quiet_until": "07:00"}
    browser = browser_of(request.getfixturevalue(person))
    assert browser.post("/fleets/blue/connections/requests/reminders/", data).status_code == status
    found = ReminderSettings.objects.filter(fleet=fleet, enabled=True, quiet_from=time(21, 30))
    assert found.exists() == (status == 302)


def test_equal_times_are_refused(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    data = {"enabled": "on", "quiet_from": "08:00", "quiet_until": "08:00"}
    page = browser_of(owner).post("/fleets/blue/connections/requests/reminders/", data, follow=True)
    assert "two different times" in page.content.decode()
    assert not ReminderSettings.objects.exists()
