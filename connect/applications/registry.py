"""The Smartcar application of a fleet, connection, authorization or token pair, with clients for both API versions."""

import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_noop
from django.views.decorators.debug import sensitive_variables

from accounts.models import Fleet, SmartcarApiVersion
from connect.applications.models import SmartcarApplication
from core import encryption
from smartcar_api import CompatibilityApi, Credentials, Origins, SmartcarApi, V2Api, V3Api
from smartcar_api.ratelimit.middleware import ApplicationGate, bucket_id

if TYPE_CHECKING:
    from connect.models import AuthorizationRequest, Connection, UserToken

ENVIRONMENT = gettext_noop("server configuration")
# How long a process caches the stored keys.
KEYS_CACHE_SECONDS = 10.0


@lru_cache(maxsize=64)
def _v2(origins: Origins, credentials: Credentials) -> V2Api:
    return V2Api(
        origins=origins, credentials=credentials, gate=ApplicationGate(bucket_id(credentials), origins)
    )


@lru_cache(maxsize=64)
def _v3(origins: Origins, credentials: Credentials) -> V3Api:
    return V3Api(
        origins=origins, credentials=credentials, gate=ApplicationGate(bucket_id(credentials), origins)
    )


@lru_cache(maxsize=64)
def _compatibility(origins: Origins, credentials: Credentials) -> CompatibilityApi:
    return CompatibilityApi(
        origins=origins, credentials=credentials, gate=ApplicationGate(bucket_id(credentials), origins)
    )


@dataclass(frozen=True, slots=True)
class Application:
    """A Smartcar application with decrypted credentials. `row` is None for the one in the settings."""

    name: str
    credentials: Credentials
    webhook_id: str
    row: SmartcarApplication | None

    @property
    def pk(self) -> int | None:
        """The ID of the row."""
        return None if self.row is None else self.row.pk

    @property
    def v2(self) -> V2Api:
        return _v2(Origins(**settings.SMARTCAR_ORIGINS), self.credentials)

    @property
    def v3(self) -> V3Api:
        return _v3(Origins(**settings.SMARTCAR_ORIGINS), self.credentials)

    @property
    def compatibility(self) -> CompatibilityApi:
        return _compatibility(Origins(**settings.SMARTCAR_ORIGINS), self.credentials)

    def api(self, api_version: str) -> SmartcarApi:
        """Returns the client for an API version."""
        return self.v2 if api_version == SmartcarApiVersion.V2 else self.v3


def default_application() -> Application:
    """Returns the application in the settings."""
    credentials = Credentials(
        application_id=settings.SMARTCAR_APPLICATION_ID,
        application_secret=settings.SMARTCAR_APPLICATION_SECRET,
        client_id=settings.SMARTCAR_CLIENT_ID,
        client_secret=settings.SMARTCAR_CLIENT_SECRET,
        management_tokens=tuple(settings.SMARTCAR_MANAGEMENT_TOKENS),
    )
    return Application(ENVIRONMENT, credentials, settings.SMARTCAR_WEBHOOK_ID, None)


def get_application(row: SmartcarApplication | None) -> Application:
    """Returns the application of a row, or the one in the settings. Raises core.encryption.DecryptionError."""
    return default_application() if row is None else _decrypted(row)


@sensitive_variables()
def _decrypted(row: SmartcarApplication) -> Application:
    credentials = Credentials(
        application_id=row.application_id,
        application_secret=_secret(row.application_secret_ciphertext),
        client_id=row.client_id,
        client_secret=_secret(row.client_secret_ciphertext),
        management_tokens=tuple(_secret(row.management_tokens_ciphertext).split()),
    )
    return Application(row.name, credentials, row.webhook_id, row)


@sensitive_variables()
def _secret(ciphertext: bytes | memoryview) -> str:
    return encryption.decrypt(ciphertext) if ciphertext else ""


def for_fleet(fleet: Fleet) -> Application:
    """Returns the application the fleet uses for new connections."""
    return get_application(SmartcarApplication.objects.filter(fleets__fleet=fleet).first())


def for_connection(connection: "Connection") -> Application:
    """Returns the application the connection was created with."""
    return get_application(connection.application)


def for_authorization(request: "AuthorizationRequest") -> Application:
    """Returns the application the authorization was started with."""
    return get_application(request.application)


def for_token(tokens: "UserToken") -> Application:
    """Returns the application the token pair was issued to."""
    return get_application(tokens.application)


def all_applications() -> list[Application]:
    """Returns all applications, the one in the settings first."""
    return [default_application(), *map(_decrypted, SmartcarApplication.objects.all())]


@dataclass(frozen=True, slots=True)
class ApplicationKey:
    """A management token, and the application whose deliveries it signs (None: the one in the settings)."""

    token: str = field(repr=False)
    application_pk: int | None
    webhook_id: str


@dataclass(slots=True)
class _CachedKeys:
    keys: tuple[ApplicationKey, ...]
    until: float


_cached: list[_CachedKeys] = []


@sensitive_variables()
def signing_keys() -> tuple[ApplicationKey, ...]:
    """Returns the management tokens of all applications, those in the settings first; rows are cached for seconds.

    The cache saves the webhook receiver a query per delivery. Rows that can't be decrypted are left out, so that
    deliveries of other applications are still accepted.
    """
    own = tuple(
        ApplicationKey(token, None, settings.SMARTCAR_WEBHOOK_ID)
        for token in settings.SMARTCAR_MANAGEMENT_TOKENS
    )
    if not _cached or _cached[0].until < time.monotonic():
        _cached[:] = [_CachedKeys(_stored_keys(), time.monotonic() + KEYS_CACHE_SECONDS)]
    return own + _cached[0].keys


def clear_key_cache() -> None:
    """Clears this process's cache, so that the keys are read again at the next delivery."""
    _cached.clear()


@sensitive_variables()
def _stored_keys() -> tuple[ApplicationKey, ...]:
    found = []
    for row in SmartcarApplication.objects.exclude(management_tokens_ciphertext=b"").order_by("pk"):
        try:
            tokens = _decrypted(row).credentials.management_tokens
        except encryption.DecryptionError:
            continue
        found += [ApplicationKey(token, row.pk, row.webhook_id) for token in tokens]
    return tuple(found)
