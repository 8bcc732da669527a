"""Old sessions and invitations are deleted, and nobody who is signed in is signed out."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import tasks
from accounts.models import Fleet, MemberInvitation, User
from core.one_time_links import RETENTION

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def _age(client: Client, by: timedelta) -> None:
    """Set the session back, as if it was last changed that long ago."""
    session = Session.objects.get(pk=client.session.session_key)
    session.expire_date -= by
    session.save()


def _visitor() -> Client:
    client = Client()
    session = client.session
    session["connect_secret"] = "secret"
    session.save()
    return client


def test_sessions_of_visitors_end_after_a_day() -> None:
    new, old = _visitor(), _visitor()
    _age(old, DAY + timedelta(minutes=1))
    tasks.purge()
    assert set(Session.objects.values_list("pk", flat=True)) == {new.session.session_key}


def test_sessions_of_users_end_when_they_expire(owner: User) -> None:
    recorded, unrecorded, expired = Client(), Client(), Client()
    for client in (recorded, unrecorded, expired):
        client.force_login(owner)
    UserSession.objects.filter(session_key=unrecorded.session.session_key).delete()
    for client in (recorded, unrecorded):
        _age(client, 10 * DAY)
    _age(expired, 30 * DAY)
    tasks.purge()
    kept = set(Session.objects.values_list("pk", flat=True))
    assert kept == {recorded.session.session_key, unrecorded.session.session_key}


@pytest.mark.parametrize("column", ["used_at", "revoked_at", "expires_at"])
def test_invitations_are_deleted_once_they_ended_long_ago(fleet: Fleet, column: str) -> None:
    now = timezone.now()
    for name, ended in (("old", now - RETENTION - DAY), ("recent", now - RETENTION + DAY)):
        times = {"expires_at": now, column: ended}
        MemberInvitation.objects.create(
            fleet=fleet, email=f"{name}@fleet.example", role="viewer", secret_hash=name, **times
        )
    open_one = MemberInvitation.objects.create(
        fleet=fleet,
        email="open@fleet.example",
        role="viewer",
        created_at=now - 2 * RETENTION,
        expires_at=now + DAY,
    )
    tasks.purge()
    emails = set(MemberInvitation.objects.values_list("email", flat=True))
    assert emails == {"recent@fleet.example", open_one.email}
