"""Access tokens for calls: the application's token on v3, the driver's on v2 (connect.v2.user_tokens).

Only these two modules read or write token columns; connect.key_rotation only re-encrypts them.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from django.views.decorators.debug import sensitive_variables

from accounts.models import SmartcarApiVersion
from connect import applications
from connect.applications import Application
from connect.models import (
    ApplicationToken,
    Connection,
)
from connect.token_lease import REFRESH_MARGIN, get_or_refresh
from connect.token_lease import TokensUnavailableError as TokensUnavailableError
from connect.token_lease import decryption_checked as decryption_checked
from connect.v2 import user_tokens
from core import encryption
from smartcar_api import Access, SmartcarError, V3Api

T = TypeVar("T")


@sensitive_variables()
def access(*, connection: Connection) -> Access:
    """Returns the access for a call through this connection; the token is renewed before it expires.

    Raises TokensUnavailableError if the connection has no usable tokens, and SmartcarError if Smartcar rejects the
    renewal.
    """
    if connection.api_version == SmartcarApiVersion.V3:
        return application_access(
            application=applications.for_connection(connection), user_id=connection.smartcar_user_id
        )
    return user_tokens.access(connection=connection)


@sensitive_variables()
def application_access(*, application: Application, user_id: str) -> Access:
    """Returns the application's v3 token with the user ID for the call. One process at a time fetches a new token.

    Raises SmartcarError if Smartcar rejects the credentials.
    """
    row, _ = ApplicationToken.objects.get_or_create(client_id=application.credentials.client_id)
    row = get_or_refresh(row, valid=_application_valid, renew=partial(_fetch_app_token, application.v3))
    return Access(token=encryption.decrypt(row.token_ciphertext), user_id=user_id)


@sensitive_variables()
def call_with_token(*, connection: Connection, call: Callable[[Access], T]) -> T:
    """Returns the result of the call, which is repeated once with a new token if Smartcar responds with 401.

    Not for commands. A 401 is returned before anything is done ("API Errors", AUTHENTICATION), so repeating would be
    safe; but commands guarantee that each claim is sent at most once.
    Raises what `access` raises, and what the call raises.
    """
    used = access(connection=connection)
    try:
        return call(used)
    except SmartcarError as error:
        if not error.unauthorized:
            raise
    invalidate(connection=connection, refused=used)
    return call(access(connection=connection))


@sensitive_variables()
def invalidate(*, connection: Connection, refused: Access) -> None:
    """Invalidates a rejected token, unless another process has already replaced it."""
    if connection.api_version == SmartcarApiVersion.V3:
        client_id = applications.for_connection(connection).credentials.client_id
        row = ApplicationToken.objects.get(client_id=client_id)
        if encryption.decrypt(row.token_ciphertext) == refused.token:
            ApplicationToken.objects.filter(pk=row.pk, version=row.version).update(expires_at=None)
    elif connection.tokens is not None:
        user_tokens.invalidate(pair=connection.tokens, refused=refused)


def discard_application_token(*, application: Application) -> None:
    """Discards the application's cached v3 token after a 401, so that the next call fetches a new one."""
    tokens = ApplicationToken.objects.filter(client_id=application.credentials.client_id)
    tokens.update(expires_at=None)


def _application_valid(row: ApplicationToken, now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at > now + REFRESH_MARGIN


@sensitive_variables()
def _fetch_app_token(api: V3Api, row: ApplicationToken) -> None:
    minted = api.request_token()
    row.renew(token_ciphertext=encryption.encrypt(minted.token), expires_at=minted.expires_at)
