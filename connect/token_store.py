"""The only code that reads or writes token columns (connect.key_rotation changes nothing but their key).

A renewal is single-flight: one process takes the lease by a conditional UPDATE, calls Smartcar outside any
transaction, and stores by compare and swap; the others wait for the new version. A crash or a lost answer in
between is healed by trying again with the old refresh token, which stays good for minutes after its use
(Smartcar documentation, "Refresh Token Exchange").
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.debug import sensitive_variables

from accounts.models import SmartcarApiVersion
from alerts import services as alerts
from alerts.types import Kind
from connect import applications
from connect.applications import Application
from connect.models import (
    ApplicationToken,
    Connection,
    ConnectionState,
    LeaseMixin,
    SmartcarApplication,
    UserToken,
)
from connect.status import reasons
from connect.status.state_machine import INVALID_GRANT
from core import encryption
from smartcar_api import Access, SmartcarError, TokenPair, V2Api, V3Api
from smartcar_api.errors import NO_ANSWER

LEASE = timedelta(seconds=45)
REFRESH_MARGIN = timedelta(minutes=5)
_POLL = 0.1
_REFUSED = gettext_noop("a refresh of the token that was refused")

Row = TypeVar("Row", bound=LeaseMixin)
T = TypeVar("T")


class TokensUnavailableError(Exception):
    """No valid token can be had for this connection now; str() says why, for people, in the active language."""


@sensitive_variables()
def store(*, user_id: str, pair: TokenPair, application: SmartcarApplication | None = None) -> UserToken:
    """Stores a new v2 token pair, encrypted, of this application (None: that of the settings)."""
    return UserToken.objects.create(smartcar_user_id=user_id, application=application, **_columns(pair))


@sensitive_variables()
def access(*, connection: Connection) -> Access:
    """What a call for this connection is authorised with, renewed ahead of its end.

    Raises TokensUnavailableError when the connection has no usable tokens, SmartcarError when Smartcar refuses.
    """
    if connection.api_version == SmartcarApiVersion.V3:
        return application_access(
            application=applications.for_connection(connection), user_id=connection.smartcar_user_id
        )
    if connection.tokens is None or connection.tokens.revoked_at is not None:
        raise TokensUnavailableError(
            _("The driver's permission has ended. Ask the driver to connect the car again.")
        )
    tokens = _get_or_refresh(connection.tokens.reread(), valid=_access_valid, renew=_refresh)
    return Access(token=encryption.decrypt(tokens.access_ciphertext), user_id=connection.smartcar_user_id)


@sensitive_variables()
def application_access(*, application: Application, user_id: str) -> Access:
    """The application's v3 token with the user it speaks for; minted by one process at a time.

    Raises SmartcarError when Smartcar refuses the credentials.
    """
    row, _ = ApplicationToken.objects.get_or_create(client_id=application.credentials.client_id)
    row = _get_or_refresh(row, valid=_application_valid, renew=partial(_fetch_app_token, application.v3))
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
        pair = connection.tokens.reread()
        if encryption.decrypt(pair.access_ciphertext) == refused.token:
            ended = UserToken.objects.filter(pk=pair.pk, version=pair.version)
            ended.update(access_expires_at=timezone.now())


def forget_application_token(*, application: Application) -> None:
    """Drops the application's cached v3 token after Smartcar said 401, so that the next call mints a new one."""
    tokens = ApplicationToken.objects.filter(client_id=application.credentials.client_id)
    tokens.update(expires_at=None)


def refresh(*, tokens: UserToken) -> UserToken:
    """Rotates the pair now. Raises SmartcarError; on invalid_grant the pair is marked revoked first."""
    started_at = tokens.version
    return _get_or_refresh(tokens, valid=lambda row, now: row.version > started_at, renew=_refresh)


def _access_valid(row: UserToken, now: datetime) -> bool:
    return row.access_expires_at > now + REFRESH_MARGIN


def _application_valid(row: ApplicationToken, now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at > now + REFRESH_MARGIN


def _get_or_refresh(row: Row, *, valid: Callable[[Row, datetime], bool], renew: Callable[[Row], None]) -> Row:
    """The row once it is valid: as it is, renewed by us, or renewed by whoever holds the lease."""
    deadline = time.monotonic() + LEASE.total_seconds() * 2
    while not valid(row, now := timezone.now()):
        if row.claim(now=now, lease=LEASE):
            try:
                renew(row)
            except BaseException:
                row.release()
                raise
        elif time.monotonic() > deadline:
            raise TokensUnavailableError(_("Renewing the token takes too long. Try again in a minute."))
        else:
            time.sleep(_POLL)
        row = row.reread()
    return row


@sensitive_variables()
def _refresh(row: UserToken) -> None:
    if row.revoked_at is not None:
        raise TokensUnavailableError(
            _("The driver's permission has ended. Ask the driver to connect the car again.")
        )
    try:
        pair = _rotated(applications.for_token(row).v2, encryption.decrypt(row.refresh_ciphertext))
    except SmartcarError as error:
        if error.type == "invalid_grant":
            _revoked(row)
        raise
    if row.renew(**_columns(pair), refreshed_at=timezone.now()):
        alerts.end(kind=Kind.TOKEN, subjects=[row.pk], now=timezone.now())


@sensitive_variables()
def _rotated(api: V2Api, refresh_token: str) -> TokenPair:
    """The new pair; a lost answer is asked for again at once, while the used token is still good."""
    try:
        return api.refresh(refresh_token=refresh_token)
    except SmartcarError as error:
        if error.type != NO_ANSWER:
            raise
    return api.refresh(refresh_token=refresh_token)


def _revoked(row: UserToken) -> None:
    now = timezone.now()
    if not UserToken.objects.filter(pk=row.pk, version=row.version).update(revoked_at=now):
        return  # Another process has stored a newer pair: it was only ours that has ended.
    # One that has moved to v3 keeps its pair for the way back, and doesn't live by it.
    for connection in Connection.objects.filter(tokens=row, api_version=SmartcarApiVersion.V2):
        connection.move_to(
            ConnectionState.NEEDS_REAUTHENTICATION,
            cause=reasons.reason_for(ConnectionState.NEEDS_REAUTHENTICATION, INVALID_GRANT),
            now=now,
            error=INVALID_GRANT,
            evidence=_REFUSED,
        )


@sensitive_variables()
def _fetch_app_token(api: V3Api, row: ApplicationToken) -> None:
    minted = api.mint_token()
    row.renew(token_ciphertext=encryption.encrypt(minted.token), expires_at=minted.expires_at)


@sensitive_variables()
def _columns(pair: TokenPair) -> dict[str, object]:
    return {
        "access_ciphertext": encryption.encrypt(pair.access_token),
        "refresh_ciphertext": encryption.encrypt(pair.refresh_token),
        "access_expires_at": pair.access_expires_at,
        "refresh_expires_at": pair.refresh_expires_at,
    }
