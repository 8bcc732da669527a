"""Signatures and the VERIFY challenge."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks import signature


@given(body=st.binary(), token=st.text(min_size=1))
def test_body_matches_the_token_it_was_signed_with(body: bytes, token: str) -> None:
    signed = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
    assert signature.is_valid(token=token, body=body, signature=signed)


@given(body=st.binary(), signed=st.text())
def test_no_other_signature_matches(body: bytes, signed: str) -> None:
    expected = hmac.new(b"token", body, hashlib.sha256).hexdigest()
    valid = signature.is_valid(token="token", body=body, signature=signed)
    assert valid == (signed.strip().lower() == expected)


def test_the_challenge_is_answered_with_its_hmac() -> None:
    expected = hmac.new(b"token", b"3a5c8f72", hashlib.sha256).hexdigest()
    assert signature.challenge_response(challenge="3a5c8f72", token="token") == expected


@pytest.mark.parametrize("challenge", ["", '{"eventType":"VEHICLE_STATE"}', "a" * 129, "two words", "é"])
def test_challenge_that_is_not_short_and_plain_is_not_signed(challenge: str) -> None:
    assert signature.challenge_response(challenge=challenge, token="token") is None


def test_fingerprint_does_not_contain_the_token() -> None:
    assert "secret" not in signature.fingerprint("secret")
