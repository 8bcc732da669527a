"""Going through the simulator's Connect without a browser."""

import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from django.conf import settings
from redis import Redis

from accounts.models import Fleet, User
from connect import oauth, subscriptions
from connect.models import Connection
from connect.oauth import CallbackResult
from smartcar_api.ratelimit import cooldowns, redis_fallback

SESSION = "one browser session"


def authorize(simulator_url: str, url: str, **choices: Any) -> dict[str, str]:
    """Returns the callback parameters for the Connect URL; `choices` are those of the simulator's /control/grants."""
    query = dict(parse_qsl(urlsplit(url).query))
    params = {"applicationId": query.get("application_id") or query["client_id"]}
    body = {"url": url, **choices}
    answer = httpx.post(f"{simulator_url}/control/grants", params=params, json=body, timeout=30)
    answer.raise_for_status()
    return dict(parse_qsl(urlsplit(answer.json()["redirect"]).query))


def connect(simulator_url: str, *, fleet: Fleet, user: User, **choices: Any) -> CallbackResult:
    """Complete an authorization. Returns its result."""
    url = oauth.start(fleet=fleet, user=user, session_secret=SESSION)
    params = authorize(simulator_url, url, **choices)
    return oauth.handle_callback(params=params, user=user, session_secret=SESSION)


def reset(simulator_url: str) -> None:
    """Delete the simulator's grants, tokens, subscriptions and faults, and our record of its rate limits."""
    reset_budget()
    httpx.post(f"{simulator_url}/control/reset", json={"webhooks": True}, timeout=30).raise_for_status()
    httpx.delete(f"{simulator_url}/control/troubles", timeout=30).raise_for_status()


def reset_budget() -> None:
    """Refill the request budget, close breakers and end cooldowns."""
    redis_fallback.retry_redis()
    cooldowns.clear_local()
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{redis_fallback.PREFIX}:*"):
            redis.delete(key)


def register_webhook(simulator_url: str, callback: str) -> None:
    """Register the webhook of the settings with the simulator, delivering to `callback`, and verify it."""
    webhook = {"id": settings.SMARTCAR_WEBHOOK_ID, "name": "Tests", "callbackUri": callback}
    answer = httpx.post(f"{simulator_url}/control/webhooks", json=webhook, timeout=30)
    assert answer.json().get("verified"), answer.text


def subscribe(connection: Connection) -> Connection:
    """Subscribe the vehicle and wait until Smartcar lists it, which takes a moment on v3."""
    deadline = time.monotonic() + 20
    while True:
        subscriptions.ensure_subscribed(connection=connection)
        connection.refresh_from_db()
        if connection.subscribed_at is not None:
            return connection
        assert not connection.subscription_error, connection.subscription_error
        assert time.monotonic() < deadline, "the subscription did not come about"
        time.sleep(0.1)
