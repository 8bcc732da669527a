"""Removes possible secrets from texts before they can reach a log, a page or a repr."""

import re
from collections.abc import Iterable

REMOVED = "[removed]"
_SHORTEST = 4

# v2 tokens are UUIDs, v3 tokens JWTs, VINs 17 characters: every long run that isn't plain words is removed.
_RUN = re.compile(r"[A-Za-z0-9_\-.~+/=%]{16,}")
_BETWEEN_WORDS = re.compile(r"[-_./]")
_WORD = re.compile(r"[A-Z]?[a-z]{0,20}|[A-Z]{2,20}")
_BEARER = re.compile(r"(?i)\bbearer\s+\S+")
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")
_COORDINATES = re.compile(r"-?\b\d{1,3}\.\d{3,}\s*[,;/ ]\s*-?\d{1,3}\.\d{3,}\b")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Returns the text without the given secrets and anything that looks like a token, a VIN, an email address or
    coordinates.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, REMOVED)
    text = _COORDINATES.sub(REMOVED, _EMAIL.sub(REMOVED, _BEARER.sub(REMOVED, text)))
    return _RUN.sub(lambda run: run[0] if _is_words(run[0]) else REMOVED, text)


def _is_words(run: str) -> bool:
    return all(_WORD.fullmatch(part) for part in _BETWEEN_WORDS.split(run))


def one_line(text: str, *, limit: int) -> str:
    """Returns the text on one line, without control characters, cut to `limit` characters."""
    flat = " ".join(_CONTROL.sub(" ", text).split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"
