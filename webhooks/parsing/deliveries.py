"""Parses a webhook delivery from its raw bytes. The key that names the event determines the reader."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from core.json_reading import read_json
from webhooks.messages import DeliveryNote
from webhooks.parsing.events import read_event
from webhooks.parsing.legacy import read_legacy
from webhooks.parsing.types import Delivery, Malformed

_READERS: dict[str, Callable[..., Delivery]] = {
    "eventType": read_event,
    "eventName": read_legacy,
}


def parse_delivery(raw: bytes, *, received_at: datetime | None = None) -> Delivery:
    """Parses a delivery with any variant of the payload.

    `received_at` is the time of receipt, if known; later vehicle times are considered faulty. A damaged body is read as
    far as possible. Raises only Malformed: for a body that isn't an event, and for an event that doesn't name its
    vehicle.
    """
    try:
        document = read_json(raw)
    except ValueError:
        raise Malformed(DeliveryNote.NOT_JSON) from None
    message = document.value
    if not isinstance(message, dict):
        raise Malformed(DeliveryNote.NOT_AN_OBJECT)
    for key, read in _READERS.items():
        if key in message:
            delivery = read(message, raw=raw, received_at=received_at)
            return replace(delivery, repairs=document.repairs) if document.repairs else delivery
    raise Malformed(DeliveryNote.NO_EVENT_NAME)
