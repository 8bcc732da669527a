"""Digests of new alerts: grouped, one per member, only what the member may see, nothing private in them."""

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.core import mail as mailbox
from django.core.mail import EmailMessage
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Fleet, Role, User
from accounts.services import add_member
from alerts import emails, retention, services, tasks
from alerts.emails import DIGEST, DIGEST_DELAY, MIN_INTERVAL
from alerts.models import Alert, NotificationPreference
from alerts.types import AlertType
from core.mail.models import EmailError, EmailState, OutgoingEmail
from core.mail.sender import send
from core.mail.services import due_emails
from tests.alerts.helpers import NOW, raise_alert
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
DIGEST_DUE = NOW + DIGEST_DELAY


@pytest.fixture(autouse=True)
def enable_email(settings: Settings) -> None:
    settings.EMAIL_ENABLED = True


def send_digests(at: datetime = DIGEST_DUE) -> list[EmailMessage]:
    """Builds and sends digests as the tasks do at that time; returns what was sent."""
    before = len(mailbox.outbox)
    emails.build_digests(now=at)
    for email_id in due_emails(now=at):
        send(email_id=email_id, now=at)
    return mailbox.outbox[before:]


def raise_alerts(fleet: Fleet, count: int) -> list[Alert]:
    vehicles = [
        Vehicle.objects.create(fleet=fleet, smartcar_id=f"c{n}", name=f"Car {n}") for n in range(count)
    ]
    return [raise_alert(vehicle) for vehicle in vehicles]


def test_new_alerts_are_collected_into_one_email_per_member(
    fleet: Fleet, owner: User, teammate: User, viewer: User, driver: User, outsider: User
) -> None:
    raise_alerts(fleet, 3)
    assert send_digests(NOW + timedelta(seconds=30)) == []
    sent = send_digests()
    assert sorted(each.to[0] for each in sent) == sorted([owner.email, teammate.email])
    assert {each.subject for each in sent} == {"3 new alerts (Blue Fleet)"}
    assert sent[0].body.count("The state of charge fell to") == 3


def test_the_same_alert_is_never_emailed_twice(vehicle: Vehicle, owner: User) -> None:
    raise_alert(vehicle)
    assert len(send_digests()) == 1
    for minutes in (1, 20, 60, 24 * 60):
        raise_alert(vehicle, at=DIGEST_DUE + timedelta(minutes=minutes))
        assert send_digests(DIGEST_DUE + timedelta(minutes=minutes)) == []


def test_a_flapping_alert_is_emailed_once_and_a_later_one_again(vehicle: Vehicle, owner: User) -> None:
    raise_alert(vehicle)
    assert len(send_digests()) == 1
    for minutes in (10, 40, 90):
        services.resolve(
            kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=NOW + timedelta(minutes=minutes)
        )
        raise_alert(vehicle, at=NOW + timedelta(minutes=minutes + 5))
        assert send_digests(NOW + timedelta(minutes=minutes + 20)) == []
    services.resolve(kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=NOW + timedelta(hours=5))
    raise_alert(vehicle, at=NOW + timedelta(hours=9))
    assert len(send_digests(NOW + timedelta(hours=9) + DIGEST_DELAY)) == 1


def test_many_alerts_become_one_email_with_a_count(fleet: Fleet, owner: User) -> None:
    raise_alerts(fleet, 40)
    (email,) = send_digests()
    assert email.subject == "40 new alerts (Blue Fleet)"
    assert email.body.count("The state of charge fell to") == emails.MAX_LISTED
    assert "And 20 more on the alerts page" in email.body


def test_emails_of_a_fleet_keep_a_minimum_interval(fleet: Fleet, owner: User) -> None:
    raise_alerts(fleet, 1)
    assert len(send_digests()) == 1
    for name in ("x", "y"):
        raise_alert(Vehicle.objects.create(fleet=fleet, smartcar_id=name, name=name), at=DIGEST_DUE)
    assert send_digests(DIGEST_DUE + DIGEST_DELAY) == []
    (email,) = send_digests(DIGEST_DUE + MIN_INTERVAL)
    assert email.subject == "2 new alerts (Blue Fleet)"


