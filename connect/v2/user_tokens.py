"""The v2 token pairs, one per driver: stored encrypted, rotated by one process at a time."""

from datetime import datetime

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.models import SmartcarApiVersion
from alerts import services as alerts
from alerts.types import AlertType
from connect import applications
from connect.messages import StateEvidence, TokenProblem
from connect.models import Connection, ConnectionState, SmartcarApplication, UserToken
from connect.status import reasons
from connect.status.state_machine import INVALID_GRANT
from connect.status.states import TERMINATED
from connect.token_lease import REFRESH_MARGIN, TokensUnavailableError, get_or_refresh
from core import encryption
from smartcar_api import Access, SmartcarError, TokenPair, V2Api
from smartcar_api.errors import NO_ANSWER


@sensitive_variables()
def store(*, user_id: str, pair: TokenPair, application: SmartcarApplication | None = None) -> UserToken:
    """Stores a new v2 token pair of this application (None: that of the settings), encrypted."""
    return UserToken.objects.create(smartcar_user_id=user_id, application=application, **_columns(pair))


@sensitive_variables()
def access(*, connection: Connection) -> Access:
    """Returns the driver's access token, which is refreshed shortly before it expires.

    Raises TokensUnavailableError if the connection has no usable pair, SmartcarError if the refresh fails.
    """
    return access_with(tokens=connection.tokens, user_id=connection.smartcar_user_id)


@sensitive_variables()
def access_with(*, tokens: UserToken | None, user_id: str) -> Access:
    """Returns the access token of a pair of this user; see `access`."""
    if tokens is None or tokens.revoked_at is not None:
        raise TokensUnavailableError(TokenProblem.GRANT_ENDED)
    valid = get_or_refresh(tokens.reread(), valid=_access_valid, renew=_refresh)
    return Access(token=encryption.decrypt(valid.access_ciphertext), user_id=user_id)


@sensitive_variables()
def invalidate(*, pair: UserToken, refused: Access) -> None:
    """Marks a rejected access token as expired, unless another process has already stored a newer pair."""
    pair = pair.reread()
    if encryption.decrypt(pair.access_ciphertext) == refused.token:
        current = UserToken.objects.filter(pk=pair.pk, version=pair.version)
        current.update(access_expires_at=timezone.now())


def refresh(*, tokens: UserToken) -> UserToken:
    """Rotates the pair now. Raises SmartcarError; on invalid_grant the pair is marked revoked first."""
    initial_version = tokens.version
    return get_or_refresh(tokens, valid=lambda row, now: row.version > initial_version, renew=_refresh)


def _access_valid(row: UserToken, now: datetime) -> bool:
    return row.access_expires_at > now + REFRESH_MARGIN


@sensitive_variables()
def _refresh(row: UserToken) -> None:
    if row.revoked_at is not None:
        raise TokensUnavailableError(TokenProblem.GRANT_ENDED)
    try:
        pair = _rotate(applications.for_token(row).v2, encryption.decrypt(row.refresh_ciphertext))
    except SmartcarError as error:
        if error.type == "invalid_grant":
            _mark_revoked(row)
        raise
    if row.renew(**_columns(pair), refreshed_at=timezone.now()):
        alerts.resolve(kind=AlertType.TOKEN, subject_ids=[row.pk], now=timezone.now())


@sensitive_variables()
def _rotate(api: V2Api, refresh_token: str) -> TokenPair:
    """Returns the new pair. Retries once after a lost response, while the used refresh token is still valid."""
    try:
        return api.refresh(refresh_token=refresh_token)
    except SmartcarError as error:
        if error.type != NO_ANSWER:
            raise
    return api.refresh(refresh_token=refresh_token)


def _mark_revoked(row: UserToken) -> None:
    now = timezone.now()
    if not UserToken.objects.filter(pk=row.pk, version=row.version).update(revoked_at=now):
        return  # Another process has stored a newer pair; only the one of this process is invalid.
    # A connection that was migrated to v3 retains its pair for migrating back, but doesn't depend on it. One that has
    # ended stays so: signing in again would not renew it.
    dependent = Connection.objects.filter(tokens=row, api_version=SmartcarApiVersion.V2)
    for connection in dependent.exclude(state__in=TERMINATED):
        connection.move_to(
            ConnectionState.NEEDS_REAUTHENTICATION,
            reason=reasons.reason_for(ConnectionState.NEEDS_REAUTHENTICATION, INVALID_GRANT),
            now=now,
            error=INVALID_GRANT,
            evidence=StateEvidence.REFRESH_REJECTED.message(),
        )


@sensitive_variables()
def _columns(pair: TokenPair) -> dict[str, object]:
    return {
        "access_ciphertext": encryption.encrypt(pair.access_token),
        "refresh_ciphertext": encryption.encrypt(pair.refresh_token),
        "access_expires_at": pair.access_expires_at,
        "refresh_expires_at": pair.refresh_expires_at,
    }
