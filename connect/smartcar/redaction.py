"""Taking out of a text what may be a secret, before it can reach a log, a page or a repr."""

import re
from collections.abc import Iterable

REMOVED = "[removed]"

# v2 tokens are UUIDs, v3 tokens JWTs, VINs 17 characters: every long run that is not plain words goes.
_RUN = re.compile(r"[A-Za-z0-9_\-.~+/=%]{16,}")
_WORDS = re.compile(r"(?:[A-Z]?[a-z]{0,19}|[A-Z]{0,19})(?:[-_./](?:[A-Z]?[a-z]{0,19}|[A-Z]{0,19}))*")
_BEARER = re.compile(r"(?i)\bbearer\s+\S+")
_EMAIL = re.compile(r"\S+@\S+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets, and without anything that looks like a token, a VIN or an address."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, REMOVED)
    text = _EMAIL.sub(REMOVED, _BEARER.sub(REMOVED, text))
    return _RUN.sub(lambda run: run[0] if _WORDS.fullmatch(run[0]) else REMOVED, text)


def one_line(text: str, *, limit: int) -> str:
    """The text on one line, without control characters, cut to `limit` characters."""
    flat = " ".join(_CONTROL.sub(" ", text).split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"
