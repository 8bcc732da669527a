"""Derives a connection's state from evidence. Pure functions: no tables, no clock, no network.

Rules and their reasons:
- One error never changes the state: for some vehicles, errors that require a new sign-in are reported daily while data
  still arrives. The first error becomes a pending issue. It is confirmed by an error from another source (for example,
  an event and a rejected call), by the same error `CONFIRMATION_GAP` later, or when no data follows for
  `CONFIRMATION_TIMEOUT`.
- Fresh data clears all pending issues and restores every state, except if the grant has ended, the token pair is
  invalid, or the month's requests are used up: data is still pushed in these cases.
- RESOLVED clears the error that it names.
- A permission error about certain signals concerns these signals only.
- A plan limit is reported by Smartcar about our own account, so it needs no confirmation, and doesn't end the grant.
- If Smartcar no longer knows a vehicle (404), only its list of connections can confirm that.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from connect.status.states import HEALTHY, TERMINATED, ConnectionState
from core.message_codes import NO_MESSAGE, Message

CONFIRMATION_GAP = timedelta(minutes=15)
CONFIRMATION_TIMEOUT = timedelta(hours=12)

ACCOUNT = "CONNECTED_SERVICES_ACCOUNT"
INVALID_GRANT = "invalid_grant"
REQUESTS_USED_UP = "BILLING:VEHICLE_REQUEST_LIMIT"
GONE = "RESOURCE_NOT_FOUND"

_BY_ACCOUNT_CODE = {
    "AUTHENTICATION_FAILED": ConnectionState.NEEDS_REAUTHENTICATION,
    "ACCOUNT_ISSUE": ConnectionState.NEEDS_REAUTHENTICATION,
    "NO_VEHICLES": ConnectionState.NEEDS_REAUTHENTICATION,
    "VEHICLE_MISSING": ConnectionState.NEEDS_REAUTHENTICATION,
    "PERMISSION": ConnectionState.PERMISSION_MISSING,
    "SUBSCRIPTION": ConnectionState.SUBSCRIPTION_NEEDED,
}
_OF_THE_PLAN = ("VEHICLE_LIMIT", "VEHICLE_REQUEST_LIMIT", "ACCOUNT_SUSPENDED")
_HEALTHIER = (*HEALTHY, ConnectionState.STALE)


class EvidenceSource(StrEnum):
    """Where an error was reported. Errors from two different sources confirm each other."""

    EVENT = "event"  # a VEHICLE_ERROR event
    CALL = "call"  # a rejected call
    READ = "read"  # a delivery or a read without any valid signal


@dataclass(frozen=True, slots=True)
class PendingIssue:
    """A reported error that is not confirmed yet."""

    state: ConnectionState
    error: str
    source: EvidenceSource
    since: datetime
    evidence: Message = NO_MESSAGE


@dataclass(frozen=True, slots=True)
class Status:
    """A connection's state, when it began, the error (`TYPE:CODE`) that caused it, and pending issues."""

    state: ConnectionState
    since: datetime
    error: str = ""
    suspicions: tuple[PendingIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorSignal:
    """An error that concerns the whole connection, with the state it indicates."""

    state: ConnectionState
    error: str
    source: EvidenceSource
    at: datetime
    evidence: Message = NO_MESSAGE


def name_of(type: str, code: str | None) -> str:  # noqa: A002
    """Returns `TYPE:CODE`, the form in which connections store errors."""
    return f"{type}:{code}" if code else type


def state_for(
    *,
    type: str,  # noqa: A002
    code: str | None,
    source: EvidenceSource,
    on_signals: bool = False,
    reauthenticate: bool = False,
) -> ConnectionState | None:
    """Returns the state that an error indicates, or None if the error doesn't concern the whole connection.

    `on_signals`: the error concerns only certain signals. `reauthenticate`: Smartcar requires a new sign-in.
    """
    if type == ACCOUNT:
        found = _BY_ACCOUNT_CODE.get(code or "")
        if found is ConnectionState.PERMISSION_MISSING:
            return None if on_signals else found
        if found is None and code != "VIRTUAL_KEY_REQUIRED" and reauthenticate:
            return ConnectionState.NEEDS_REAUTHENTICATION
        return found
    if type == "BILLING":
        # A plan without a feature (INVALID_PLAN) rejects one request, not the vehicle.
        return ConnectionState.PLAN_LIMIT if code in _OF_THE_PLAN and not on_signals else None
    if type == "PERMISSION":
        return None if on_signals else ConnectionState.PERMISSION_MISSING
    if type == "AUTHENTICATION":
        # From a call, the error concerns our own token, not the driver's sign-in.
        return ConnectionState.NEEDS_REAUTHENTICATION if source is not EvidenceSource.CALL else None
    return None


def on_data(standing: Status, *, at: datetime) -> Status:
    """Returns the status after fresh data was received at that time."""
    suspicions = tuple(each for each in standing.suspicions if each.since > at)
    stays = (
        standing.state in (*TERMINATED, ConnectionState.ACTIVE)
        or standing.error in (INVALID_GRANT, REQUESTS_USED_UP)
        # Received before the error. Quarantined data is older than the connection, and counts as fresh.
        or (at < standing.since and standing.state not in _HEALTHIER)
    )
    if stays:
        return replace(standing, suspicions=suspicions)
    return Status(ConnectionState.ACTIVE, at, suspicions=suspicions)


def on_error(standing: Status, complaint: ErrorSignal) -> Status:
    """Returns the status after an error about the whole connection was reported."""
    if standing.state in TERMINATED or standing.state is complaint.state:
        return standing
    if complaint.state is ConnectionState.PLAN_LIMIT:
        return _confirmed(standing, complaint) if standing.state in _HEALTHIER else standing
    earlier = next((each for each in standing.suspicions if each.state is complaint.state), None)
    if earlier is None:
        suspicion = PendingIssue(
            complaint.state, complaint.error, complaint.source, complaint.at, complaint.evidence
        )
        return replace(standing, suspicions=(*standing.suspicions, suspicion))
    joined = earlier.source is not complaint.source or complaint.at - earlier.since >= CONFIRMATION_GAP
    if not joined or complaint.state is ConnectionState.REVOKED:
        return standing
    return _confirmed(standing, complaint)


def _confirmed(standing: Status, complaint: ErrorSignal) -> Status:
    others = tuple(each for each in standing.suspicions if each.state is not complaint.state)
    return Status(complaint.state, complaint.at, error=complaint.error, suspicions=others)


def confirm_after_timeout(standing: Status, *, now: datetime) -> Status:
    """Confirms the oldest pending issue that has received no data for `CONFIRMATION_TIMEOUT`."""
    ripe = [
        each
        for each in standing.suspicions
        if now - each.since >= CONFIRMATION_TIMEOUT and each.state is not ConnectionState.REVOKED
    ]
    if not ripe or standing.state in TERMINATED:
        return standing
    oldest = min(ripe, key=lambda each: each.since)
    others = tuple(each for each in standing.suspicions if each is not oldest)
    return Status(oldest.state, now, error=oldest.error, suspicions=others)


def resolved(standing: Status, *, type: str, code: str | None, at: datetime) -> Status:  # noqa: A002
    """Returns the status after Smartcar reported this error as resolved; without a code, all errors of the type."""
    suspicions = tuple(each for each in standing.suspicions if not _names(each.error, type, code))
    if standing.state in TERMINATED or not standing.error or not _names(standing.error, type, code):
        return replace(standing, suspicions=suspicions)
    return Status(ConnectionState.ACTIVE, at, suspicions=suspicions)


def _names(error: str, type: str, code: str | None) -> bool:  # noqa: A002
    return error == name_of(type, code) or (not code and error.startswith(f"{type}:"))


def on_no_data(standing: Status, *, now: datetime) -> Status:
    """Returns the status after no data was received for much longer than normal."""
    if standing.state not in HEALTHY:
        return standing
    return replace(standing, state=ConnectionState.STALE, since=now)


def on_call_succeeded(standing: Status, *, now: datetime) -> Status:
    """Returns the status after a successful call, which shows that the plan covers the vehicle."""
    if standing.state is not ConnectionState.PLAN_LIMIT:
        return standing
    return Status(ConnectionState.ACTIVE, now, suspicions=standing.suspicions)


def on_new_month(standing: Status, *, now: datetime) -> Status:
    """Returns the status in a new month (UTC), whose requests are not used up."""
    over = (now.year, now.month) > (standing.since.year, standing.since.month)
    if standing.state is ConnectionState.PLAN_LIMIT and standing.error == REQUESTS_USED_UP and over:
        return Status(ConnectionState.ACTIVE, now, suspicions=standing.suspicions)
    return standing


def on_listed(standing: Status, *, now: datetime, found: bool) -> Status:
    """Returns the status after Smartcar's list of connections was checked for this one."""
    suspicions = tuple(each for each in standing.suspicions if each.state is not ConnectionState.REVOKED)
    if found or standing.state in TERMINATED:
        return replace(standing, suspicions=suspicions)
    return Status(ConnectionState.REVOKED, now, error=GONE)
