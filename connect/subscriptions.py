"""Subscribes connected vehicles to the webhook, so that Smartcar collects and delivers their data."""

from datetime import timedelta
from functools import partial

from django.db.models import Q
from django.utils import timezone

from connect import applications, gateway, token_store
from connect.gateway import CallPurpose
from connect.messages import NO_PROBLEM, Problem, SubscriptionProblem
from connect.models import Connection
from connect.status.states import USABLE
from smartcar_api import SmartcarError

RETRY_AFTER = timedelta(minutes=1)
# v3 lists an accepted subscription after a few seconds.
PROPAGATION_DELAY = timedelta(seconds=5)


def ensure_subscribed(*, connection: Connection) -> None:
    """Subscribes the vehicle if needed; it counts as subscribed when Smartcar lists the subscription.

    An error is stored with the connection, and the call is retried later. Repeating is harmless: Smartcar responds with
    409 for a subscribed vehicle, which counts as success.
    """
    if connection.subscribed_at is not None or not connection.alive:
        return
    try:
        with token_store.decryption_checked():
            application = applications.for_connection(connection)
    except token_store.TokensUnavailableError as error:
        _retry_later(connection, Problem.from_error(error))
        return
    if not application.webhook_id:
        missing = (
            SubscriptionProblem.NO_WEBHOOK.message()
            if application.row is None
            else SubscriptionProblem.NO_WEBHOOK_FOR_APPLICATION.message(name=application.name)
        )
        _retry_later(connection, Problem(missing))
        return
    try:
        listed = _subscribe(connection, webhook_id=application.webhook_id)
    except SmartcarError as error:
        wait = timedelta(seconds=error.retry_after or 0) if error.deferred else RETRY_AFTER
        _retry_later(connection, Problem.from_error(error), after=max(wait, RETRY_AFTER))
    except token_store.TokensUnavailableError as error:
        _retry_later(connection, Problem.from_error(error))
    else:
        if listed:
            Connection.objects.filter(pk=connection.pk).update(
                subscribed_at=timezone.now(), **NO_PROBLEM.columns("subscription_error")
            )
        else:
            _retry_later(connection, NO_PROBLEM, after=PROPAGATION_DELAY)


def _subscribe(connection: Connection, *, webhook_id: str) -> bool:
    """Subscribes and returns whether Smartcar lists the subscription. v3 may list it later; v2 has no list, so True."""
    ids = {"vehicle_id": connection.vehicle.smartcar_id, "webhook_id": webhook_id}
    call = partial(gateway.call, connection=connection, purpose=CallPurpose.BACKGROUND)
    call(request=lambda api, access: api.subscribe(access, **ids))
    return call(request=lambda api, access: api.is_subscribed(access, **ids)) is not False


def pending_subscriptions() -> list[Connection]:
    """Returns up to 100 connections whose vehicle is not subscribed and whose next attempt is due."""
    due = Q(next_subscription_try_at=None) | Q(next_subscription_try_at__lte=timezone.now())
    waiting = Connection.objects.filter(due, subscribed_at=None, state__in=USABLE)
    return list(waiting.select_related("vehicle", "tokens", "application").order_by("pk")[:100])


def _retry_later(connection: Connection, problem: Problem, *, after: timedelta = RETRY_AFTER) -> None:
    Connection.objects.filter(pk=connection.pk).update(
        **problem.columns("subscription_error"), next_subscription_try_at=timezone.now() + after
    )
