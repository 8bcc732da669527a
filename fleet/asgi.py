"""The ASGI entry point: `granian --interface asgi fleet.asgi:application`."""

import os

from django.core.asgi import get_asgi_application
from django.urls import reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleet.settings")

django_application = get_asgi_application()

from fleet.body_limit import BodyLimitMiddleware  # noqa: E402  (needs Django to be set up)
from fleet.startup import log_problems  # noqa: E402
from webhooks.asgi import WebhookMiddleware  # noqa: E402

application = WebhookMiddleware(
    path=reverse("webhooks:smartcar"),
    app=BodyLimitMiddleware(app=django_application),
    on_startup=log_problems,
)
