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
from tests.alerts.helpers import NOW, begin
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
RIPE = NOW + DIGEST_DELAY


@pytest.fixture(autouse=True)
def mail_is_set_up(settings: Settings) -> None:
    settings.EMAIL_ENABLED = True


def post(at: datetime = RIPE) -> list[EmailMessage]:
    """Builds and sends digests as the tasks do at that time; returns what was sent."""
    before = len(mailbox.outbox)
    emails.build_digests(now=at)
    for email_id in due_emails(now=at):
        send(email_id=email_id, now=at)
    return mailbox.outbox[before:]


def several(fleet: Fleet, count: int) -> list[Alert]:
    cars = [Vehicle.objects.create(fleet=fleet, smartcar_id=f"c{n}", name=f"Car {n}") for n in range(count)]
    return [begin(car) for car in cars]


def test_news_waits_for_more_and_comes_in_one_letter_a_member(
    fleet: Fleet, owner: User, teammate: User, viewer: User, driver: User, outsider: User
) -> None:
    several(fleet, 3)
    assert post(NOW + timedelta(seconds=30)) == []
    sent = post()
    assert sorted(each.to[0] for each in sent) == sorted([owner.email, teammate.email])
    assert {each.subject for each in sent} == {"3 new alerts (Blue Fleet)"}
    assert sent[0].body.count("The state of charge fell to") == 3


def test_the_same_news_is_never_mailed_twice(vehicle: Vehicle, owner: User) -> None:
    begin(vehicle)
    assert len(post()) == 1
    for minutes in (1, 20, 60, 24 * 60):
        begin(vehicle, at=RIPE + timedelta(minutes=minutes))
        assert post(RIPE + timedelta(minutes=minutes)) == []


def test_a_car_that_hovers_is_mailed_once_and_one_that_falls_again_later_anew(
    vehicle: Vehicle, owner: User
) -> None:
    begin(vehicle)
    assert len(post()) == 1
    for minutes in (10, 40, 90):
        services.resolve(
            kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=NOW + timedelta(minutes=minutes)
        )
        begin(vehicle, at=NOW + timedelta(minutes=minutes + 5))
        assert post(NOW + timedelta(minutes=minutes + 20)) == []
    services.resolve(kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=NOW + timedelta(hours=5))
    begin(vehicle, at=NOW + timedelta(hours=9))
    assert len(post(NOW + timedelta(hours=9) + DIGEST_DELAY)) == 1


def test_hundreds_at_once_are_one_letter_and_a_count(fleet: Fleet, owner: User) -> None:
    several(fleet, 40)
    (letter,) = post()
    assert letter.subject == "40 new alerts (Blue Fleet)"
    assert letter.body.count("The state of charge fell to") == emails.MAX_LISTED
    assert "And 20 more on the alerts page" in letter.body


def test_letters_of_a_fleet_keep_their_distance(fleet: Fleet, owner: User) -> None:
    several(fleet, 1)
    assert len(post()) == 1
    for name in ("x", "y"):
        begin(Vehicle.objects.create(fleet=fleet, smartcar_id=name, name=name), at=RIPE)
    assert post(RIPE + DIGEST_DELAY) == []
    (letter,) = post(RIPE + MIN_INTERVAL)
    assert letter.subject == "2 new alerts (Blue Fleet)"


def test_what_is_over_or_in_hand_before_it_is_mailed_is_not_mailed(vehicle: Vehicle, owner: User) -> None:
    notice = begin(vehicle)
    services.resolve(kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=NOW)
    begin(vehicle, AlertType.CONNECTION)
    services.acknowledge(fleet=vehicle.fleet, kinds=[AlertType.CONNECTION], user=owner, now=NOW)
    assert post() == []
    # What was over before anybody was told, and comes back, is still news.
    begin(vehicle, at=RIPE)
    assert len(post(RIPE + DIGEST_DELAY)) == 1
    assert OutgoingEmail.objects.get().params == {"alerts": [notice.pk]}


def test_a_letter_of_which_nothing_is_left_is_dropped(vehicle: Vehicle, owner: User) -> None:
    begin(vehicle)
    emails.build_digests(now=RIPE)
    services.resolve(kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=RIPE)
    assert post() == []
    assert OutgoingEmail.objects.get().state == EmailState.CANCELED


@pytest.mark.parametrize("change", ["left", "viewer", "unwanted", "inactive"])
def test_who_may_not_or_would_not_hear_of_it_any_more_gets_no_letter(
    vehicle: Vehicle, teammate: User, change: str
) -> None:
    begin(vehicle, AlertType.CONNECTION)
    emails.build_digests(now=RIPE)
    membership = teammate.memberships.get()
    if change == "left":
        membership.delete()
    elif change == "viewer":
        add_member(fleet=vehicle.fleet, user=teammate, role=Role.VIEWER, actor=None)
    elif change == "unwanted":
        NotificationPreference.objects.create(membership=membership, in_app=["connection"])
    else:
        User.objects.filter(pk=teammate.pk).update(is_active=False)
    assert teammate.email not in [each.to[0] for each in post()]


def test_who_chose_no_e_mails_gets_none(vehicle: Vehicle, owner: User) -> None:
    NotificationPreference.objects.create(
        membership=owner.memberships.get(), in_app=["battery"], by_email=["token"]
    )
    begin(vehicle)
    assert post() == []


