"""A user's active sessions. django-allauth records each sign-in in addition to Django's session."""

from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.utils.translation import gettext as _
from ua_parser import parse

from accounts.models import User


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """One signed-in browser. `device` is a description; `ip` is the address at sign-in."""

    pk: int
    device: str
    ip: str
    since: datetime
    is_here: bool


def list_for(*, user: User, here: str | None) -> list[ActiveSession]:
    """Returns the user's sessions: the one with session key `here` first, then the newest."""
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
    """Returns browser and operating system for display, as far as the user agent names them."""
    agent = parse(user_agent)
    browser = agent.user_agent.family if agent.user_agent else ""
    system = agent.os.family if agent.os else ""
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")


def revoke(*, user: User, pk: int) -> bool:
    """Ends the session immediately. Returns False if it isn't one of the user's."""
    row = UserSession.objects.filter(user=user, pk=pk).first()
    if row is None:
        return False
    row.end()
    return True


def revoke_others(*, user: User, here: str | None) -> int:
    """Ends all of the user's sessions except the one with session key `here`. Returns their number."""
    others = [row for row in UserSession.objects.purge_and_list(user) if row.session_key != here]
    for row in others:
        row.end()
    return len(others)
