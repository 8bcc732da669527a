"""Taking deliveries in, on both roads: the ASGI application in front of Django, and the Django view."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from celery import current_app
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from pytest_django import Settings

from fleet.asgi import application
from tests.webhooks.helpers import ADDRESS, PAYLOADS, state_of
from webhooks import keys, receiver, writer
from webhooks.models import EntryState, InboxEntry, RejectedDeliveryCount
from webhooks.rejections import RejectionReason, counter
from webhooks.signature import fingerprint, sign

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("run_enqueued")]
BODY = state_of("car", locked=True, at=1_760_000_000_000)


@dataclass(frozen=True)
class Road:
    """One way in. `post` signs truly unless another signature is given ("" for none)."""

    name: str
    request: Callable[..., Any]

    def post(self, body: bytes, *, signed: str | None = None) -> Any:
        signed = (
            sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=body) if signed is None else signed
        )
        return self.request("POST", body, {"SC-Signature": signed} if signed else {})


def by_asgi(method: str, body: bytes, headers: dict[str, str], address: str = ADDRESS) -> httpx.Response:
    async def ask() -> httpx.Response:
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(application)) as client:
                return await client.request(
                    method, f"http://testserver{address}", content=body, headers=headers
                )
        finally:
            await application.close()

    return asyncio.run(ask())


def by_view(method: str, body: bytes, headers: dict[str, str], address: str = ADDRESS) -> Any:
    return Client(headers=headers).generic(method, address, data=body, content_type="application/json")


@pytest.fixture(params=[by_asgi, by_view], ids=["asgi", "view"])
def road(request: pytest.FixtureRequest) -> Road:
    counter.write()
    RejectedDeliveryCount.objects.all().delete()
    return Road(request.param.__name__, request.param)


def refused() -> dict[str, int]:
    """What was counted, once it is written down."""
    counter.write()
    return dict(RejectedDeliveryCount.objects.values_list("reason", "count"))


def test_a_signed_delivery_is_stored_byte_for_byte_before_the_200(road: Road) -> None:
    answer = road.post(BODY)
    assert (answer.status_code, answer.json()) == (200, {"status": "received"})
    entry = InboxEntry.objects.get()
    assert (bytes(entry.body), entry.state) == (BODY, EntryState.WAITING)


def test_the_address_is_taken_without_its_last_slash_too(road: Road) -> None:
    signed = sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=BODY)
    answer = road.request("POST", BODY, {"SC-Signature": signed}, ADDRESS.rstrip("/"))
    assert (answer.status_code, InboxEntry.objects.count()) == (200, 1)


def test_both_roads_store_the_same_row() -> None:
    for request in (by_asgi, by_view):
        Road("", request).post(BODY)
    first, second = InboxEntry.objects.defer("id", "received_at").values()
    for row in (first, second):
        row["body"] = bytes(row["body"])
        del row["id"], row["received_at"]
    assert first == second


def test_the_worker_is_rung_once_the_row_is_in(road: Road, run_enqueued: Callable[[], list[str]]) -> None:
    road.post(BODY)
    assert run_enqueued() == ["webhooks.tasks.process_inbox"]


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        ("", RejectionReason.UNSIGNED),
        ("0" * 64, RejectionReason.BADLY_SIGNED),
        ("nonsense", RejectionReason.BADLY_SIGNED),
        ("?", RejectionReason.BADLY_SIGNED),
    ],
)
def test_what_is_not_truly_signed_is_refused_counted_and_not_stored(
    road: Road, signed: str, reason: RejectionReason
) -> None:
    assert [road.post(BODY, signed=signed).status_code for _ in range(3)] == [401] * 3
    assert refused() == {reason: 3}
    assert not InboxEntry.objects.exists()


def test_counts_of_a_day_add_up_in_one_row_for_a_reason(road: Road) -> None:
    for _ in range(2):
        road.post(BODY, signed="")
        assert refused()
    assert RejectedDeliveryCount.objects.get().count == 2


def test_counts_are_kept_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise DatabaseError

    counter.count(RejectionReason.UNSIGNED)
    with monkeypatch.context() as patched:
        patched.setattr("webhooks.rejections._add", broken)
        counter.write()
    assert refused() == {RejectionReason.UNSIGNED: 1}


def test_one_changed_byte_breaks_the_signature(road: Road) -> None:
    signed = sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=BODY)
    assert road.post(BODY + b" ", signed=signed).status_code == 401


def test_any_of_several_management_tokens_is_taken_and_recorded(road: Road, settings: Settings) -> None:
    settings.SMARTCAR_MANAGEMENT_TOKENS = ["new", "old"]
    assert road.post(BODY, signed=sign(token="old", message=BODY)).status_code == 200
    entry = InboxEntry.objects.get()
    assert (entry.application, entry.key_fingerprint) == (None, fingerprint("old"))


def test_signed_garbage_is_stored_for_a_person_to_see(road: Road) -> None:
    assert road.post(b"\x00 not json").status_code == 200
    assert InboxEntry.objects.count() == 1


def test_a_body_at_the_limit_is_taken_and_one_over_it_refused(road: Road) -> None:
    assert road.post(b"x" * receiver.BODY_LIMIT).status_code == 200
    assert road.post(b"x" * (receiver.BODY_LIMIT + 1)).status_code == 413
    assert InboxEntry.objects.count() == 1
    assert refused() == {RejectionReason.TOO_LARGE: 1}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_allowed(road: Road, method: str) -> None:
    answer = road.request(method, b"", {})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "name",
    [
        "documentation/verify-4.0.json",
        "documentation/verify-2.0.json",
        "documentation/callback-verification-4.0.json",
        "documentation/callback-verification-2.0.json",
        "variants/verify-4.0-iso-time.json",
    ],
)
def test_verify_is_answered_as_documented_without_a_signature(road: Road, name: str) -> None:
    body = (PAYLOADS / name).read_bytes()
    content = json.loads(body)
    challenge = content["data"]["challenge"] if "data" in content else content["payload"]["challenge"]
    answer = road.post(body, signed="")
    assert answer.status_code == 200
    assert answer.json() == {
        "challenge": sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=challenge.encode())
    }
    assert not InboxEntry.objects.exists()


def test_verify_is_answered_with_the_key_of_the_webhooks_own_application() -> None:
    known = (
        keys.SigningKey(token="first", webhook_id="one"),
        keys.SigningKey(token="second", webhook_id="two"),
    )
    chosen = [
        keys.key_for_verification(known, webhook_id=webhook_id) for webhook_id in ("two", "one", "new", "")
    ]
    assert [key.token for key in chosen if key] == ["second", "first", "first", "first"]


def test_verify_without_any_key_says_what_is_missing(road: Road, settings: Settings) -> None:
    settings.SMARTCAR_MANAGEMENT_TOKENS = []
    answer = road.post((PAYLOADS / "documentation/verify-4.0.json").read_bytes(), signed="")
    assert answer.status_code == 503
    assert "SMARTCAR_MANAGEMENT_TOKENS" in answer.json()["error"]


def test_the_endpoint_does_not_sign_a_payload_sent_as_a_challenge(road: Road) -> None:
    verify = {"eventId": "e", "eventType": "VERIFY", "data": {"challenge": BODY.decode()}}
    answer = road.post(json.dumps(verify).encode(), signed="")
    assert answer.status_code == 400
    assert sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=BODY) not in answer.content.decode()
    assert refused() == {RejectionReason.CHALLENGE: 1}


def test_without_the_database_smartcar_is_asked_to_send_again(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable() -> None:
        raise OSError

    def broken(_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(writer, "_connect", unreachable)
    monkeypatch.setattr(receiver, "_store", broken)
    answer = road.post(BODY)
    assert answer.status_code == 503
    assert "again" in answer.json()["error"]


def test_a_silent_broker_does_not_refuse_a_delivery(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(current_app, "send_task", silent)
    assert road.post(BODY).status_code == 200
    assert InboxEntry.objects.count() == 1


def test_other_addresses_reach_django() -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.get("/healthz")

    assert asyncio.run(ask()).text == "ok\n"
