"""Limits on attempts to prove one's identity: five wrong ones within five minutes, counted per person.

An attempt is counted in the database before it is judged, so that five are five even if forty arrive at once, in any
number of sessions and processes, with or without Redis. A right one resets the count.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum, auto

from django.db import transaction
from django.utils import timezone

from accounts.models import AttemptCount, User

MAX_ATTEMPTS = 5
WINDOW = timedelta(minutes=5)
# What attempts count against. Known devices have a scope of their own each (accounts.known_devices).
REAUTHENTICATION = "reauthentication"
SIGN_IN = "sign_in"
SECOND_FACTOR = "second_factor"


class Outcome(Enum):
    """The result of an attempt. EXHAUSTED: wrong or not judged, and no attempts are left."""

    RIGHT = auto()
    WRONG = auto()
    EXHAUSTED = auto()


def attempt(*, user: User, scope: str, check: Callable[[], bool]) -> Outcome:
    """Counts an attempt, and judges it with `check` unless too many failed before."""
    number = _count(user, scope)
    if number > MAX_ATTEMPTS:
        return Outcome.EXHAUSTED
    if check():
        clear(user=user, scope=scope)
        return Outcome.RIGHT
    return Outcome.WRONG if number < MAX_ATTEMPTS else Outcome.EXHAUSTED


def take(*, user: User, scope: str) -> bool:
    """Counts an attempt that the caller judges and clears. Returns False if none is left."""
    return _count(user, scope) <= MAX_ATTEMPTS


def record_failure(*, user: User, scope: str) -> Outcome:
    """Counts a failed attempt that was judged already: one that can't be guessed, such as a passkey's."""
    return Outcome.WRONG if _count(user, scope) < MAX_ATTEMPTS else Outcome.EXHAUSTED


def clear(*, user: User, scope: str) -> None:
    """Forgets the failed attempts of this scope, and expired ones of any."""
    rows = AttemptCount.objects.filter(user=user)
    rows.filter(scope=scope).delete()
    rows.filter(since__lt=timezone.now() - WINDOW).delete()


@transaction.atomic
def _count(user: User, scope: str) -> int:
    """Returns the number of this attempt within the window. Numbers above the limit are all alike."""
    now = timezone.now()
    locked = AttemptCount.objects.select_for_update()
    row, _ = locked.get_or_create(user=user, scope=scope, defaults={"since": now})
    if row.since <= now - WINDOW:
        row.attempts, row.since = 0, now
    row.attempts = min(row.attempts + 1, MAX_ATTEMPTS + 1)
    row.save(update_fields=["attempts", "since"])
    return row.attempts
