"""Keeping v2 refresh tokens alive: each dies 60 days after it was issued ("Refreshing Access Tokens").

Every pair in use is rotated once in an interval: weekly while half of the request budget does for it, otherwise less
often, but before half of its life is over. Each run takes its share of the pairs, those that end first in front, so
that requests come evenly even when all cars were connected on one day. What an outage has put off is made up for
within the budget. So an outage of 29 days loses no pair, and one of 50 days none of a fleet that is rotated weekly.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from redis import Redis
from redis.exceptions import RedisError

from accounts.models import Fleet
from connect import token_store
from connect.models import Connection, ConnectionState, UserToken
from connect.v2 import user_tokens
from core import encryption
from smartcar_api import SmartcarError
from smartcar_api.ratelimit.priority import CallPurpose, RequestContext, request_context
from smartcar_api.v2.client import REFRESH_TOKEN_LIFE

logger = logging.getLogger(__name__)

RUN = timedelta(hours=1)
MIN_INTERVAL = timedelta(days=7)
# Two days before half of the 60, for the hours in which a run fails.
MAX_INTERVAL = timedelta(days=28)
# A pair that a call has just renewed is left alone.
COOLDOWN = timedelta(days=1)
CATCH_UP = timedelta(days=1)
# Of what the application's bucket regains. The rest is for reads and commands.
SHARE_OF_BUDGET = 0.5

WARN_AT_DAYS = (2, 7, 14)
# Below the time limit of a Celery task; the next run goes on.
RUN_SECONDS = 300.0
SPARE_CANDIDATES = 20
_MAX_FAILURES = 5
_LOCK = 0x746F6B656E73


def daily_budget() -> int:
    """How many pairs a day may be rotated, by what Smartcar grants the application ("Operational Rate Limits")."""
    return max(
        1,
        int(settings.SMARTCAR_REQUEST_REFILL * (timedelta(days=1) / timedelta(minutes=1)) * SHARE_OF_BUDGET),
    )


def interval(*, pairs: int) -> timedelta:
    """How often each of so many pairs is rotated."""
    return min(max(MIN_INTERVAL, timedelta(days=1) * pairs / daily_budget()), MAX_INTERVAL)


def batch_size(*, pairs: int, overdue: int, now: datetime) -> int:
    """How many pairs this run rotates: its even share, or more where `overdue` pairs have missed their turn.

    The shares of the runs of one interval add up to `pairs`.
    """
    runs = interval(pairs=pairs) // RUN
    number = int(now.timestamp() // RUN.total_seconds()) % runs
    share = (number + 1) * pairs // runs - number * pairs // runs
    missed = -(-overdue * RUN // CATCH_UP)
    return max(share, min(missed, daily_budget() * RUN // timedelta(days=1)))


def in_use() -> QuerySet[UserToken]:
    """Pairs that a car hangs on and that Smartcar has not ended, those that end first in front."""
    return UserToken.objects.filter(Exists(_kept()), revoked_at=None).order_by("refresh_expires_at", "pk")


def _kept() -> QuerySet[Connection]:
    return Connection.objects.filter(tokens=OuterRef("pk")).exclude(state=ConnectionState.REMOVED)


def refresh_due(*, now: datetime) -> int:
    """Rotates this run's share; a pair that fails is kept as it is. Returns how many were rotated.

    A second run at the same time does nothing.
    """
    with _exclusive() as mine:
        return _refresh_due(now=now) if mine else 0


def _refresh_due(*, now: datetime) -> int:
    pairs = in_use()
    count = pairs.count()
    overdue = pairs.filter(refresh_expires_at__lt=_life_left(now, interval(pairs=count))).count()
    wanted = batch_size(pairs=count, overdue=overdue, now=now)
    rested = pairs.filter(refresh_expires_at__lt=_life_left(now, COOLDOWN))
    return _rotate(rested[: wanted + SPARE_CANDIDATES], wanted=wanted) if wanted else 0


def _life_left(now: datetime, age: timedelta) -> datetime:
    """When a pair of this age ends."""
    return now + REFRESH_TOKEN_LIFE - age


def _rotate(candidates: Iterable[UserToken], *, wanted: int) -> int:
    """Rotates until enough are done, or the request budget has no room.

    The spare candidates are for pairs that fail, lest they block all others.
    """
    rotated = failures = 0
    until = monotonic() + RUN_SECONDS
    for pair in candidates:
        if rotated == wanted or failures == _MAX_FAILURES or monotonic() > until:
            break
        try:
            with request_context(RequestContext(CallPurpose.BACKGROUND)):
                user_tokens.refresh(tokens=pair)
        except SmartcarError as error:
            if error.deferred:
                logger.info("Renewing tokens goes on in the next run: %s", error)
                break
            logger.warning("%s is not renewed: %s", pair, error)
            failures += not error.permanent or error.unauthorized
        except (token_store.TokensUnavailableError, encryption.DecryptionError) as error:
            logger.warning("%s is not renewed: %s", pair, error)
        else:
            rotated += 1
            failures = 0
    return rotated


@contextmanager
def _exclusive() -> Iterator[bool]:
    """Whether no other process is at it; one that dies gives way with its database connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        mine = cursor.fetchone() == (True,)
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def log_expiring(*, now: datetime) -> None:
    """Logs, once a day, the ids of pairs with less than 14, 7 and 2 days left."""
    ending = {days: [pair.pk for pair in _ending(now, days)] for days in WARN_AT_DAYS}
    if not ending[WARN_AT_DAYS[-1]] or not _first_today(now):
        return
    named: set[int] = set()
    for days, pks in ending.items():
        fresh = [pk for pk in pks if pk not in named]
        named.update(fresh)
        if fresh:
            shown = ", ".join(map(str, fresh[:50]))
            logger.warning(
                "%d token pairs have less than %d days left; after that their drivers must connect again: %s%s",
                len(fresh),
                days,
                shown,
                ", …" if len(fresh) > 50 else "",
            )


