"""Smartcar's webhook signature: hex HMAC-SHA256 of the raw body, keyed by an application management token.

Source: Smartcar documentation, "Verify Payload Signatures" and "Callback URI Verification".
"""

import hashlib
import hmac
import re

_CHALLENGE = re.compile(r"[A-Za-z0-9._~:+/=<>-]{1,128}")


def sign(*, token: str, message: bytes) -> str:
    """Lowercase hex digest."""
    return hmac.digest(token.encode(), message, "sha256").hex()


def is_valid(*, token: str, body: bytes, signature: str) -> bool:
    """Whether the body was signed with the token, in upper or lower case. The time taken does not depend on it."""
    given = signature.strip().lower().encode("ascii", "replace")
    return hmac.compare_digest(sign(token=token, message=body).encode(), given)


def fingerprint(token: str) -> str:
    """A short name for a token, safe to keep and show."""
    return hashlib.sha256(token.encode()).hexdigest()[:8]


def challenge_response(*, challenge: str, token: str) -> str | None:
    """The answer to a VERIFY challenge, or None for one that is not short and plain.

    VERIFY is unsigned, so the endpoint would otherwise sign whatever anyone sends, such as a whole payload.
    """
    if not _CHALLENGE.fullmatch(challenge):
        return None
    return sign(token=token, message=challenge.encode())
