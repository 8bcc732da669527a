"""System checks that find configuration mistakes at startup."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from accounts.models import SmartcarApiVersion
from core import encryption

_REQUIRED: dict[str, tuple[str, ...]] = {
    SmartcarApiVersion.V2: ("SMARTCAR_APPLICATION_ID", "SMARTCAR_APPLICATION_SECRET"),
    SmartcarApiVersion.V3: ("SMARTCAR_APPLICATION_ID", "SMARTCAR_CLIENT_ID", "SMARTCAR_CLIENT_SECRET"),
}

_REDIS_SCHEMES = ("redis", "rediss", "unix")


@register()
def encryption_keys(**kwargs: Any) -> list[CheckMessage]:
    try:
        encryption.fernet()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="fleet.E001", hint="Tokens can't be stored without a valid key.")]
    return []


@register(Tags.database)
def encryption_keys_fit(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Checks the keys against stored secrets, where the database is checked: `migrate`, `check --database default`."""
    from connect.key_check import WRONG_KEYS, keys_fit  # needs the apps to be loaded

    if not databases:
        return []
    try:
        fit = keys_fit()
    except (DatabaseError, ImproperlyConfigured):  # before the first migration; reported by encryption_keys
        return []
    hint = "If that key is lost, add --skip-checks: drivers then have to connect again."
    return [] if fit else [Error(WRONG_KEYS, hint=hint, id="fleet.E004")]


@register()
def redis_url(**kwargs: Any) -> list[CheckMessage]:
    scheme = urlsplit(settings.REDIS_URL).scheme
    if scheme in _REDIS_SCHEMES:
        return []
    sentinel = (
        " Put HAProxy or a similar proxy in front of Redis Sentinel, and name that."
        if "sentinel" in scheme
        else ""
    )
    return [
        Error(
            f"REDIS_URL begins with {scheme or 'no scheme'}://, which isn't supported.",
            hint=f"Begin it with {', '.join(f'{each}://' for each in _REDIS_SCHEMES)}.{sentinel}",
            id="fleet.E005",
        )
    ]


@register()
def smartcar_choices(**kwargs: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if settings.SMARTCAR_API_VERSION not in SmartcarApiVersion.values:
        problems.append(
            Error(
                f"SMARTCAR_API_VERSION is {settings.SMARTCAR_API_VERSION!r}, which isn't an API version.",
                hint=f"Set SMARTCAR_API_VERSION to {' or '.join(SmartcarApiVersion.values)}.",
                id="fleet.E002",
            )
        )
    if settings.SMARTCAR_MODE not in ("live", "simulated"):
        problems.append(
            Error(
                f"SMARTCAR_MODE is {settings.SMARTCAR_MODE!r}, which isn't a mode.",
                hint="Set SMARTCAR_MODE to live or simulated.",
                id="fleet.E003",
            )
        )
    return problems


@register()
def smartcar_credentials(**kwargs: Any) -> list[CheckMessage]:
    required = [
        *_REQUIRED.get(settings.SMARTCAR_API_VERSION, ()),
        "SMARTCAR_MANAGEMENT_TOKENS",
        "SMARTCAR_WEBHOOK_ID",
    ]
    missing = [name for name in required if not getattr(settings, name)]
    if not missing:
        return []
    return [
        Warning(
            f"Not set: {', '.join(missing)}. Vehicles can't be connected, or won't send data.",
            hint="docs/smartcar-application.md describes where to find each in Smartcar's dashboard.",
            id="fleet.W001",
        )
    ]


@register()
def client_id_kind(**kwargs: Any) -> list[CheckMessage]:
    same = settings.SMARTCAR_CLIENT_ID and settings.SMARTCAR_CLIENT_ID == settings.SMARTCAR_APPLICATION_ID
    if not same:
        return []
    return [
        Warning(
            "SMARTCAR_CLIENT_ID is the same as SMARTCAR_APPLICATION_ID.",
            hint="v3 needs the client ID of the “API credentials”, which usually starts with client_.",
            id="fleet.W002",
        )
    ]


@register()
def translations_compiled(**kwargs: Any) -> list[CheckMessage]:
    # Imported here so that only commands that run checks load Babel.
    from core import translations

    old = translations.stale()
    if not old:
        return []
    return [
        Warning(
            f"Translations not compiled, or older than locale/: {', '.join(old)}.",
            hint="Run `make setup` or `python -m core.translations compile`.",
            id="fleet.W003",
        )
    ]


@register()
def passkeys_possible(**kwargs: Any) -> list[CheckMessage]:
    from accounts import passkeys  # needs the apps to be loaded

    site = urlsplit(settings.SITE_URL)
    possible = passkeys.is_supported(host=site.hostname or "", secure=site.scheme == "https")
    if settings.DEMO or possible:
        return []
    return [
        Warning(
            f"Browsers don't allow passkeys at {settings.SITE_URL} (SITE_URL).",
            hint="Passkeys need https and a host name, such as https://fleet.example.com.",
            id="fleet.W004",
        )
    ]


@register()
def passwords_resettable(**kwargs: Any) -> list[CheckMessage]:
    if settings.EMAIL_ENABLED:
        return []
    return [
        Warning(
            "EMAIL_URL is not set, so users can't reset a password or change their email address.",
            hint="Set EMAIL_URL, or reset passwords in the admin. Invitation links are shown for copying.",
            id="fleet.W005",
        )
    ]
