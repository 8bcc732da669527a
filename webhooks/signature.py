"""Smartcar's webhook signature: hex HMAC-SHA256 of the raw body, keyed by an application management token.

Source: Smartcar documentation, "Verify Payload Signatures" and "Callback URI Verification".
"""

import hashlib
import hmac
import re

_CHALLENGE = re.compile(r"[A-Za-z0-9._~:+/=<>-]{1,128}")


def sign(*, token: str, message: bytes) -> str:
    """Returns the lowercase hex digest."""
    return hmac.digest(token.encode(), message, "sha256").hex()


def is_valid(*, token: str, body: bytes, signature: str) -> bool:
    """Returns whether the body was signed with the token. Compares in constant time and ignores case."""
    received = signature.strip().lower().encode("ascii", "replace")
    return hmac.compare_digest(sign(token=token, message=body).encode(), received)


def fingerprint(token: str) -> str:
    """Returns a short identifier of a token that is safe to store and show."""
    return hashlib.sha256(token.encode()).hexdigest()[:8]


def challenge_response(*, challenge: str, token: str) -> str | None:
    """Returns the response to a VERIFY challenge, or None unless the challenge is a short plain word.

    VERIFY events are unsigned. Without this check, the endpoint would sign arbitrary content, such as a whole payload.
    """
    if not _CHALLENGE.fullmatch(challenge):
        return None
    return sign(token=token, message=challenge.encode())
