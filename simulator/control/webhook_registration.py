"""Registering a webhook as the Dashboard does, with the VERIFY challenge."""

import re
import secrets
import uuid
from contextlib import suppress
from typing import Any

import httpx
import orjson

from simulator.deliveries import USER_AGENT
from simulator.payloads import verify
from simulator.settings import VARIANTS
from simulator.signing import is_valid_answer
from simulator.simulation import Simulation
from simulator.vehicles import CATALOGUE
from simulator.webhooks import FLEET_SIGNALS, AlreadySubscribed, Webhook


class VerificationFailed(Exception):  # noqa: N818 - an expected outcome
    """The callback's answer to the challenge was missing or wrong. The message explains why."""


async def register(simulation: Simulation, body: dict[str, Any]) -> Webhook:
    """Create or change a webhook and verify its callback.

    Raises:
        ValueError: The body is invalid.
        VerificationFailed: The callback failed the challenge.
    """
    webhook = _webhook(simulation, body)
    simulation.webhooks.put(webhook)
    simulation.changed = True
    addresses = {webhook.callback_uri, webhook.error_callback_uri or webhook.callback_uri}
    for uri in sorted(addresses):
        await _verify(simulation, webhook, uri)
    webhook.verified = True
    simulation.changed = True
    if webhook.auto_subscribe:
        _subscribe_all(simulation, webhook)
    simulation.feed.recheck()
    return webhook


def _subscribe_all(simulation: Simulation, webhook: Webhook) -> None:
    for connection in simulation.connections.by_key.values():
        with suppress(AlreadySubscribed):
            simulation.feed.subscribe(webhook_id=webhook.id, connection=connection)


def _webhook(simulation: Simulation, body: dict[str, Any]) -> Webhook:
    now = simulation.now()
    known = simulation.webhooks.by_id.get(str(body.get("id")))
    signals = _codes(body, "signals", known.signals if known else FLEET_SIGNALS)
    triggers = _codes(body, "triggers", known.triggers if known and "signals" not in body else signals)
    variant = body.get("variant", known.variant if known else simulation.settings.variant)
    if variant not in VARIANTS:
        raise ValueError(f"variant must be one of {', '.join(VARIANTS)}")
    auto_subscribe = body.get("autoSubscribe", known.auto_subscribe if known else False)
    if not isinstance(auto_subscribe, bool):
        raise ValueError("autoSubscribe must be true or false")
    return Webhook(
        id=str(body.get("id") or uuid.uuid4()),
        name=str(body.get("name") or (known.name if known else "Fleet")),
        callback_uri=_address(body.get("callbackUri", known.callback_uri if known else None), "callbackUri"),
        error_callback_uri=_optional(
            body.get("errorCallbackUri", known.error_callback_uri if known else None)
        ),
        signals=signals,
        triggers=triggers,
        variant=variant,
        auto_subscribe=auto_subscribe,
        created_at=known.created_at if known else now,
        updated_at=now,
    )


def _codes(body: dict[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    codes = body.get(name)
    if codes is None:
        return default
    if not isinstance(codes, list) or any(str(each) not in CATALOGUE for each in codes):
        unknown = [each for each in codes if str(each) not in CATALOGUE] if isinstance(codes, list) else codes
        raise ValueError(f"{name} must be a list of signal codes; unknown: {unknown}")
    return tuple(dict.fromkeys(codes))


def _address(value: Any, name: str) -> str:
    if not isinstance(value, str) or not re.match(r"https?://[^/]+", value):
        raise ValueError(f"{name} must be an http or https address")
    return value


def _optional(value: Any) -> str | None:
    return None if value is None else _address(value, "errorCallbackUri")


async def _verify(simulation: Simulation, webhook: Webhook, uri: str) -> None:
    challenge = secrets.token_hex(16)
    event = verify(
        webhook_id=webhook.id,
        webhook_name=webhook.name,
        variant=webhook.variant,
        challenge=challenge,
        now=simulation.now(),
    )
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    try:
        response = await simulation.sender.client.post(
            uri, content=orjson.dumps(event), headers=headers, timeout=simulation.settings.verify_timeout
        )
    except httpx.HTTPError as failure:
        raise VerificationFailed(f"{uri} did not answer: {type(failure).__name__}") from failure
    if response.status_code != 200:
        raise VerificationFailed(f"{uri} answered {response.status_code}, not 200")
    try:
        digest = response.json()["challenge"]
    except (ValueError, KeyError, TypeError) as error:
        raise VerificationFailed(f"{uri} did not answer with a challenge") from error
    keys = simulation.settings.credentials.management_tokens
    if not is_valid_answer(keys=keys, challenge=challenge, answer=str(digest)):
        raise VerificationFailed(f"{uri} hashed the challenge with another management token")
