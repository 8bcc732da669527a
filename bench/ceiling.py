"""The ceiling of `receive`: the product's own receiver, which checks each signature and then stores nothing.

No receiver on this server can be faster. What the product needs beyond this is the price of storing deliveries.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from core.request_body import Receive
from fleet.asgi import django_application
from webhooks.asgi import DeliveryHandler, Scope, Send, WebhookMiddleware
from webhooks.receiver import VerifiedDelivery
from webhooks.writer import Writer


class _Discarding(Writer):
    """Discards what it is to store."""

    async def store(self, delivery: VerifiedDelivery) -> None:
        return None


class _Handler(DeliveryHandler):
    def __init__(self) -> None:
        super().__init__()
        self._writer = _Discarding(stored=lambda: None)


class _Ceiling(WebhookMiddleware):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._handler is None:
            self._handler = _Handler()
        await super().__call__(scope, receive, send)


application: Any = _Ceiling(
    path=reverse("webhooks:smartcar"), app=django_application, on_startup=lambda: None
)
