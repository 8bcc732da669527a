"""JSON as Smartcar's own servers write it: a whole number never ends in ``.0``.

Smartcar's Node SDK verifies a signature over the payload as JavaScript serializes it, so the numbers must match.
"""

from typing import Any

import orjson


def dumps(body: Any) -> bytes:
    """Return ``body`` as JSON."""
    return orjson.dumps(whole(body))


def whole(value: Any) -> Any:
    """Return ``value`` with every whole float, at any depth, as an int."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, dict):
        return {key: whole(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [whole(each) for each in value]
    return value