def test_alerts_resolved_or_acknowledged_early_are_not_emailed(vehicle: Vehicle, owner: User) -> None:
    alert = raise_alert(vehicle)
    services.resolve(kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=NOW)
    raise_alert(vehicle, AlertType.CONNECTION)
    services.acknowledge(fleet=vehicle.fleet, kinds=[AlertType.CONNECTION], user=owner, now=NOW)
    assert send_digests() == []
    # An alert that resolved before anyone was notified is still emailed when it reopens.
    raise_alert(vehicle, at=DIGEST_DUE)
    assert len(send_digests(DIGEST_DUE + DIGEST_DELAY)) == 1
    assert OutgoingEmail.objects.get().params == {"alerts": [alert.pk]}


def test_a_digest_without_open_alerts_is_canceled(vehicle: Vehicle, owner: User) -> None:
    raise_alert(vehicle)
    emails.build_digests(now=DIGEST_DUE)
    services.resolve(kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=DIGEST_DUE)
    assert send_digests() == []
    assert OutgoingEmail.objects.get().state == EmailState.CANCELED


@pytest.mark.parametrize("change", ["left", "viewer", "unwanted", "inactive"])
def test_members_without_access_or_interest_get_no_email(
    vehicle: Vehicle, teammate: User, change: str
) -> None:
    raise_alert(vehicle, AlertType.CONNECTION)
    emails.build_digests(now=DIGEST_DUE)
    membership = teammate.memberships.get()
    if change == "left":
        membership.delete()
    elif change == "viewer":
        add_member(fleet=vehicle.fleet, user=teammate, role=Role.VIEWER, actor=None)
    elif change == "unwanted":
        NotificationPreference.objects.create(membership=membership, in_app=["connection"])
    else:
        User.objects.filter(pk=teammate.pk).update(is_active=False)
    assert teammate.email not in [each.to[0] for each in send_digests()]


def test_members_can_disable_emails(vehicle: Vehicle, owner: User) -> None:
    NotificationPreference.objects.create(
        membership=owner.memberships.get(), in_app=["battery"], by_email=["token"]
    )
    raise_alert(vehicle)
    assert send_digests() == []


def test_viewers_get_only_permitted_alerts_they_selected(vehicle: Vehicle, viewer: User) -> None:
    NotificationPreference.objects.create(
        membership=viewer.memberships.get(), by_email=["battery", "connection"]
    )
    raise_alert(vehicle)
    raise_alert(vehicle, AlertType.CONNECTION)
    (email,) = [each for each in send_digests() if each.to == [viewer.email]]
    assert email.subject == "Low battery: Van 1 (Blue Fleet)"
    assert "Connection lost" not in email.body


def test_without_a_mail_server_no_emails_are_queued(
    vehicle: Vehicle, owner: User, settings: Settings
) -> None:
    settings.EMAIL_ENABLED = False
    raise_alert(vehicle)
    assert send_digests() == []
    settings.EMAIL_ENABLED = True
    assert send_digests() == []


def test_an_email_links_to_the_vehicle_and_contains_no_private_data(vehicle: Vehicle, owner: User) -> None:
    Vehicle.objects.filter(pk=vehicle.pk).update(vin="5YJ3E1EA7KF317000", plate="B-AB 123", driver="Dana")
    raise_alert(vehicle)
    raise_alert(vehicle, AlertType.CONNECTION, subject_id=77)
    raise_alert(vehicle, AlertType.TOKEN, subject_id=5)
    (email,) = send_digests()
    site = "http://"
    assert f"/fleets/blue/vehicles/{vehicle.smartcar_id}/" in email.body
    assert "/fleets/blue/connections/77/" in email.body
    assert "/fleets/blue/connections/1/" in email.body
    assert email.body.count(site) == 5
    assert "/fleets/blue/alerts/settings/" in email.body
    for private in ("5YJ3E1EA7KF317000", "B-AB 123", "Dana", "user-1"):
        assert private not in email.body


def test_emails_are_in_the_members_language(vehicle: Vehicle, owner: User, teammate: User) -> None:
    User.objects.filter(pk=owner.pk).update(language="de")
    User.objects.filter(pk=teammate.pk).update(language="fr")
    raise_alert(vehicle)
    bodies = {each.to[0]: each.body for each in send_digests()}
    assert "Hello" not in bodies[owner.email]
    assert "Guten Tag" in bodies[owner.email]
    assert "Bonjour" in bodies[teammate.email]


