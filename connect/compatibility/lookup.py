"""Smartcar's answers about compatibility, each kept for a day."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

from connect.applications import Application
from smartcar_api import CompatibleModel, VinCompatibility
from vehicles.makes import make_key

T = TypeVar("T")

KEPT_FOR = timedelta(days=1)
# Changes with the form of what is kept, so that a new version doesn't read what an older one kept.
_FORM = "1"


def compatible_models(*, application: Application, region: str, make: str) -> tuple[CompatibleModel, ...]:
    """Returns the models of a make that Smartcar can connect in a region. Raises SmartcarError."""
    key = make_key(make)
    return _kept(
        ("models", settings.SMARTCAR_ORIGINS["compatibility"], region, key),
        lambda: application.compatibility.models(region=region, make=key),
    )


@sensitive_variables()
def check_vin(*, application: Application, vin: str, permissions: Iterable[str]) -> VinCompatibility:
    """Returns whether the vehicle with this VIN can be connected, and for what. Raises SmartcarError."""
    names = sorted(permissions)
    return _kept(
        ("vin", application.credentials.application_id, vin, *names),
        lambda: application.compatibility.check_vin(vin=vin, permissions=names),
    )


@sensitive_variables()
def _kept(question: tuple[str, ...], ask: Callable[[], T]) -> T:
    # The question may be a VIN, so only its keyed hash is kept.
    digest = salted_hmac("connect.compatibility", "\n".join((_FORM, *question)), algorithm="sha256")
    key = f"compatibility:{digest.hexdigest()}"
    known: T | None = cache.get(key)
    if known is None:
        known = ask()
        cache.set(key, known, timeout=KEPT_FOR.total_seconds())
    return known
