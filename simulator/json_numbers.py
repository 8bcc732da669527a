"""JSON as Smartcar's own servers write it: a whole number never ends in ``.0``.

Smartcar's Node SDK checks a signature over the payload as JavaScript would write it again, so this has to hold.
"""

from typing import Any

import orjson


def dumps(body: Any) -> bytes:
    """``body`` as JSON."""
    return orjson.dumps(whole(body))


def whole(value: Any) -> Any:
    """``value`` with every whole float, however deep, as an int."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, dict):
        return {key: whole(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [whole(each) for each in value]
    return value
