"""Callbacks that come again or can't be handled: after a reload, in another browser, too late, during the first one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from connect import oauth_errors, reauthorization
from connect.messages import AuthorizationOutcome
from connect.models import AuthorizationRequest, Connection
from connect.oauth_errors import ConnectError
from connect.status.states import AuthorizationPurpose
from core.signed_links import hash_token

# A callback that has no outcome after this time was interrupted.
LONGEST_CALLBACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class EarlierCallback:
    """An authorization whose callback came again, with what it connected, or why it connected nothing.

    Whoever has the address of a callback knows the state of that authorization, but only in the `same_browser` may the
    person's own pages be opened.
    """

    request: AuthorizationRequest
    same_browser: bool
    connections: tuple[Connection, ...]
    error: ConnectError | None


def find(*, params: Mapping[str, str], session_secret: str, now: datetime) -> EarlierCallback | None:
    """Returns the authorization that a callback with these parameters belongs to; None if there is none."""
    state = params.get("state", "")
    if state:
        matching = Q(state_hash=hash_token(state))
    else:
        matching = reauthorization.battery_requests(params=params, session_secret=session_secret, used=True)
    found = AuthorizationRequest.objects.select_related(
        "fleet", "started_by", "invitation__fleet", "connection"
    )
    request = found.filter(matching).first()
    if request is None:
        return None
    same_browser = bool(session_secret) and request.session_hash == hash_token(session_secret)
    connections = connected_by(request)
    error = None if connections else _error(request, params, same_browser=same_browser, now=now)
    return EarlierCallback(request, same_browser, connections, error)


def connected_by(request: AuthorizationRequest) -> tuple[Connection, ...]:
    """Returns the connections that the authorization created or renewed; none before it has succeeded."""
    if request.outcome_code != AuthorizationOutcome.CONNECTED:
        return ()
    ids = request.outcome_params.get("connections", [])
    found = request.fleet.connections.filter(pk__in=ids).select_related("vehicle", "fleet")
    return tuple(found.order_by("pk"))


def _error(
    request: AuthorizationRequest, params: Mapping[str, str], *, same_browser: bool, now: datetime
) -> ConnectError:
    if request.used_at is None:
        if now - request.created_at >= AuthorizationRequest.LIFETIME:
            return oauth_errors.EXPIRED
        return oauth_errors.UNKNOWN_STATE if same_browser else oauth_errors.OTHER_BROWSER
    if not request.outcome_code:
        in_progress = now - request.used_at < LONGEST_CALLBACK
        return oauth_errors.IN_PROGRESS if in_progress else oauth_errors.INTERRUPTED
    stored = oauth_errors.stored_error(
        code=request.outcome_code,
        stored=request.outcome_params,
        sign_in=request.purpose == AuthorizationPurpose.SIGN_IN,
        params=params,
    )
    return stored or oauth_errors.UNKNOWN_STATE
