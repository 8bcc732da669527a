"""Queueing emails, retrying and canceling them, and reading their state."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.mail.models import FINISHED, GIVE_UP_AFTER, EmailState, OutgoingEmail
from core.task_queue import enqueue_on_commit

# Finished emails stay visible for this long.
RETENTION = timedelta(days=30)
# Emails that one person causes in an hour. Further ones wait, so that nobody uses up what the mail server accepts.
HOURLY_LIMIT = 500
_BATCH = 200


@transaction.atomic
def queue_email(
    *,
    kind: str,
    object_id: int,
    recipient: str,
    language: str = "",
    params: Mapping[str, Any] | None = None,
    created_by: AbstractBaseUser | None = None,
    replace: bool = False,
    now: datetime | None = None,
) -> OutgoingEmail | None:
    """Queues an email within the caller's transaction; a worker sends it after the commit.

    With `replace`, an earlier email of this kind about this object is canceled if no attempt is under way.
    Of one person's emails, those beyond HOURLY_LIMIT are sent an hour later or more. Returns None where the site sends
    no email.
    """
    if not settings.EMAIL_ENABLED:
        return None
    now = now or timezone.now()
    if replace:
        cancel(kind=kind, object_ids=[object_id], now=now)
    begins_at = _free_from(created_by, now=now)
    email = OutgoingEmail.objects.create(
        kind=kind,
        object_id=object_id,
        recipient=recipient,
        language=language,
        params=dict(params or {}),
        created_by_id=created_by.pk if created_by is not None else None,
        created_at=now,
        next_attempt_at=begins_at,
        give_up_at=begins_at + GIVE_UP_AFTER,
    )
    if begins_at <= now:
        enqueue_on_commit("core.tasks.send_email", email.pk)
    return email


def _free_from(person: AbstractBaseUser | None, *, now: datetime) -> datetime:
    """Returns from when another email of this person may be sent; those that the site causes itself always may."""
    if person is None:
        return now
    hour = timedelta(hours=1)
    recent = Q(state=EmailState.SENT, sent_at__gt=now - hour) | Q(
        state__in=(EmailState.PENDING, EmailState.SENDING)
    )
    count = OutgoingEmail.objects.filter(recent, created_by=person.pk).count()
    return now + hour * (count // HOURLY_LIMIT)


def cancel(*, kind: str, object_ids: Collection[int], now: datetime) -> int:
    """Cancels emails that wait to be sent. Returns how many."""
    pending = OutgoingEmail.objects.filter(kind=kind, object_id__in=object_ids, state=EmailState.PENDING)
    return pending.update(state=EmailState.CANCELED, finished_at=now)


@transaction.atomic
def retry(*, email: OutgoingEmail, now: datetime) -> bool:
    """Queues a failed email again, under the same Message-ID. False when the email isn't in the state failed."""
    failed = OutgoingEmail.objects.filter(pk=email.pk, state=EmailState.FAILED)
    queued = failed.update(
        state=EmailState.PENDING,
        next_attempt_at=now,
        give_up_at=now + GIVE_UP_AFTER,
        finished_at=None,
        error="",
        error_params={},
        smtp_response="",
    )
    if queued:
        enqueue_on_commit("core.tasks.send_email", email.pk)
    return bool(queued)


def retry_latest(*, kind: str, object_id: int, now: datetime) -> bool:
    """Queues the newest email about an object again, if it failed. False when there is nothing to retry."""
    email = latest_emails(kind=kind, object_ids=[object_id]).get(object_id)
    return email is not None and retry(email=email, now=now)


def latest_emails(*, kind: str, object_ids: Iterable[int]) -> dict[int, OutgoingEmail]:
    """The newest email of this kind for each object that has one, in one query."""
    found = OutgoingEmail.objects.filter(kind=kind, object_id__in=list(object_ids))
    newest = found.order_by("object_id", "-created_at", "-pk").distinct("object_id")
    return {email.object_id: email for email in newest}


def due_emails(*, now: datetime) -> list[int]:
    """Ids of emails whose next attempt is due, and of those whose worker died during an attempt."""
    if not settings.EMAIL_ENABLED:
        return []
    due = OutgoingEmail.objects.filter(due_at(now)).order_by("next_attempt_at")
    return list(due.values_list("pk", flat=True)[:_BATCH])


def due_at(now: datetime) -> Q:
    """The condition under which an attempt may begin."""
    return Q(state=EmailState.PENDING, next_attempt_at__lte=now) | Q(
        state=EmailState.SENDING, leased_until__lt=now
    )


def purge(*, now: datetime) -> int:
    """Deletes emails that were finished longer than RETENTION ago. Returns how many."""
    old = OutgoingEmail.objects.filter(state__in=FINISHED, finished_at__lt=now - RETENTION)
    return old.delete()[0]


def erase_recipients(*, kind: str, object_ids: Collection[int], limit: int) -> int:
    """Deletes emails about these objects, for the erasure of a person's data. Returns how many, at most `limit`."""
    found = OutgoingEmail.objects.filter(kind=kind, object_id__in=object_ids).values_list("pk", flat=True)
    return OutgoingEmail.objects.filter(pk__in=list(found[:limit])).delete()[0]
