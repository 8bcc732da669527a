"""Receives deliveries: checks the signature of the raw bytes, stores a durable inbox row, then responds with 2xx.

Both entry points use it: `webhooks.asgi`, which serves the callback URL in production and inserts in groups, and the
Django view, which inserts one by one.
Source: Smartcar documentation, "Delivery Behavior" (any 2xx within 15 s; else four attempts, then dropped).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from core.task_queue import enqueue_on_commit
from webhooks import keys, signature
from webhooks.keys import SigningKey
from webhooks.models import InboxEntry
from webhooks.parsing import Malformed, parse_delivery
from webhooks.parsing.types import VERIFY, Delivery
from webhooks.rejections import RejectionReason, counter
from webhooks.verifications import verifications

BODY_LIMIT = 256 * 1024
PROCESSING_TASK = "webhooks.tasks.process_inbox"
# A VERIFY event is small. Only a body that may be one is parsed before it is stored.
_VERIFY_LIMIT = 4096
_VERIFY_WORDS = (b"VERIFY", b"verify")
# No challenge that is answered contains a brace, so a challenge's signature fits no body that begins like this (after a
# byte order mark, which some senders add). Bodies aren't parsed here: a delivery that can't be parsed is stored for
# inspection.
_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\{")


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """A response: a status and a small JSON object."""

    status: HTTPStatus
    body: dict[str, str]


@dataclass(frozen=True, slots=True)
class VerifiedDelivery:
    """A delivery with a valid signature, which must be stored before the response."""

    body: bytes
    application_id: int | None
    key_fingerprint: str
    received_at: datetime


RECEIVED = WebhookResponse(HTTPStatus.OK, {"status": "received"})
TOO_LARGE = WebhookResponse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "The body is larger than 256 KB."})
UNAVAILABLE = WebhookResponse(
    HTTPStatus.SERVICE_UNAVAILABLE, {"error": "The database is not available. Send it again."}
)
_UNAUTHORIZED = WebhookResponse(
    HTTPStatus.UNAUTHORIZED,
    {"error": "SC-Signature does not fit the body and any of our application management tokens."},
)
_NO_KEY = WebhookResponse(
    HTTPStatus.SERVICE_UNAVAILABLE, {"error": "SMARTCAR_MANAGEMENT_TOKENS is not set here."}
)
_CHALLENGE = WebhookResponse(HTTPStatus.BAD_REQUEST, {"error": "The challenge is not a short plain word."})

_NOT_AN_OBJECT = WebhookResponse(HTTPStatus.BAD_REQUEST, {"error": "The body is not a JSON object."})


def verify_request(
    *, raw: bytes, signed: str, known: tuple[SigningKey, ...]
) -> VerifiedDelivery | WebhookResponse:
    """Returns the delivery to store, or the response to send at once. `signed` is the SC-Signature header, or "".

    Counts rejections and notes verifications in memory, for `flush_counters`. Performs no I/O.
    """
    if len(raw) > BODY_LIMIT:
        return too_large()
    verification = _verification_in(raw)
    if verification is not None:
        return _verify(verification, known)
    key = keys.matching_key(known, body=raw, signed=signed) if signed else None
    if key is None:
        counter.count(RejectionReason.BADLY_SIGNED if signed else RejectionReason.UNSIGNED)
        return _UNAUTHORIZED
    if not _OBJECT.match(raw):
        counter.count(RejectionReason.NOT_AN_OBJECT)
        return _NOT_AN_OBJECT
    return VerifiedDelivery(
        body=raw,
        application_id=key.application_id,
        key_fingerprint=key.fingerprint,
        received_at=timezone.now(),
    )


def too_large() -> WebhookResponse:
    """Counts a body over the limit and returns the response."""
    counter.count(RejectionReason.TOO_LARGE)
    return TOO_LARGE


def receive(*, raw: bytes, signed: str) -> WebhookResponse:
    """Verifies and stores one POST, enqueues its processing and returns the response."""
    try:
        result = verify_request(raw=raw, signed=signed, known=keys.current())
        if isinstance(result, VerifiedDelivery):
            _store(result)
    except DatabaseError:
        return UNAVAILABLE
    if counter.due() or verifications.due():
        flush_counters()
    return RECEIVED if isinstance(result, VerifiedDelivery) else result


def flush_counters() -> None:
    """Stores the counted rejections and noted verifications."""
    counter.write()
    verifications.write()


def _verification_in(raw: bytes) -> Delivery | None:
    if len(raw) > _VERIFY_LIMIT or not any(word in raw for word in _VERIFY_WORDS):
        return None
    try:
        delivery = parse_delivery(raw)
    except Malformed:
        return None
    return delivery if delivery.event_type == VERIFY else None


def _verify(delivery: Delivery, known: tuple[SigningKey, ...]) -> WebhookResponse:
    key = keys.key_for_verification(known, webhook_id=delivery.webhook_id)
    if key is None:
        return _NO_KEY
    response = signature.challenge_response(challenge=delivery.challenge, token=key.token)
    if response is None:
        counter.count(RejectionReason.CHALLENGE)
        return _CHALLENGE
    verifications.note(key.application_id)
    return WebhookResponse(HTTPStatus.OK, {"challenge": response})


@transaction.atomic
def _store(delivery: VerifiedDelivery) -> None:
    with connection.cursor() as cursor:  # durable even if the server's default is asynchronous commit
        cursor.execute("SET LOCAL synchronous_commit TO on")
    InboxEntry.objects.create(
        body=delivery.body,
        application_id=delivery.application_id,
        key_fingerprint=delivery.key_fingerprint,
        received_at=delivery.received_at,
    )
    enqueue_on_commit(PROCESSING_TASK)
