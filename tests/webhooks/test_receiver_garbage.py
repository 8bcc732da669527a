"""Any input is handled: nothing unsigned is accepted, and no payload is signed."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.request_body import read_body
from webhooks import receiver
from webhooks.keys import SigningKey
from webhooks.receiver import VerifiedDelivery, WebhookResponse
from webhooks.signature import challenge_response, sign

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


@given(rest=st.binary(max_size=300), space=st.sampled_from([b"", b" ", b"\r\n\t"]), key=st.sampled_from(KEYS))
def test_any_signed_object_is_accepted_and_the_key_is_recorded(
    rest: bytes, space: bytes, key: SigningKey
) -> None:
    raw = space + b"{" + rest
    result = receiver.verify_request(raw=raw, signed=sign(token=key.token, message=raw).upper(), known=KEYS)
    assert isinstance(result, VerifiedDelivery)
    assert (result.body, result.application_id, result.key_fingerprint) == (
        raw,
        key.application_id,
        key.fingerprint,
    )


@given(value=ANYTHING.filter(lambda value: not isinstance(value, dict)), key=st.sampled_from(KEYS))
def test_signed_json_that_is_not_an_object_is_rejected(value: Any, key: SigningKey) -> None:
    raw = json.dumps(value).encode()
    result = receiver.verify_request(raw=raw, signed=sign(token=key.token, message=raw), known=KEYS)
    assert isinstance(result, WebhookResponse)
    assert result.status == 400


# Challenges that are JSON by themselves, and any others.
@given(
    challenge=st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,5})?(e[+-]?[0-9]{1,3})?", fullmatch=True)
    | st.sampled_from(["true", "false", "null", "NaN", "Infinity"])
    | st.from_regex(r"[A-Za-z0-9._~:+/=<>-]{1,128}", fullmatch=True)
    | st.text(max_size=150)
)
def test_the_signature_of_a_challenge_never_passes_as_a_deliverys(challenge: str) -> None:
    verify = {"eventType": "VERIFY", "data": {"challenge": challenge}}
    answer = receiver.verify_request(raw=json.dumps(verify).encode(), signed="", known=KEYS)
    assert isinstance(answer, WebhookResponse)
    assert (answer.status == 200) == (challenge_response(challenge=challenge, token="new") is not None)
    signed = answer.body.get("challenge", sign(token="other", message=challenge.encode()))
    result = receiver.verify_request(raw=challenge.encode(), signed=signed, known=KEYS)
    assert isinstance(result, WebhookResponse)
    assert result.status in (400, 401)


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

    assert asyncio.run(read_body(receive, limit=10**6, seconds=10)) == b"".join(chunks)
