"""Any input is handled: nothing unsigned is accepted, and no payload is signed."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from webhooks import asgi, receiver
from webhooks.keys import SigningKey
from webhooks.receiver import VerifiedDelivery, WebhookResponse
from webhooks.signature import sign

KEYS = (SigningKey(token="new"), SigningKey(token="old", application_id=5))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["challenge", "data", "meta", "payload"]), inner)
    ),
)


@given(raw=st.binary(max_size=300), signed=st.text(max_size=80))
def test_no_bytes_are_accepted_without_a_valid_signature(raw: bytes, signed: str) -> None:
    result = receiver.verify_request(raw=raw, signed=signed, known=KEYS)
    assert isinstance(result, WebhookResponse)
    assert result.status in (200, 400, 401)


@given(raw=st.binary(max_size=300), key=st.sampled_from(KEYS))
def test_any_signed_bytes_are_accepted_and_the_key_is_recorded(raw: bytes, key: SigningKey) -> None:
    result = receiver.verify_request(raw=raw, signed=sign(token=key.token, message=raw).upper(), known=KEYS)
    assert isinstance(result, VerifiedDelivery)
    assert (result.body, result.application_id, result.key_fingerprint) == (
        raw,
        key.application_id,
        key.fingerprint,
    )


@given(challenge=ANYTHING, around=ANYTHING, kind=st.sampled_from(["VERIFY", "verify"]))
def test_any_verify_is_answered_or_rejected_and_signs_no_payload(
    challenge: Any, around: Any, kind: str
) -> None:
    forms = (
        {"eventType": kind, "data": {"challenge": challenge}, "meta": around},
        {"eventName": kind, "payload": {"challenge": challenge}, "webhookId": around},
    )
    for form in forms:
        result = receiver.verify_request(raw=json.dumps(form).encode(), signed="", known=KEYS)
        assert isinstance(result, WebhookResponse)
        assert result.status in (200, 400, 401)
        if result.status == 200:
            assert "{" not in challenge
            assert result.body == {"challenge": sign(token="new", message=challenge.encode())}


@given(chunks=st.lists(st.binary(max_size=50)))
def test_body_does_not_depend_on_its_chunks(chunks: list[bytes]) -> None:
    messages: Iterator[Mapping[str, Any]] = iter(
        [
            *({"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks),
            {"type": "http.request"},
        ]
    )

    async def receive() -> Mapping[str, Any]:
        return next(messages)

    assert asyncio.run(asgi._body(receive)) == b"".join(chunks)