def test_a_viewer_gets_what_a_viewer_may_see_and_asked_for(vehicle: Vehicle, viewer: User) -> None:
    NotificationPreference.objects.create(
        membership=viewer.memberships.get(), by_email=["battery", "connection"]
    )
    begin(vehicle)
    begin(vehicle, AlertType.CONNECTION)
    (letter,) = [each for each in post() if each.to == [viewer.email]]
    assert letter.subject == "Low battery: Van 1 (Blue Fleet)"
    assert "Connection lost" not in letter.body


def test_without_a_mail_server_no_letters_pile_up(vehicle: Vehicle, owner: User, settings: Settings) -> None:
    settings.EMAIL_ENABLED = False
    begin(vehicle)
    assert post() == []
    settings.EMAIL_ENABLED = True
    assert post() == []


def test_a_letter_leads_to_the_car_and_tells_no_vin_and_no_place(vehicle: Vehicle, owner: User) -> None:
    Vehicle.objects.filter(pk=vehicle.pk).update(vin="5YJ3E1EA7KF317000", plate="B-AB 123", driver="Dana")
    begin(vehicle)
    begin(vehicle, AlertType.CONNECTION, subject_id=77)
    begin(vehicle, AlertType.TOKEN, subject_id=5)
    (letter,) = post()
    site = "http://"
    assert f"/fleets/blue/vehicles/{vehicle.smartcar_id}/" in letter.body
    assert "/fleets/blue/connections/77/" in letter.body
    assert "/fleets/blue/connections/1/" in letter.body
    assert letter.body.count(site) == 5
    assert "/fleets/blue/alerts/settings/" in letter.body
    for private in ("5YJ3E1EA7KF317000", "B-AB 123", "Dana", "user-1"):
        assert private not in letter.body


def test_letters_speak_the_members_language(vehicle: Vehicle, owner: User, teammate: User) -> None:
    User.objects.filter(pk=owner.pk).update(language="de")
    User.objects.filter(pk=teammate.pk).update(language="fr")
    begin(vehicle)
    bodies = {each.to[0]: each.body for each in post()}
    assert "Hello" not in bodies[owner.email]
    assert "Guten Tag" in bodies[owner.email]
    assert "Bonjour" in bodies[teammate.email]


def test_a_cars_name_with_a_line_break_makes_no_header_of_its_own(vehicle: Vehicle, owner: User) -> None:
    Vehicle.objects.filter(pk=vehicle.pk).update(name="Van\nBcc: everybody@example.com")
    begin(vehicle)
    (letter,) = post()
    assert letter.subject == "Low battery: Van Bcc: everybody@example.com (Blue Fleet)"
    assert letter.recipients() == [owner.email]


def test_the_task_queues_one_email_per_member(fleet: Fleet, owner: User, teammate: User) -> None:
    several(fleet, 2)
    Alert.objects.update(last_raised_at=timezone.now() - DIGEST_DELAY)
    tasks.send_digests()
    tasks.send_digests()
    assert OutgoingEmail.objects.filter(kind=DIGEST).count() == 2


def test_a_digest_that_could_not_be_sent_is_reported_on_the_members_settings_page(
    vehicle: Vehicle, owner: User, client: Client
) -> None:
    begin(vehicle)
    emails.build_digests(now=RIPE)
    OutgoingEmail.objects.update(
        state=EmailState.FAILED, error=EmailError.RECIPIENT_REJECTED, finished_at=timezone.now()
    )
    client.force_login(owner)
    page = client.get("/fleets/blue/alerts/settings/").content.decode()
    assert "Email not sent." in page


def test_the_digests_of_a_member_who_left_are_deleted(vehicle: Vehicle, teammate: User) -> None:
    begin(vehicle)
    emails.build_digests(now=RIPE)
    teammate.memberships.get().delete()
    assert OutgoingEmail.objects.filter(kind=DIGEST, recipient=teammate.email).count() == 0


def letter(fleet: Fleet, user: User, alert: Alert, *, waits: bool = True, sent: bool = False) -> None:
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
                now - timedelta(minutes=1) if waits else now + timedelta(minutes=5),
                now if sent else None,
            ],
        )
        (pk,) = cursor.fetchone()
        cursor.execute(
            "INSERT INTO alerts_letter_notices (letter_id, notice_id) VALUES (%s, %s)", [pk, alert.pk]
        )


def test_unsent_emails_of_version_0_1_are_carried_over_and_sent_once(
    vehicle: Vehicle, owner: User, teammate: User, viewer: User
) -> None:
    alert = begin(vehicle, at=timezone.now())
    letter(vehicle.fleet, owner, alert)
    letter(vehicle.fleet, teammate, alert, waits=False)
    letter(vehicle.fleet, viewer, alert, sent=True)
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
    letter(vehicle.fleet, owner, begin(vehicle))
    vehicle.fleet.delete()
    owner.delete()


def test_what_was_over_a_year_ago_is_removed(vehicle: Vehicle, owner: User) -> None:
    old, open_one = begin(vehicle), begin(vehicle, AlertType.CONNECTION)
    post()
    services.resolve(kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=NOW)
    assert retention.purge(now=NOW + timedelta(days=364)) == 0
    assert retention.purge(now=NOW + timedelta(days=366)) == 1
    assert list(Alert.objects.all()) == [open_one]
    assert old.pk != open_one.pk
    tasks.purge_alerts()
    assert Alert.objects.count() == 1
