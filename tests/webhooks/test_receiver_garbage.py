"""Whatever comes: it is judged, nothing unsigned gets in, and nobody gets a payload signed."""

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
def test_no_bytes_get_in_without_a_true_signature(raw: bytes, signed: str) -> None:
    judged = receiver.verify_request(raw=raw, signed=signed, known=KEYS)
    assert isinstance(judged, WebhookResponse)
    assert judged.status in (200, 400, 401)


@given(raw=st.binary(max_size=300), key=st.sampled_from(KEYS))
def test_any_bytes_get_in_with_one_and_the_key_is_named(raw: bytes, key: SigningKey) -> None:
    judged = receiver.verify_request(raw=raw, signed=sign(token=key.token, message=raw).upper(), known=KEYS)
    assert isinstance(judged, VerifiedDelivery)
    assert (judged.body, judged.application_id, judged.key_fingerprint) == (
        raw,
        key.application_id,
        key.fingerprint,
    )


@given(challenge=ANYTHING, around=ANYTHING, kind=st.sampled_from(["VERIFY", "verify"]))
def test_a_verify_of_any_form_is_answered_or_refused_and_signs_no_payload(
    challenge: Any, around: Any, kind: str
) -> None:
    forms = (
        {"eventType": kind, "data": {"challenge": challenge}, "meta": around},
        {"eventName": kind, "payload": {"challenge": challenge}, "webhookId": around},
    )
    for form in forms:
        judged = receiver.verify_request(raw=json.dumps(form).encode(), signed="", known=KEYS)
        assert isinstance(judged, WebhookResponse)
        assert judged.status in (200, 400, 401)
        if judged.status == 200:
            assert "{" not in challenge
            assert judged.body == {"challenge": sign(token="new", message=challenge.encode())}


@given(chunks=st.lists(st.binary(max_size=50)))
def test_a_body_is_the_same_however_it_is_cut(chunks: list[bytes]) -> None:
    messages: Iterator[Mapping[str, Any]] = iter(
        [
            *({"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks),
            {"type": "http.request"},
        ]
    )

    async def receive() -> Mapping[str, Any]:
        return next(messages)

    assert asyncio.run(asgi._body(receive)) == b"".join(chunks)
