"""Parsers for single fields of untrusted payloads. Each accepts any JSON value and never raises."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from vehicles import structured_values
from webhooks.parsing.types import Mode

_ID_LIMIT = 128
_MODES: dict[str, Mode] = {"live": "live", "simulated": "simulated", "test": "test"}
_CODE = re.compile(r"[A-Za-z0-9._-]{1,100}")


def mapping(raw: Any) -> Mapping[str, Any]:
    """Returns an object, or an empty one for anything else."""
    return raw if isinstance(raw, dict) else {}


def items(raw: Any) -> list[Any]:
    """Returns a list, or an empty one for anything else."""
    return raw if isinstance(raw, list) else []


def text(raw: Any, limit: int = 200) -> str:
    """Returns trimmed text of at most `limit` characters, or "" for anything else."""
    return structured_values.text(raw, limit) if isinstance(raw, str) else ""


def upper(raw: Any) -> str:
    """Returns text in upper case, the form of Smartcar's types and codes."""
    return text(raw).upper()


def identifier(raw: Any) -> str:
    """Returns an ID as text, or "" if there is none or it is too long. A truncated ID would be a different one."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    found = text(raw, _ID_LIMIT + 1)
    return found if len(found) <= _ID_LIMIT else ""


def digest_id(raw: bytes) -> str:
    """Returns the event ID for a delivery that has none, which identifies identical repetitions."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def signal_like(raw: Any) -> str:
    """Returns a possible signal code in lower case, or "" for anything else."""
    return raw.lower() if isinstance(raw, str) and _CODE.fullmatch(raw) else ""


def integer(raw: Any, *, low: int, high: int) -> int | None:
    """Returns an integer within the bounds, also from text of digits, or None for anything else."""
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 20:
        raw = int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and low <= raw <= high:
        return raw
    return None


def first(sources: Mapping[str, Any], *keys: str) -> Any:
    """Returns the value of the first key whose value isn't null, or None."""
    return next((sources[key] for key in keys if sources.get(key) is not None), None)


def mode(raws: Iterable[Any]) -> Mode:
    """Returns the mode of a delivery from the modes of its parts: "test" if any part is a test, else the first mode."""
    modes = [known for raw in raws if (known := _MODES.get(text(raw).lower()))]
    return "test" if "test" in modes else next(iter(modes), "")
