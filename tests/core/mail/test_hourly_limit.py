"""One person can't use up what the mail server accepts: their emails beyond a number an hour wait."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from core.mail import services
from core.mail.models import GIVE_UP_AFTER, EmailState, OutgoingEmail
from tests.conftest import make_user
from tests.core.mail.kind import NOTE, register_note

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def queue(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., OutgoingEmail]:
    register_note()
    settings.EMAIL_ENABLED = True
    monkeypatch.setattr(services, "HOURLY_LIMIT", 3)

    def queue_one(person: User | None, *, now: datetime) -> OutgoingEmail:
        email = services.queue_email(
            kind=NOTE, object_id=1, recipient="nia@home.example", created_by=person, now=now
        )
        assert email is not None
        return email

    return queue_one


def test_emails_of_one_person_beyond_the_limit_wait(queue: Callable[..., OutgoingEmail]) -> None:
    now = timezone.now()
    person, other = make_user("ada@home.example"), make_user("bea@home.example")
    emails = [queue(person, now=now) for _ in range(7)]
    assert [(email.next_attempt_at - now) // HOUR for email in emails] == [0, 0, 0, 1, 1, 1, 2]
    assert emails[-1].give_up_at == now + 2 * HOUR + GIVE_UP_AFTER
    assert set(services.due_emails(now=now)) == {email.pk for email in emails[:3]}
    assert queue(other, now=now).next_attempt_at == now
    assert [queue(None, now=now).next_attempt_at for _ in range(5)] == [now] * 5


def test_sent_emails_count_for_an_hour(queue: Callable[..., OutgoingEmail]) -> None:
    now = timezone.now()
    person = make_user("ada@home.example")
    for _ in range(3):
        queue(person, now=now)
    OutgoingEmail.objects.update(state=EmailState.SENT, sent_at=now)
    later = now + timedelta(minutes=59)
    assert queue(person, now=later).next_attempt_at == later + HOUR
    OutgoingEmail.objects.filter(state=EmailState.PENDING).delete()
    assert queue(person, now=now + HOUR).next_attempt_at == now + HOUR
