"""Where a person is signed in. django-allauth notes each sign-in beside Django's session."""

from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.utils.translation import gettext as _
from ua_parser import parse

from accounts.models import User


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """One browser that is signed in: `device` in words, `ip` as it was at the sign-in."""

    pk: int
    device: str
    ip: str
    since: datetime
    is_here: bool


def list_for(*, user: User, here: str | None) -> list[ActiveSession]:
    """The person's sessions, that of the session key `here` first, then the newest."""
    rows = UserSession.objects.purge_and_list(user)
    found = [
        ActiveSession(
            pk=row.pk,
            device=device_of(row.user_agent),
            ip=row.ip,
            since=row.created_at,
            is_here=row.session_key == here,
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (not each.is_here, -each.since.timestamp()))


def device_of(user_agent: str) -> str:
    """Browser and system in words, as far as the browser tells them."""
    told = parse(user_agent)
    browser = told.user_agent.family if told.user_agent else ""
    system = told.os.family if told.os else ""
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")


def revoke(*, user: User, pk: int) -> bool:
    """Signs the person out there, at once. False when it is no session of theirs."""
    row = UserSession.objects.filter(user=user, pk=pk).first()
    if row is None:
        return False
    row.end()
    return True


def revoke_others(*, user: User, here: str | None) -> int:
    """Signs the person out everywhere but in the session of the key `here`; returns from how many."""
    others = [row for row in UserSession.objects.purge_and_list(user) if row.session_key != here]
    for row in others:
        row.end()
    return len(others)
