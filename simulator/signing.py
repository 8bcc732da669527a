"""Smartcar's signatures: HMAC-SHA256 in lowercase hex, keyed with the application management token."""

import hashlib
import hmac


def signature(key: str, body: bytes) -> str:
    """Return the SC-Signature of a raw request body, which is also the answer to a VERIFY challenge."""
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def is_valid_answer(*, keys: tuple[str, ...], challenge: str, answer: str) -> bool:
    """Return whether ``answer`` is the challenge hashed with one of the application's management tokens."""
    encoded = answer.encode()
    return any(hmac.compare_digest(signature(key, challenge.encode()).encode(), encoded) for key in keys)
