"""Receiving deliveries by both endpoints: the ASGI middleware in front of Django, and the Django view."""

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
class Endpoint:
    """One way to send a request. `post` adds a valid signature unless another is given ("" for none)."""

    name: str
    request: Callable[..., Any]

    def post(self, body: bytes, *, signed: str | None = None) -> Any:
        signed = (
            sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=body) if signed is None else signed
        )
        return self.request("POST", body, {"SC-Signature": signed} if signed else {})


def by_asgi(method: str, body: bytes, headers: dict[str, str], address: str = ADDRESS) -> httpx.Response:
    async def send() -> httpx.Response:
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(application)) as client:
                return await client.request(
                    method, f"http://testserver{address}", content=body, headers=headers
                )
        finally:
            await application.close()

    return asyncio.run(send())


def by_view(method: str, body: bytes, headers: dict[str, str], address: str = ADDRESS) -> Any:
    return Client(headers=headers).generic(method, address, data=body, content_type="application/json")


@pytest.fixture(params=[by_asgi, by_view], ids=["asgi", "view"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    counter.write()
    RejectedDeliveryCount.objects.all().delete()
    return Endpoint(request.param.__name__, request.param)


def rejected() -> dict[str, int]:
    """Returns the counts of rejected deliveries, after writing them."""
    counter.write()
    return dict(RejectedDeliveryCount.objects.values_list("reason", "count"))


def test_a_signed_delivery_is_stored_byte_for_byte_before_the_200(endpoint: Endpoint) -> None:
    answer = endpoint.post(BODY)
    assert (answer.status_code, answer.json()) == (200, {"status": "received"})
    entry = InboxEntry.objects.get()
    assert (bytes(entry.body), entry.state) == (BODY, EntryState.WAITING)


def test_url_without_a_trailing_slash_is_accepted(endpoint: Endpoint) -> None:
    signed = sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=BODY)
    answer = endpoint.request("POST", BODY, {"SC-Signature": signed}, ADDRESS.rstrip("/"))
    assert (answer.status_code, InboxEntry.objects.count()) == (200, 1)


def test_both_endpoints_store_the_same_row() -> None:
    for request in (by_asgi, by_view):
        Endpoint("", request).post(BODY)
    first, second = InboxEntry.objects.defer("id", "received_at").values()
    for row in (first, second):
        row["body"] = bytes(row["body"])
        del row["id"], row["received_at"]
    assert first == second


def test_worker_is_notified_after_the_row_is_stored(
    endpoint: Endpoint, run_enqueued: Callable[[], list[str]]
) -> None:
    endpoint.post(BODY)
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
def test_delivery_without_a_valid_signature_is_rejected_counted_and_not_stored(
    endpoint: Endpoint, signed: str, reason: RejectionReason
) -> None:
    assert [endpoint.post(BODY, signed=signed).status_code for _ in range(3)] == [401] * 3
    assert rejected() == {reason: 3}
    assert not InboxEntry.objects.exists()


def test_daily_counts_add_up_in_one_row_per_reason(endpoint: Endpoint) -> None:
    for _ in range(2):
        endpoint.post(BODY, signed="")
        assert rejected()
    assert RejectedDeliveryCount.objects.get().count == 2


def test_counts_are_retained_while_the_database_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise DatabaseError

    counter.count(RejectionReason.UNSIGNED)
    with monkeypatch.context() as patched:
        patched.setattr("webhooks.rejections._add", broken)
        counter.write()
    assert rejected() == {RejectionReason.UNSIGNED: 1}


def test_one_changed_byte_breaks_the_signature(endpoint: Endpoint) -> None:
    signed = sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=BODY)
    assert endpoint.post(BODY + b" ", signed=signed).status_code == 401


def test_any_management_token_is_accepted_and_recorded(endpoint: Endpoint, settings: Settings) -> None:
    settings.SMARTCAR_MANAGEMENT_TOKENS = ["new", "old"]
    assert endpoint.post(BODY, signed=sign(token="old", message=BODY)).status_code == 200
    entry = InboxEntry.objects.get()
    assert (entry.application, entry.key_fingerprint) == (None, fingerprint("old"))


def test_signed_invalid_body_is_stored_for_inspection(endpoint: Endpoint) -> None:
    assert endpoint.post(b'{"eventType": "VEHICLE').status_code == 200
    assert InboxEntry.objects.count() == 1


