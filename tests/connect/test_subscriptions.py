"""Subscribing connected vehicles to the webhook, on both API versions, against the simulator."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import subscriptions
from connect.messages import NO_PROBLEM, SubscriptionProblem
from connect.models import Connection, ConnectionState
from smartcar_api import V3Api
from tests.smartcar import connect, register_webhook, subscribe

both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])


def connected(
    smartcar: str, fleet: Fleet, user: User, api_version: SmartcarApiVersion = SmartcarApiVersion.V3
) -> Connection:
    fleet.api_version = api_version
    fleet.save()
    (connection,) = connect(smartcar, fleet=fleet, user=user, count=1).connections
    return connection


@both
@pytest.mark.django_db(transaction=True)
def test_connected_vehicle_is_subscribed_by_its_task(
    smartcar: str,
    live_server: object,
    settings: Settings,
    fleet: Fleet,
    owner: User,
    run_enqueued: Callable[[], list[str]],
    api_version: SmartcarApiVersion,
) -> None:
    register_webhook(smartcar, f"{settings.SITE_URL}/webhooks/smartcar/")
    connection = connected(smartcar, fleet, owner, api_version)
    assert "connect.tasks.complete_connection" in run_enqueued()
    assert subscribe(connection).subscribed_at is not None
    assert subscriptions.pending_subscriptions() == []


@both
@pytest.mark.django_db(transaction=True)
def test_subscribing_twice_succeeds(
    smartcar: str,
    live_server: object,
    settings: Settings,
    fleet: Fleet,
    owner: User,
    api_version: SmartcarApiVersion,
) -> None:
    register_webhook(smartcar, f"{settings.SITE_URL}/webhooks/smartcar/")
    connection = connected(smartcar, fleet, owner, api_version)
    subscribe(connection)
    Connection.objects.update(subscribed_at=None)
    subscriptions.ensure_subscribed(connection=Connection.objects.get())
    assert Connection.objects.get().subscribed_at is not None


@pytest.mark.django_db
def test_accepted_subscription_is_confirmed_once_smartcar_lists_it(
    smartcar: str, fleet: Fleet, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connected(smartcar, fleet, owner)
    listed: list[bool] = [False, True]
    monkeypatch.setattr(V3Api, "subscribe", lambda *_, **__: None)
    monkeypatch.setattr(V3Api, "is_subscribed", lambda *_, **__: listed.pop(0))
    subscriptions.ensure_subscribed(connection=connection)
    connection.refresh_from_db()
    assert (connection.subscribed_at, connection.subscription_error) == (None, NO_PROBLEM)
    assert connection.next_subscription_try_at is not None
    assert connection.next_subscription_try_at <= timezone.now() + subscriptions.PROPAGATION_DELAY
    subscriptions.ensure_subscribed(connection=connection)
    assert Connection.objects.get().subscribed_at is not None


@pytest.mark.django_db
def test_error_is_stored_and_the_subscription_is_retried_later(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    """No webhook with this ID exists at Smartcar."""
    connection = connected(smartcar, fleet, owner)
    subscriptions.ensure_subscribed(connection=connection)
    connection.refresh_from_db()
    assert connection.subscribed_at is None
    assert connection.subscription_error
    assert subscriptions.pending_subscriptions() == []
    Connection.objects.update(next_subscription_try_at=timezone.now() - timedelta(seconds=1))
    assert subscriptions.pending_subscriptions() == [connection]


@pytest.mark.django_db
def test_missing_webhook_setting_is_named(
    smartcar: str, fleet: Fleet, owner: User, settings: Settings
) -> None:
    connection = connected(smartcar, fleet, owner)
    settings.SMARTCAR_WEBHOOK_ID = ""
    subscriptions.ensure_subscribed(connection=connection)
    connection.refresh_from_db()
    assert connection.subscription_error_code == SubscriptionProblem.NO_WEBHOOK


@pytest.mark.django_db
def test_a_removed_connection_is_not_subscribed(smartcar: str, fleet: Fleet, owner: User) -> None:
    connection = connected(smartcar, fleet, owner)
    connection.move_to(ConnectionState.REMOVED, now=timezone.now())
    subscriptions.ensure_subscribed(connection=connection)
    assert subscriptions.pending_subscriptions() == []
    connection.refresh_from_db()
    assert connection.subscription_error == NO_PROBLEM
