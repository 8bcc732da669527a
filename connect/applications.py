"""The Smartcar application of the settings, as a client of either generation."""

from functools import lru_cache

from django.conf import settings

from accounts.models import Generation
from connect.smartcar import Credentials, Origins, SmartcarApi, V2Api, V3Api


def credentials() -> Credentials:
    """The four credentials of the settings."""
    return Credentials(
        application_id=settings.SMARTCAR_APPLICATION_ID,
        application_secret=settings.SMARTCAR_APPLICATION_SECRET,
        client_id=settings.SMARTCAR_CLIENT_ID,
        client_secret=settings.SMARTCAR_CLIENT_SECRET,
        management_tokens=tuple(settings.SMARTCAR_MANAGEMENT_TOKENS),
    )


@lru_cache(maxsize=8)
def _v2(origins: Origins, application: Credentials) -> V2Api:
    return V2Api(origins=origins, credentials=application)


@lru_cache(maxsize=8)
def _v3(origins: Origins, application: Credentials) -> V3Api:
    return V3Api(origins=origins, credentials=application)


def v2() -> V2Api:
    return _v2(Origins(**settings.SMARTCAR_ORIGINS), credentials())


def v3() -> V3Api:
    return _v3(Origins(**settings.SMARTCAR_ORIGINS), credentials())


def api(generation: str) -> SmartcarApi:
    """The client of a generation."""
    return v2() if generation == Generation.V2 else v3()