def test_a_line_break_in_a_vehicle_name_cannot_inject_a_header(vehicle: Vehicle, owner: User) -> None:
    Vehicle.objects.filter(pk=vehicle.pk).update(name="Van\nBcc: everybody@example.com")
    raise_alert(vehicle)
    (email,) = send_digests()
    assert email.subject == "Low battery: Van Bcc: everybody@example.com (Blue Fleet)"
    assert email.recipients() == [owner.email]


def test_the_task_queues_one_email_per_member(fleet: Fleet, owner: User, teammate: User) -> None:
    raise_alerts(fleet, 2)
    Alert.objects.update(last_raised_at=timezone.now() - DIGEST_DELAY)
    tasks.send_digests()
    tasks.send_digests()
    assert OutgoingEmail.objects.filter(kind=DIGEST).count() == 2


def test_a_digest_that_could_not_be_sent_is_reported_on_the_members_settings_page(
    vehicle: Vehicle, owner: User, client: Client
) -> None:
    raise_alert(vehicle)
    emails.build_digests(now=DIGEST_DUE)
    OutgoingEmail.objects.update(
        state=EmailState.FAILED, error=EmailError.RECIPIENT_REJECTED, finished_at=timezone.now()
    )
    client.force_login(owner)
    page = client.get("/fleets/blue/alerts/settings/").content.decode()
    assert "Email not sent." in page


def test_the_digests_of_a_member_who_left_are_deleted(vehicle: Vehicle, teammate: User) -> None:
    raise_alert(vehicle)
    emails.build_digests(now=DIGEST_DUE)
    teammate.memberships.get().delete()
    assert OutgoingEmail.objects.filter(kind=DIGEST, recipient=teammate.email).count() == 0


def insert_legacy_email(
    fleet: Fleet, user: User, alert: Alert, *, due: bool = True, sent: bool = False
) -> None:
    """A row as version 0.1 wrote it. One that is being sent has a later `next_try_at`."""
    now = timezone.now()
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO alerts_letter (fleet_id, user_id, created_at, next_try_at, attempts, error, sent_at)"
            " VALUES (%s, %s, %s, %s, 0, '', %s) RETURNING id",
            [
                fleet.pk,
                user.pk,
                now,
                now - timedelta(minutes=1) if due else now + timedelta(minutes=5),
                now if sent else None,
            ],
        )
        (pk,) = cursor.fetchone()
        cursor.execute(
            "INSERT INTO alerts_letter_notices (letter_id, notice_id) VALUES (%s, %s)", [pk, alert.pk]
        )


def test_unsent_emails_of_version_0_1_are_migrated_and_sent_once(
    vehicle: Vehicle, owner: User, teammate: User, viewer: User
) -> None:
    alert = raise_alert(vehicle, at=timezone.now())
    insert_legacy_email(vehicle.fleet, owner, alert)
    insert_legacy_email(vehicle.fleet, teammate, alert, due=False)
    insert_legacy_email(vehicle.fleet, viewer, alert, sent=True)
    carry = import_module("alerts.migrations.0002_outgoing_emails").carry
    for _ in range(2):
        with database.cursor() as cursor:
            carry(cursor)
    (email,) = OutgoingEmail.objects.all()
    assert (email.kind, email.params) == (DIGEST, {"alerts": [alert.pk]})
    assert email.message_id.startswith("<notices-")
    send(email_id=email.pk, now=timezone.now())
    assert [sent.to for sent in mailbox.outbox] == [[owner.email]]


def test_users_and_fleets_with_emails_of_version_0_1_can_be_deleted(vehicle: Vehicle, owner: User) -> None:
    insert_legacy_email(vehicle.fleet, owner, raise_alert(vehicle))
    vehicle.fleet.delete()
    owner.delete()


def test_alerts_resolved_over_a_year_ago_are_purged(vehicle: Vehicle, owner: User) -> None:
    old, open_one = raise_alert(vehicle), raise_alert(vehicle, AlertType.CONNECTION)
    send_digests()
    services.resolve(kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=NOW)
    assert retention.purge(now=NOW + timedelta(days=364)) == 0
    assert retention.purge(now=NOW + timedelta(days=366)) == 1
    assert list(Alert.objects.all()) == [open_one]
    assert old.pk != open_one.pk
    tasks.purge_alerts()
    assert Alert.objects.count() == 1
