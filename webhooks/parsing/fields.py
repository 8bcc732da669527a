"""Readers of single fields of a message that may hold anything: each takes any JSON value and never fails."""

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
    """An object, or an empty one in place of anything else."""
    return raw if isinstance(raw, dict) else {}


def items(raw: Any) -> list[Any]:
    """A list, or an empty one in place of anything else."""
    return raw if isinstance(raw, list) else []


def text(raw: Any, limit: int = 200) -> str:
    """Trimmed text of at most `limit` characters; "" in place of anything else."""
    return structured_values.text(raw, limit) if isinstance(raw, str) else ""


def upper(raw: Any) -> str:
    """Text in upper case, as Smartcar writes its types and codes."""
    return text(raw).upper()


def identifier(raw: Any) -> str:
    """An id as text; "" for none, and for one too long to be an id: half an id names another thing."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    found = text(raw, _ID_LIMIT + 1)
    return found if len(found) <= _ID_LIMIT else ""


def digest_of(raw: bytes) -> str:
    """What stands in for the id of a message that has none: identical repeats are recognised by it."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def signal_like(raw: Any) -> str:
    """What can be a signal's code, in lower case; "" for anything else."""
    return raw.lower() if isinstance(raw, str) and _CODE.fullmatch(raw) else ""


def integer(raw: Any, *, low: int, high: int) -> int | None:
    """A whole number within bounds, also from digits in text; None in place of anything else."""
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 20:
        raw = int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and low <= raw <= high:
        return raw
    return None


def first(sources: Mapping[str, Any], *keys: str) -> Any:
    """The first of the keys that holds something."""
    return next((sources[key] for key in keys if sources.get(key) is not None), None)


def mode(raws: Iterable[Any]) -> Mode:
    """The mode of a message in which several parts may tell one: "test" if any does, else the first told."""
    told = [known for raw in raws if (known := _MODES.get(text(raw).lower()))]
    return "test" if "test" in told else next(iter(told), "")
