"""Refreshes v2 token pairs in time: a refresh token expires 60 days after it was issued ("Refreshing Access Tokens").

Every pair in use is rotated once per interval: weekly if half of the request budget is enough for that, otherwise
less often, but before half of its lifetime is over. Each run rotates its share of the pairs, those that expire first
in front, which spreads requests evenly even if all vehicles were connected on the same day. Pairs delayed by an outage
are rotated afterwards, within the budget. So no pair is lost in an outage of 29 days, and none of a fleet that is
rotated weekly in an outage of 50 days.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from redis import Redis
from redis.exceptions import RedisError

from accounts.models import Fleet
from connect import token_store
from connect.models import Connection, ConnectionState, UserToken
from connect.v2 import user_tokens
from core import encryption, leases
from smartcar_api import SmartcarError
from smartcar_api.ratelimit.priority import CallPurpose, RequestContext, request_context
from smartcar_api.v2.client import REFRESH_TOKEN_LIFE

logger = logging.getLogger(__name__)

RUN = timedelta(hours=1)
MIN_INTERVAL = timedelta(days=7)
# Two days less than half of the 60, to leave time for failed runs.
MAX_INTERVAL = timedelta(days=28)
# Pairs that a call has refreshed within this time are skipped.
COOLDOWN = timedelta(days=1)
CATCH_UP = timedelta(days=1)
# The share of the requests that the application's bucket regains. The rest is for reads and commands.
SHARE_OF_BUDGET = 0.5

WARN_AT_DAYS = (2, 7, 14)
# Below the time limit of a Celery task. The next run continues.
RUN_SECONDS = 300.0
SPARE_CANDIDATES = 20
_MAX_FAILURES = 5


def daily_budget() -> int:
    """How many pairs may be rotated per day within the application's request limit ("Operational Rate Limits")."""
    return max(
        1,
        int(settings.SMARTCAR_REQUEST_REFILL * (timedelta(days=1) / timedelta(minutes=1)) * SHARE_OF_BUDGET),
    )


def interval(*, pairs: int) -> timedelta:
    """The time between two rotations of one pair, if there are this many pairs."""
    return min(max(MIN_INTERVAL, timedelta(days=1) * pairs / daily_budget()), MAX_INTERVAL)