@pytest.mark.parametrize(
    "body", [b"12345", b"-1e5", b"null", b'"text"', b"[{}]", b"\x00 not json", b"", b" "]
)
def test_signed_body_that_is_no_json_object_is_rejected_counted_and_not_stored(
    endpoint: Endpoint, body: bytes
) -> None:
    answer = endpoint.post(body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert rejected() == {RejectionReason.NOT_AN_OBJECT: 1}
    assert not InboxEntry.objects.exists()


def test_the_signature_of_a_numeric_challenge_is_not_accepted_for_a_delivery(endpoint: Endpoint) -> None:
    verify = {"eventId": "e", "eventType": "VERIFY", "data": {"challenge": "12345"}}
    signed = endpoint.post(json.dumps(verify).encode(), signed="").json()["challenge"]
    assert endpoint.post(b"12345", signed=signed).status_code == 400
    assert not InboxEntry.objects.exists()


def test_an_object_after_a_byte_order_mark_is_accepted(endpoint: Endpoint) -> None:
    assert endpoint.post(b"\xef\xbb\xbf {}").status_code == 200
    assert InboxEntry.objects.count() == 1


def test_body_at_the_limit_is_accepted_and_a_larger_one_rejected(endpoint: Endpoint) -> None:
    assert endpoint.post(b"{" * receiver.BODY_LIMIT).status_code == 200
    assert endpoint.post(b"{" * (receiver.BODY_LIMIT + 1)).status_code == 413
    assert InboxEntry.objects.count() == 1
    assert rejected() == {RejectionReason.TOO_LARGE: 1}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_allowed(endpoint: Endpoint, method: str) -> None:
    answer = endpoint.request(method, b"", {})
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
def test_verify_is_answered_as_documented_without_a_signature(endpoint: Endpoint, name: str) -> None:
    body = (PAYLOADS / name).read_bytes()
    content = json.loads(body)
    challenge = content["data"]["challenge"] if "data" in content else content["payload"]["challenge"]
    answer = endpoint.post(body, signed="")
    assert answer.status_code == 200
    assert answer.json() == {
        "challenge": sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=challenge.encode())
    }
    assert not InboxEntry.objects.exists()


def test_verify_is_answered_with_the_key_of_the_webhooks_application() -> None:
    known = (
        keys.SigningKey(token="first", webhook_id="one"),
        keys.SigningKey(token="second", webhook_id="two"),
    )
    selected = [
        keys.key_for_verification(known, webhook_id=webhook_id) for webhook_id in ("two", "one", "new", "")
    ]
    assert [key.token for key in selected if key] == ["second", "first", "first", "first"]


def test_verify_without_a_key_names_the_missing_setting(endpoint: Endpoint, settings: Settings) -> None:
    settings.SMARTCAR_MANAGEMENT_TOKENS = []
    answer = endpoint.post((PAYLOADS / "documentation/verify-4.0.json").read_bytes(), signed="")
    assert answer.status_code == 503
    assert "SMARTCAR_MANAGEMENT_TOKENS" in answer.json()["error"]


def test_the_endpoint_does_not_sign_a_payload_sent_as_a_challenge(endpoint: Endpoint) -> None:
    verify = {"eventId": "e", "eventType": "VERIFY", "data": {"challenge": BODY.decode()}}
    answer = endpoint.post(json.dumps(verify).encode(), signed="")
    assert answer.status_code == 400
    assert sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=BODY) not in answer.content.decode()
    assert rejected() == {RejectionReason.CHALLENGE: 1}


def test_smartcar_is_asked_to_retry_while_the_database_is_unavailable(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable() -> None:
        raise OSError

    def broken(_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(writer, "_connect", unreachable)
    monkeypatch.setattr(receiver, "_store", broken)
    answer = endpoint.post(BODY)
    assert answer.status_code == 503
    assert "again" in answer.json()["error"]


def test_unavailable_broker_does_not_reject_a_delivery(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(current_app, "send_task", unavailable)
    assert endpoint.post(BODY).status_code == 200
    assert InboxEntry.objects.count() == 1


def test_other_paths_reach_django() -> None:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.get("/healthz")

    assert asyncio.run(send()).text == "ok\n"
