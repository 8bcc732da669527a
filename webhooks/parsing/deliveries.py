"""A webhook delivery, from its raw bytes. The key that names the event decides which reader takes it."""

from collections.abc import Callable
from datetime import datetime

import orjson
from django.utils.translation import gettext_noop

from webhooks.parsing.events import read_event
from webhooks.parsing.legacy import read_legacy
from webhooks.parsing.types import Delivery, Malformed

_READERS: dict[str, Callable[..., Delivery]] = {
    "eventType": read_event,
    "eventName": read_legacy,
}


def parse_delivery(raw: bytes, *, received_at: datetime | None = None) -> Delivery:
    """What a delivery says, whichever variant of the payload it is.

    `received_at` is when it came, if known; a car's time after it is taken for a fault. Raises Malformed,
    and nothing else, for what is no event at all and for an event that does not say which vehicle it is on.
    """
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Malformed(gettext_noop("not JSON")) from None
    if not isinstance(message, dict):
        raise Malformed(gettext_noop("not a JSON object"))
    for key, read in _READERS.items():
        if key in message:
            return read(message, raw=raw, received_at=received_at)
    raise Malformed(gettext_noop("neither an eventType nor an eventName"))
