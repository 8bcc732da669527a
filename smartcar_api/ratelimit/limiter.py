"""Whether a request may be sent now: what is asked before it, and what its outcome teaches.

A request that finds no room is put off (SmartcarError.put_off, with `retry_after`): nothing was sent. A command waits
a few seconds for room first, background work as long as it says, whoever waits for a page not at all.
"""

import time

from django.utils import timezone

from smartcar_api.errors import (
    HOST_DOWN,
    MONTHLY_LIMIT_REACHED,
    NOT_SENT,
    RATE_LIMITED,
    VEHICLE_COOLDOWN,
    SmartcarError,
    deferred,
)
from smartcar_api.ratelimit import breaker, bucket, cooldowns, counters
from smartcar_api.ratelimit.cooldowns import CooldownScope
from smartcar_api.ratelimit.months import next_month
from smartcar_api.ratelimit.priority import SHARES, TOKEN_SHARE, CallPurpose, RequestContext
from smartcar_api.ratelimit.routes import Target

COMMAND_WAIT_SECONDS = 5.0
# Where Smartcar names no time. The application regains a request in half a minute.
APPLICATION_REST = 30.0
VEHICLE_REST = 60.0
# "ping no more than once every 30 minutes" is the documentation's word on limits of makers.
MANUFACTURER_REST = 1800.0
ACCOUNT_REST = 3600.0

# Refused before Smartcar looked at what was asked: they are no calls of a car's month.
_NOT_COUNTED = frozenset({401, 429, 430})


def admit(*, application: str, target: Target, cause: RequestContext) -> None:
    """Returns when the request may be sent. Raises SmartcarError when it is put off."""
    try:
        _check_host(target)
        _check_monthly_limit(target, cause)
        _wait_for_capacity(application, target, cause)
    except SmartcarError as error:
        counters.add(host=target.host, outcome=error.code, purpose=cause.purpose)
        raise


def _check_host(target: Target) -> None:
    if wait := breaker.of_host(target.origin).wait():
        raise deferred(HOST_DOWN, retry_after=wait)


def _check_monthly_limit(target: Target, cause: RequestContext) -> None:
    """Commands and whoever waits for an answer still go: the count is ours, and the plan may have grown."""
    if cause.purpose is not CallPurpose.BACKGROUND or not target.billed:
        return
    if cause.meter is not None and cause.meter.limit_reached():
        raise deferred(MONTHLY_LIMIT_REACHED, retry_after=_until_next_month())


def _wait_for_capacity(application: str, target: Target, cause: RequestContext) -> None:
    patience = COMMAND_WAIT_SECONDS if cause.purpose is CallPurpose.COMMAND else cause.patience
    until = time.monotonic() + patience
    while (refusal := _refusal(application, target, cause)) is not None:
        wait = float(refusal.retry_after or 0)
        if time.monotonic() + wait > until:
            raise refusal
        time.sleep(wait)


def _refusal(application: str, target: Target, cause: RequestContext) -> SmartcarError | None:
    """Takes room for the request, or says why there is none."""
    for_reads = cause.purpose is CallPurpose.BACKGROUND and not target.token
    car = [CooldownScope("car", target.car)] if target.car and target.billed else []
    if wait := cooldowns.remaining(car, for_reads=for_reads):
        return deferred(VEHICLE_COOLDOWN, retry_after=wait)
    if wait := cooldowns.remaining([CooldownScope("application", application)], for_reads=for_reads):
        return deferred(RATE_LIMITED, retry_after=wait)
    share = max(SHARES[cause.purpose], TOKEN_SHARE if target.token else 0.0)
    wait = bucket.take(application, share=share)
    return deferred(RATE_LIMITED, retry_after=wait) if wait else None


def succeeded(*, target: Target, cause: RequestContext, status: str) -> None:
    """The request was answered with a success."""
    breaker.of_host(target.origin).tell(up=True)
    _count(target, cause, status)


def failed(
    *, application: str, target: Target, cause: RequestContext, error: SmartcarError, slow: bool
) -> None:
    """The request was refused, or not answered. What Smartcar told us to wait is remembered."""
    down = breaker.shows_down(error, slow=slow)
    if down is not None:
        breaker.of_host(target.origin).tell(up=not down)
    _remember(application, target, error)
    if error.type == NOT_SENT or error.status in _NOT_COUNTED:
        outcome = str(error.status) if error.status else error.code
        counters.add(host=target.host, outcome=outcome, purpose=cause.purpose)
    else:
        _count(target, cause, str(error.status) if error.status else error.code)


def _count(target: Target, cause: RequestContext, outcome: str) -> None:
    counters.add(host=target.host, outcome=outcome, purpose=cause.purpose)
    if target.billed and cause.meter is not None:
        cause.meter.add(purpose=cause.purpose, calls=target.billed)


def _remember(application: str, target: Target, error: SmartcarError) -> None:
    """RATE_LIMIT is of the application or of the car, UPSTREAM:RATE_LIMIT of its maker; BILLING lasts for the month."""
    everything, car = CooldownScope("application", application), CooldownScope("car", target.car)
    if error.type == "BILLING" or error.status == 430:
        _remember_plan(everything, car, error)
    elif error.type == "UPSTREAM" and error.code == "RATE_LIMIT" and target.car:
        cooldowns.remember(car, seconds=float(error.retry_after or MANUFACTURER_REST), for_reads=True)
    elif error.status == 429:
        of_car = error.code == "VEHICLE" and target.car
        rest = VEHICLE_REST if of_car else APPLICATION_REST
        cooldowns.remember(car if of_car else everything, seconds=max(1.0, float(error.retry_after or rest)))


def _until_next_month() -> float:
    """Seconds until Smartcar's billing month ends, which is assumed to be at midnight UTC."""
    now = timezone.now()
    return (next_month(now) - now).total_seconds()


def _remember_plan(everything: CooldownScope, car: CooldownScope, error: SmartcarError) -> None:
    if error.code == "VEHICLE_REQUEST_LIMIT" and car.name:
        cooldowns.remember(car, seconds=float(error.retry_after or _until_next_month()), for_reads=True)
    elif error.code in {"ACCOUNT_SUSPENDED", "INVALID_PLAN"}:
        cooldowns.remember(everything, seconds=float(error.retry_after or ACCOUNT_REST), for_reads=True)
