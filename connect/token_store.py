"""Access tokens for calls: the application's token of v3, the driver's of v2 (connect.v2.user_tokens).

Only these two modules read or write token columns; connect.key_rotation changes nothing but their key.
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
from connect.v2 import user_tokens
from core import encryption
from smartcar_api import Access, SmartcarError, V3Api

T = TypeVar("T")


@sensitive_variables()
def access(*, connection: Connection) -> Access:
    """What a call for this connection is authorised with, renewed ahead of its end.

    Raises TokensUnavailableError when the connection has no usable tokens, SmartcarError when Smartcar refuses.
    """
    if connection.api_version == SmartcarApiVersion.V3:
        return application_access(
            application=applications.for_connection(connection), user_id=connection.smartcar_user_id
        )
    return user_tokens.access(connection=connection)


@sensitive_variables()
def application_access(*, application: Application, user_id: str) -> Access:
    """The application's v3 token with the user it speaks for; minted by one process at a time.

    Raises SmartcarError when Smartcar refuses the credentials.
    """
    row, _ = ApplicationToken.objects.get_or_create(client_id=application.credentials.client_id)
    row = get_or_refresh(row, valid=_application_valid, renew=partial(_fetch_app_token, application.v3))
    return Access(token=encryption.decrypt(row.token_ciphertext), user_id=user_id)


@sensitive_variables()
def call_with_token(*, connection: Connection, call: Callable[[Access], T]) -> T:
    """What the call returns, made with a valid token and, if Smartcar answers 401, once more with a new one.

    Not for commands. A 401 comes before anything is done ("API Errors", AUTHENTICATION), so repeating would be
    safe; but the ledger's promise of one sending for each claim is worth more than the press of a button.
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
    """Takes a refused token out of use, unless another process has already put a new one in its place."""
    if connection.api_version == SmartcarApiVersion.V3:
        client_id = applications.for_connection(connection).credentials.client_id
        row = ApplicationToken.objects.get(client_id=client_id)
        if encryption.decrypt(row.token_ciphertext) == refused.token:
            ApplicationToken.objects.filter(pk=row.pk, version=row.version).update(expires_at=None)
    elif connection.tokens is not None:
        user_tokens.invalidate(pair=connection.tokens, refused=refused)


def forget_application_token(*, application: Application) -> None:
    """Drops the application's cached v3 token after Smartcar said 401, so that the next call mints a new one."""
    tokens = ApplicationToken.objects.filter(client_id=application.credentials.client_id)
    tokens.update(expires_at=None)


def _application_valid(row: ApplicationToken, now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at > now + REFRESH_MARGIN


@sensitive_variables()
def _fetch_app_token(api: V3Api, row: ApplicationToken) -> None:
    minted = api.request_token()
    row.renew(token_ciphertext=encryption.encrypt(minted.token), expires_at=minted.expires_at)