def batch_size(*, pairs: int, overdue: int, now: datetime) -> int:
    """How many pairs this run rotates: its even share, or more if `overdue` pairs were not rotated in time.

    The shares of all runs of one interval add up to `pairs`.
    """
    runs = interval(pairs=pairs) // RUN
    number = int(now.timestamp() // RUN.total_seconds()) % runs
    share = (number + 1) * pairs // runs - number * pairs // runs
    missed = -(-overdue * RUN // CATCH_UP)
    return max(share, min(missed, daily_budget() * RUN // timedelta(days=1)))


def in_use() -> QuerySet[UserToken]:
    """Pairs that a connection uses and that Smartcar has not revoked, those that expire first in front."""
    return UserToken.objects.filter(Exists(_connections_in_use()), revoked_at=None).order_by(
        "refresh_expires_at", "pk"
    )


def _connections_in_use() -> QuerySet[Connection]:
    return Connection.objects.filter(tokens=OuterRef("pk")).exclude(state=ConnectionState.REMOVED)


def refresh_due(*, now: datetime) -> int:
    """Rotates this run's share and returns how many were rotated. A pair whose rotation fails is unchanged.

    Does nothing while another run is in progress.
    """
    with leases.exclusive(
        "token refresh", lasts=timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
    ) as acquired:
        return _refresh_due(now=now) if acquired else 0


def _refresh_due(*, now: datetime) -> int:
    pairs = in_use()
    count = pairs.count()
    overdue = pairs.filter(refresh_expires_at__lt=_expiry_at_age(now, interval(pairs=count))).count()
    limit = batch_size(pairs=count, overdue=overdue, now=now)
    eligible = pairs.filter(refresh_expires_at__lt=_expiry_at_age(now, COOLDOWN))
    return _rotate(eligible[: limit + SPARE_CANDIDATES], limit=limit) if limit else 0


def _expiry_at_age(now: datetime, age: timedelta) -> datetime:
    """When a pair of this age expires."""
    return now + REFRESH_TOKEN_LIFE - age


def _rotate(candidates: Iterable[UserToken], *, limit: int) -> int:
    """Rotates up to `limit` pairs, or until the request budget is used up. Returns how many were rotated.

    There are more candidates than `limit`, so that pairs that fail don't block the others.
    """
    rotated = failures = 0
    deadline = monotonic() + RUN_SECONDS
    for pair in candidates:
        if rotated == limit or failures == _MAX_FAILURES or monotonic() > deadline:
            break
        try:
            with request_context(RequestContext(CallPurpose.BACKGROUND)):
                user_tokens.refresh(tokens=pair)
        except SmartcarError as error:
            if error.deferred:
                logger.info("The refresh of tokens continues in the next run: %s", error)
                break
            logger.warning("%s is not renewed: %s", pair, error)
            failures += not error.permanent or error.unauthorized
        except (token_store.TokensUnavailableError, encryption.DecryptionError) as error:
            logger.warning("%s is not renewed: %s", pair, error)
        else:
            rotated += 1
            failures = 0
    return rotated


def log_expiring(*, now: datetime) -> None:
    """Logs the IDs of pairs with less than 14, 7 and 2 days left, once a day."""
    expiring = {days: [pair.pk for pair in _expiring(now, days)] for days in WARN_AT_DAYS}
    if not expiring[WARN_AT_DAYS[-1]] or not _first_today(now):
        return
    logged: set[int] = set()
    for days, pks in expiring.items():
        new = [pk for pk in pks if pk not in logged]
        logged.update(new)
        if new:
            shown = ", ".join(map(str, new[:50]))
            logger.warning(
                "%d token pairs have less than %d days left; after that their drivers must connect again: %s%s",
                len(new),
                days,
                shown,
                ", …" if len(new) > 50 else "",
            )


def _expiring(now: datetime, days: int) -> QuerySet[UserToken]:
    return in_use().filter(refresh_expires_at__lt=now + timedelta(days=days)).only("pk")


def _first_today(now: datetime) -> bool:
    """Whether no process has logged the warning today. True without Redis: twice is better than never."""
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as redis:
            return bool(redis.set(f"connect:warned:{now:%Y-%m-%d}", 1, nx=True, ex=172_800))
    except RedisError:
        return True


# Ranges of whole days left, both ends included.
BANDS = ((0, 1), (2, 6), (7, 13), (14, 29), (30, 52), (53, 60))


@dataclass(frozen=True, slots=True)
class ExpiryHistogram:
    """The remaining lifetimes of the pairs in use: `days[n]` pairs have n whole days left, `ended` have expired."""

    ended: int
    days: tuple[int, ...]

    @property
    def pairs(self) -> int:
        return self.ended + sum(self.days)

    @property
    def bands(self) -> list[tuple[int, int, int]]:
        """The histogram as a few ranges: (from, to, count)."""
        return [(least, most, sum(self.days[least : most + 1])) for least, most in BANDS]


def expiry_histogram(*, now: datetime, fleet: Fleet | None = None) -> ExpiryHistogram:
    """The histogram of days left, from 0 to 60, for the pairs that this fleet's connections use, or for all."""
    days = [0] * (REFRESH_TOKEN_LIFE.days + 1)
    ended = 0
    pairs = in_use()
    if fleet is not None:
        pairs = pairs.filter(Exists(_connections_in_use().filter(fleet=fleet)))
    for expires_at in pairs.values_list("refresh_expires_at", flat=True).iterator():
        if expires_at <= now:
            ended += 1
        else:
            days[min((expires_at - now).days, REFRESH_TOKEN_LIFE.days)] += 1
    return ExpiryHistogram(ended=ended, days=tuple(days))
