"""Bad configuration, found at start."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004
from django.core.exceptions import ImproperlyConfigured

from accounts.models import SmartcarApiVersion
from core import encryption

_NEEDED: dict[str, tuple[str, ...]] = {
    SmartcarApiVersion.V2: ("SMARTCAR_APPLICATION_ID", "SMARTCAR_APPLICATION_SECRET"),
    SmartcarApiVersion.V3: ("SMARTCAR_APPLICATION_ID", "SMARTCAR_CLIENT_ID", "SMARTCAR_CLIENT_SECRET"),
}


@register()
def encryption_keys(**kwargs: Any) -> list[CheckMessage]:
    try:
        encryption.fernet()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="fleet.E001", hint="Tokens cannot be stored without a good key.")]
    return []


@register()
def smartcar_choices(**kwargs: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if settings.SMARTCAR_GENERATION not in SmartcarApiVersion.values:
        problems.append(
            Error(
                f"SMARTCAR_GENERATION is {settings.SMARTCAR_GENERATION!r}.",
                hint=f"It is one of {', '.join(SmartcarApiVersion.values)}.",
                id="fleet.E002",
            )
        )
    if settings.SMARTCAR_MODE not in ("live", "simulated"):
        problems.append(
            Error(
                f"SMARTCAR_MODE is {settings.SMARTCAR_MODE!r}.",
                hint="It is live or simulated.",
                id="fleet.E003",
            )
        )
    return problems


@register()
def smartcar_credentials(**kwargs: Any) -> list[CheckMessage]:
    needed = [
        *_NEEDED.get(settings.SMARTCAR_GENERATION, ()),
        "SMARTCAR_MANAGEMENT_TOKENS",
        "SMARTCAR_WEBHOOK_ID",
    ]
    missing = [name for name in needed if not getattr(settings, name)]
    if not missing:
        return []
    return [
        Warning(
            f"{', '.join(missing)} not set: cars cannot be connected, or their data will not come.",
            hint="docs/smartcar-application.md says where Smartcar's dashboard shows each.",
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
            "SMARTCAR_CLIENT_ID is the application id.",
            hint="v3 wants the client id of “API credentials”, which usually starts with client_.",
            id="fleet.W002",
        )
    ]


@register()
def translations_compiled(**kwargs: Any) -> list[CheckMessage]:
    # Only manage.py runs checks: no other process has to load Babel.
    from core import translations

    old = translations.stale()
    if not old:
        return []
    return [
        Warning(
            f"The translations into {', '.join(old)} are not compiled, or older than locale/.",
            hint="Run `make setup`, or python -m core.translations compile.",
            id="fleet.W003",
        )
    ]


@register()
def passkeys_possible(**kwargs: Any) -> list[CheckMessage]:
    from accounts import passkeys  # it needs the apps to be loaded

    site = urlsplit(settings.SITE_URL)
    possible = passkeys.is_supported(host=site.hostname or "", secure=site.scheme == "https")
    if settings.DEMO or possible:
        return []
    return [
        Warning(
            f"SITE_URL is {settings.SITE_URL}: browsers allow no passkeys there.",
            hint="They want https and a name, such as https://fleet.example.com.",
            id="fleet.W004",
        )
    ]


@register()
def passwords_resettable(**kwargs: Any) -> list[CheckMessage]:
    if settings.EMAIL_OFFERED:
        return []
    return [
        Warning(
            "EMAIL_URL is not set: nobody can reset a forgotten password or change their address.",
            hint="Set it, or set passwords in the admin. Links of invitations are shown to be copied meanwhile.",
            id="fleet.W005",
        )
    ]
