"""Decides whether a request may be sent now, and records its outcome.

A request without capacity is deferred (SmartcarError.deferred, with `retry_after`): nothing is sent. Commands first
wait a few seconds for capacity, background requests as long as their context allows, and requests of pages not at all.
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
# Seconds to wait if Smartcar doesn't name a time. The application regains a request in half a minute.
APPLICATION_COOLDOWN_SECONDS = 30.0
VEHICLE_COOLDOWN_SECONDS = 60.0
# The documentation about limits of manufacturers: "ping no more than once every 30 minutes".
MANUFACTURER_COOLDOWN_SECONDS = 1800.0
ACCOUNT_COOLDOWN_SECONDS = 3600.0

# Rejected before Smartcar processed the request, so not counted toward the vehicle's monthly limit.
_NOT_COUNTED = frozenset({401, 429, 430})


def admit(*, application: str, target: Target, context: RequestContext) -> None:
    """Returns once the request may be sent. Raises SmartcarError if it is deferred."""
    try:
        _check_host(target)
        _check_monthly_limit(target, context)
        _wait_for_capacity(application, target, context)
    except SmartcarError as error:
        counters.add(host=target.host, outcome=error.code, purpose=context.purpose)
        raise


def _check_host(target: Target) -> None:
    if wait := breaker.for_host(target.origin).wait():
        raise deferred(HOST_DOWN, retry_after=wait)


def _check_monthly_limit(target: Target, context: RequestContext) -> None:
    """Defers only background requests: the count is our own, and the plan may have been upgraded."""
    if context.purpose is not CallPurpose.BACKGROUND or not target.billed:
        return
    if context.meter is not None and context.meter.limit_reached():
        raise deferred(MONTHLY_LIMIT_REACHED, retry_after=_until_next_month())


def _wait_for_capacity(application: str, target: Target, context: RequestContext) -> None:
    patience = COMMAND_WAIT_SECONDS if context.purpose is CallPurpose.COMMAND else context.patience
    deadline = time.monotonic() + patience
    while (refusal := _refusal(application, target, context)) is not None:
        wait = float(refusal.retry_after or 0)
        if time.monotonic() + wait > deadline:
            raise refusal
        time.sleep(wait)


def _refusal(application: str, target: Target, context: RequestContext) -> SmartcarError | None:
    """Takes capacity for the request, or returns why there is none."""
    for_reads = context.purpose is CallPurpose.BACKGROUND and not target.token
    vehicle = [CooldownScope("car", target.vehicle_id)] if target.vehicle_id and target.billed else []
    if wait := cooldowns.remaining(vehicle, for_reads=for_reads):
        return deferred(VEHICLE_COOLDOWN, retry_after=wait)
    if wait := cooldowns.remaining([CooldownScope("application", application)], for_reads=for_reads):
        return deferred(RATE_LIMITED, retry_after=wait)
    share = max(SHARES[context.purpose], TOKEN_SHARE if target.token else 0.0)
    wait = bucket.take(application, share=share)
    return deferred(RATE_LIMITED, retry_after=wait) if wait else None


def succeeded(*, target: Target, context: RequestContext, status: str) -> None:
    """Records a successful request."""
    breaker.for_host(target.origin).record(up=True)
    _count(target, context, status)


def failed(
    *, application: str, target: Target, context: RequestContext, error: SmartcarError, slow: bool
) -> None:
    """Records a failed request, and starts a cooldown if Smartcar requires one."""
    down = breaker.shows_down(error, slow=slow)
    if down is not None:
        breaker.for_host(target.origin).record(up=not down)
    _start_cooldown(application, target, error)
    if error.type == NOT_SENT or error.status in _NOT_COUNTED:
        outcome = str(error.status) if error.status else error.code
        counters.add(host=target.host, outcome=outcome, purpose=context.purpose)
    else:
        _count(target, context, str(error.status) if error.status else error.code)


def _count(target: Target, context: RequestContext, outcome: str) -> None:
    counters.add(host=target.host, outcome=outcome, purpose=context.purpose)
    if target.billed and context.meter is not None:
        context.meter.add(purpose=context.purpose, calls=target.billed)


def _start_cooldown(application: str, target: Target, error: SmartcarError) -> None:
    """Starts a cooldown after an error.

    RATE_LIMIT applies to the application or the vehicle, UPSTREAM:RATE_LIMIT to the vehicle's manufacturer, and BILLING
    to the rest of the month.
    """
    whole_application, vehicle = (
        CooldownScope("application", application),
        CooldownScope("car", target.vehicle_id),
    )
    if error.type == "BILLING" or error.status == 430:
        _start_plan_cooldown(whole_application, vehicle, error)
    elif error.type == "UPSTREAM" and error.code == "RATE_LIMIT" and target.vehicle_id:
        cooldowns.start(
            vehicle, seconds=float(error.retry_after or MANUFACTURER_COOLDOWN_SECONDS), for_reads=True
        )
    elif error.status == 429:
        for_vehicle = error.code == "VEHICLE" and target.vehicle_id
        default = VEHICLE_COOLDOWN_SECONDS if for_vehicle else APPLICATION_COOLDOWN_SECONDS
        cooldowns.start(
            vehicle if for_vehicle else whole_application,
            seconds=max(1.0, float(error.retry_after or default)),
        )


def _until_next_month() -> float:
    """The seconds until Smartcar's billing month ends, which is assumed to be at midnight UTC."""
    now = timezone.now()
    return (next_month(now) - now).total_seconds()


def _start_plan_cooldown(
    whole_application: CooldownScope, vehicle: CooldownScope, error: SmartcarError
) -> None:
    if error.code == "VEHICLE_REQUEST_LIMIT" and vehicle.name:
        cooldowns.start(vehicle, seconds=float(error.retry_after or _until_next_month()), for_reads=True)
    elif error.code in {"ACCOUNT_SUSPENDED", "INVALID_PLAN"}:
        cooldowns.start(
            whole_application, seconds=float(error.retry_after or ACCOUNT_COOLDOWN_SECONDS), for_reads=True
        )
