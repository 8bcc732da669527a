"""Taking a delivery in: signature over the raw bytes, a durable inbox row, then the 2xx. Nothing else.

Source: Smartcar documentation, "Delivery Behavior" (any 2xx within 15 s; else four attempts, then dropped).
"""

import logging
from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.doorbell import ring
from webhooks import signature
from webhooks.models import InboxEntry
from webhooks.parsing import Malformed, parse_delivery
from webhooks.parsing.types import VERIFY

logger = logging.getLogger(__name__)

BODY_LIMIT = 256 * 1024
# A VERIFY is small; only what looks like one is parsed before it is stored.
_VERIFY_LIMIT = 4096
_VERIFY_WORDS = (b"VERIFY", b"verify")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What to answer: a status and a small JSON object."""

    status: HTTPStatus
    body: dict[str, str]


def receive(*, raw: bytes, signed: str) -> Receipt:
    """Takes one POST in. `signed` is the SC-Signature header, or empty.

    Database errors are raised: the caller answers 503, and Smartcar tries again.
    """
    if len(raw) > BODY_LIMIT:
        return Receipt(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "The body is larger than 256 KB."})
    challenge = _challenge_in(raw)
    if challenge is not None:
        return _verify(challenge)
    token = signature.matching_token(tokens=settings.SMARTCAR_MANAGEMENT_TOKENS, body=raw, signature=signed)
    if token is None:
        logger.warning("A delivery was refused: %s signature.", "a wrong" if signed else "no")
        return Receipt(
            HTTPStatus.UNAUTHORIZED,
            {"error": "SC-Signature does not fit the body and any of our application management tokens."},
        )
    _store(raw=raw, signed_with=signature.fingerprint(token))
    return Receipt(HTTPStatus.OK, {"status": "received"})


def _challenge_in(raw: bytes) -> str | None:
    if len(raw) > _VERIFY_LIMIT or not any(word in raw for word in _VERIFY_WORDS):
        return None
    try:
        delivery = parse_delivery(raw)
    except Malformed:
        return None
    return delivery.challenge if delivery.event_type == VERIFY else None


def _verify(challenge: str) -> Receipt:
    if not settings.SMARTCAR_MANAGEMENT_TOKENS:
        return Receipt(
            HTTPStatus.SERVICE_UNAVAILABLE, {"error": "SMARTCAR_MANAGEMENT_TOKENS is not set here."}
        )
    answer = signature.answer_to(challenge=challenge, token=settings.SMARTCAR_MANAGEMENT_TOKENS[0])
    if answer is None:
        return Receipt(HTTPStatus.BAD_REQUEST, {"error": "The challenge is not a short plain word."})
    return Receipt(HTTPStatus.OK, {"challenge": answer})


@transaction.atomic
def _store(*, raw: bytes, signed_with: str) -> None:
    InboxEntry.objects.create(received_at=timezone.now(), body=raw, signed_with=signed_with)
    ring("webhooks.tasks.process_inbox")
