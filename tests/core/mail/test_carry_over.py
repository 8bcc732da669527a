"""Emails that version 0.1 left unsent are migrated and sent once, by one of the two versions."""

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from celery import current_app
from django.core import mail
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.members import services as members
from accounts.models import Fleet, Role, User
from connect.models import DriverPortal
from core.mail.models import EmailState, OutgoingEmail
from core.signed_links import hash_token
from tests.connect.invited import invited
from tests.outgoing import send_pending

pytestmark = pytest.mark.django_db

MIGRATIONS = {"accounts": "0016_outgoing_emails", "connect": "0018_outgoing_emails"}


@pytest.fixture(autouse=True)
def enable_email(settings: Settings) -> None:
    settings.EMAIL_ENABLED = True


def run(statement: str, *values: int | str | datetime | None) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def carry(app: str) -> None:
    with connection.cursor() as cursor:
        import_module(f"{app}.migrations.{MIGRATIONS[app]}").carry(cursor)


def insert_legacy_email(user: User, *, created_at: datetime, sent_at: datetime | None = None) -> None:
    """Insert a row as version 0.1 did."""
    run(
        "INSERT INTO accounts_letter (user_id, kind, address, language, told, created_at, sent_at, error)"
        " VALUES (%s, 'password_changed', %s, 'de', %s, %s, %s, '')",
        user.pk,
        user.email,
        '{"ip": "192.0.2.1", "user_agent": "Firefox", "to_email": ""}',
        created_at,
        sent_at,
    )


def test_unsent_account_emails_are_sent_and_the_table_is_emptied(owner: User) -> None:
    now = timezone.now()
    insert_legacy_email(owner, created_at=now - timedelta(hours=1))
    insert_legacy_email(owner, created_at=now - timedelta(hours=1), sent_at=now)
    insert_legacy_email(owner, created_at=now - timedelta(days=2))
    carry("accounts")
    carry("accounts")
    assert run("SELECT count(*) FROM accounts_letter") == [(0,)]
    (email,) = OutgoingEmail.objects.all()
    assert (email.kind, email.object_id, email.language) == ("accounts.password_changed", owner.pk, "de")
    assert email.give_up_at == now + timedelta(hours=23)
    (text,) = send_pending()
    assert "192.0.2.1" in text
    assert mail.outbox[0].to == [owner.email]


def test_an_old_row_of_a_deleted_user_is_not_sent(outsider: User) -> None:
    insert_legacy_email(outsider, created_at=timezone.now())
    outsider.delete()
    carry("accounts")
    assert send_pending() == []


def test_unsent_invitations_of_members_are_sent_once(owner: User, fleet: Fleet) -> None:
    invitation = members.invite_member(
        fleet=fleet, user=owner, email="nia@home.example", role=Role.MANAGER, language="en"
    )
    assert run("SELECT mailed_at IS NULL FROM accounts_memberinvitation") == [(False,)], (
        "sent, for version 0.1"
    )
    OutgoingEmail.objects.all().delete()
    run("UPDATE accounts_memberinvitation SET mailed_at = NULL")
    carry("accounts")
    carry("accounts")
    (email,) = OutgoingEmail.objects.all()
    assert (email.recipient, email.created_by) == ("nia@home.example", owner)
    (text,) = send_pending()
    assert invitation.url in text
    assert run("SELECT mailed_at IS NULL FROM accounts_memberinvitation") == [(False,)]


@pytest.mark.parametrize(
    "end", ["used_at = now()", "revoked_at = now()", "expires_at = now()", "by_mail = false"]
)
def test_emails_that_version_0_1_would_not_send_are_not_migrated(owner: User, fleet: Fleet, end: str) -> None:
    invited(fleet=fleet, user=owner, by_email=True, driver_email="dana@home.example")
    OutgoingEmail.objects.all().delete()
    run(f"UPDATE connect_invitation SET mailed_at = NULL, {end}")
    carry("connect")
    assert not OutgoingEmail.objects.exists()


def test_unsent_emails_to_drivers_are_sent_once(owner: User, fleet: Fleet) -> None:
    invitation = invited(fleet=fleet, user=owner, by_email=True, driver_email="dana@home.example")
    page = DriverPortal(fleet=fleet, smartcar_user_id="u", driver_name="Dana", driver_email="d@home.example")
    page.secret_hash = hash_token(page.secret)
    page.save()
    OutgoingEmail.objects.all().delete()
    run("UPDATE connect_invitation SET mailed_at = NULL")
    run("UPDATE connect_driverpage SET mail_wanted_at = now()")
    carry("connect")
    carry("connect")
    texts = send_pending()
    assert len(texts) == 2
    assert any(invitation.url in text for text in texts)
    assert any(page.url in text for text in texts)


@pytest.mark.parametrize(
    "task",
    [
        "accounts.tasks.mail_letter",
        "accounts.tasks.mail_member_invitation",
        "connect.tasks.mail_invitation",
        "connect.tasks.mail_driver_page",
    ],
)
def test_tasks_that_version_0_1_enqueued_still_run(owner: User, fleet: Fleet, task: str) -> None:
    current_app.loader.import_default_modules()
    insert_legacy_email(owner, created_at=timezone.now())
    invited(fleet=fleet, user=owner, by_email=True, driver_email="dana@home.example")
    OutgoingEmail.objects.all().delete()
    run("UPDATE connect_invitation SET mailed_at = NULL")
    current_app.tasks[task](1)
    current_app.tasks[task.rpartition(".")[0] + ".mail_unsent"]()
    (email,) = OutgoingEmail.objects.all()
    assert email.state == EmailState.PENDING
    assert email.kind.startswith(task.partition(".")[0])
