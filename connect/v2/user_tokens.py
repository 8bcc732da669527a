"""The token pairs of v2, one for each driver: stored encrypted, rotated by one process at a time."""

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
from connect.token_lease import REFRESH_MARGIN, TokensUnavailableError, get_or_refresh
from core import encryption
from smartcar_api import Access, SmartcarError, TokenPair, V2Api
from smartcar_api.errors import NO_ANSWER


@sensitive_variables()
def store(*, user_id: str, pair: TokenPair, application: SmartcarApplication | None = None) -> UserToken:
    """Stores a new v2 token pair, encrypted, of this application (None: that of the settings)."""
    return UserToken.objects.create(smartcar_user_id=user_id, application=application, **_columns(pair))


@sensitive_variables()
def access(*, connection: Connection) -> Access:
    """The driver's access token, renewed shortly before it expires.

    Raises TokensUnavailableError if the connection has no usable pair, SmartcarError if Smartcar refuses the renewal.
    """
    if connection.tokens is None or connection.tokens.revoked_at is not None:
        raise TokensUnavailableError(TokenProblem.GRANT_ENDED)
    tokens = get_or_refresh(connection.tokens.reread(), valid=_access_valid, renew=_refresh)
    return Access(token=encryption.decrypt(tokens.access_ciphertext), user_id=connection.smartcar_user_id)


@sensitive_variables()
def invalidate(*, pair: UserToken, refused: Access) -> None:
    """Takes a refused access token out of use, unless another process has already stored a newer pair."""
    pair = pair.reread()
    if encryption.decrypt(pair.access_ciphertext) == refused.token:
        ended = UserToken.objects.filter(pk=pair.pk, version=pair.version)
        ended.update(access_expires_at=timezone.now())


def refresh(*, tokens: UserToken) -> UserToken:
    """Rotates the pair now. Raises SmartcarError; on invalid_grant the pair is marked revoked first."""
    started_at = tokens.version
    return get_or_refresh(tokens, valid=lambda row, now: row.version > started_at, renew=_refresh)


def _access_valid(row: UserToken, now: datetime) -> bool:
    return row.access_expires_at > now + REFRESH_MARGIN


@sensitive_variables()
def _refresh(row: UserToken) -> None:
    if row.revoked_at is not None:
        raise TokensUnavailableError(TokenProblem.GRANT_ENDED)
    try:
        pair = _rotated(applications.for_token(row).v2, encryption.decrypt(row.refresh_ciphertext))
    except SmartcarError as error:
        if error.type == "invalid_grant":
            _revoked(row)
        raise
    if row.renew(**_columns(pair), refreshed_at=timezone.now()):
        alerts.resolve(kind=AlertType.TOKEN, subject_ids=[row.pk], now=timezone.now())


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
