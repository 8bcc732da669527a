"""System checks that keep what only a demo may do out of production."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def demo_only_on_this_machine(**kwargs: Any) -> list[CheckMessage]:
    """A demo shows every email to anyone, among them links that reset passwords."""
    problems: list[CheckMessage] = []
    if settings.DEMO and not _is_this_machine(urlsplit(settings.SITE_URL).hostname or ""):
        problems.append(
            Error(
                f"DEMO is set, but SITE_URL ({settings.SITE_URL}) isn't on this machine.",
                hint="A demo shows all of its emails without sign-in. Remove DEMO.",
                id="demo.E001",
            )
        )
    shows_emails = settings.ROOT_URLCONF == "demo.urls" or settings.EMAIL_BACKEND.startswith("demo.")
    if shows_emails and not settings.DEMO:
        problems.append(
            Error(
                "The demo's emails are stored and shown on a page, but this isn't a demo.",
                hint="Set ROOT_URLCONF to fleet.urls, and EMAIL_URL to the mail server.",
                id="demo.E002",
            )
        )
    return problems


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