def _ending(now: datetime, days: int) -> QuerySet[UserToken]:
    return in_use().filter(refresh_expires_at__lt=now + timedelta(days=days)).only("pk")


def _first_today(now: datetime) -> bool:
    """Whether nobody has warned on this day. Without Redis it counts as true: better twice than never."""
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as redis:
            return bool(redis.set(f"connect:warned:{now:%Y-%m-%d}", 1, nx=True, ex=172_800))
    except RedisError:
        return True


# Whole days left, from and up to.
BANDS = ((0, 1), (2, 6), (7, 13), (14, 29), (30, 52), (53, 60))


@dataclass(frozen=True, slots=True)
class ExpiryHistogram:
    """How many pairs in use have how long to live: `days[n]` of them n whole days, `ended` none at all."""

    ended: int
    days: tuple[int, ...]

    @property
    def pairs(self) -> int:
        return self.ended + sum(self.days)

    @property
    def bands(self) -> list[tuple[int, int, int]]:
        """From, up to, and how many: the histogram in a few lines."""
        return [(least, most, sum(self.days[least : most + 1])) for least, most in BANDS]


def expiry_histogram(*, now: datetime, fleet: Fleet | None = None) -> ExpiryHistogram:
    """The histogram of days left, from 0 to 60; of the pairs that cars of this fleet hang on, or of all."""
    days = [0] * (REFRESH_TOKEN_LIFE.days + 1)
    ended = 0
    pairs = in_use()
    if fleet is not None:
        pairs = pairs.filter(Exists(_kept().filter(fleet=fleet)))
    for ends in pairs.values_list("refresh_expires_at", flat=True).iterator():
        if ends <= now:
            ended += 1
        else:
            days[min((ends - now).days, REFRESH_TOKEN_LIFE.days)] += 1
    return ExpiryHistogram(ended=ended, days=tuple(days))
