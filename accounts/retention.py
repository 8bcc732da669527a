"""Deletes sessions and invitations that are no longer needed."""

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef

from accounts.models import MemberInvitation
from core.one_time_links import RETENTION

# Long enough for an authorization that a driver without an account started.
ANONYMOUS_SESSION_LIFETIME = timedelta(days=1)
_BATCH = 1000


def purge(*, now: datetime) -> None:
    """Deletes expired sessions, those of visitors who never signed in after a day, and old invitations."""
    Session.objects.filter(expire_date__lt=now).delete()
    _purge_anonymous_sessions(now)
    MemberInvitation.ended_before(now - RETENTION).delete()


def _purge_anonymous_sessions(now: datetime) -> None:
    """Any visitor can create sessions, one per request without a cookie, so they mustn't stay as long as others.

    django-allauth records each session of a user. Sessions without a record are decoded to find out.
    """
    unchanged_since = now - ANONYMOUS_SESSION_LIFETIME
    recorded = UserSession.objects.filter(session_key=OuterRef("session_key"))
    old = Session.objects.filter(
        ~Exists(recorded),
        expire_date__lt=unchanged_since + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )
    anonymous = [each.pk for each in old.iterator(chunk_size=_BATCH) if SESSION_KEY not in each.get_decoded()]
    for start in range(0, len(anonymous), _BATCH):
        old.filter(pk__in=anonymous[start : start + _BATCH]).delete()
