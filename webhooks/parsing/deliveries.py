"""A webhook delivery, from its raw bytes. The key that names the event decides which reader takes it."""

from collections.abc import Callable
from datetime import datetime

import orjson

from webhooks.messages import DeliveryNote
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
        raise Malformed(DeliveryNote.NOT_JSON) from None
    if not isinstance(message, dict):
        raise Malformed(DeliveryNote.NOT_AN_OBJECT)
    for key, read in _READERS.items():
        if key in message:
            return read(message, raw=raw, received_at=received_at)
    raise Malformed(DeliveryNote.NO_EVENT_NAME)
