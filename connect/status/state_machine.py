"""Derives a connection's state from evidence. Pure functions: no tables, no clock, no network.

Rules and their reasons:
- One error doesn't end a connection: for some vehicles, errors that require a new sign-in are reported daily while data
  still arrives. The first error becomes a pending issue. It is confirmed by an error for the same state from another
  source (for example, an event and a rejected call) or `CONFIRMATION_GAP` later, or when no data follows for
  `CONFIRMATION_TIMEOUT`.
- Fresh data clears earlier pending issues and restores every state, except if the grant has ended, the token pair is
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
_PLAN_CODES = ("VEHICLE_LIMIT", "VEHICLE_REQUEST_LIMIT", "ACCOUNT_SUSPENDED")
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
    pending_issues: tuple[PendingIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorSignal:
    """An error that concerns the whole connection, with the state it indicates."""

    state: ConnectionState
    error: str
    source: EvidenceSource
    at: datetime
    evidence: Message = NO_MESSAGE


def error_name(type: str, code: str | None) -> str:  # noqa: A002
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
        return ConnectionState.PLAN_LIMIT if code in _PLAN_CODES and not on_signals else None
    if type == "PERMISSION":
        return None if on_signals else ConnectionState.PERMISSION_MISSING
    if type == "AUTHENTICATION":
        # From a call, the error concerns our own token, not the driver's sign-in.
        return ConnectionState.NEEDS_REAUTHENTICATION if source is not EvidenceSource.CALL else None
    return None


def on_data(status: Status, *, at: datetime) -> Status:
    """Returns the status after fresh data was received at that time."""
    pending_issues = tuple(each for each in status.pending_issues if each.since > at)
    unchanged = (
        status.state in (*TERMINATED, ConnectionState.ACTIVE)
        or status.error in (INVALID_GRANT, REQUESTS_USED_UP)
        # Received before the error. Quarantined data is older than the connection, and counts as fresh.
        or (at < status.since and status.state not in _HEALTHIER)
    )
    if unchanged:
        return replace(status, pending_issues=pending_issues)
    return Status(ConnectionState.ACTIVE, at, pending_issues=pending_issues)


def on_error(status: Status, error_signal: ErrorSignal) -> Status:
    """Returns the status after an error about the whole connection was reported."""
    if status.state in TERMINATED or status.state is error_signal.state:
        return status
    if error_signal.state is ConnectionState.PLAN_LIMIT:
        return _confirmed(status, error_signal) if status.state in _HEALTHIER else status
    earlier = next((each for each in status.pending_issues if each.state is error_signal.state), None)
    if earlier is None:
        issue = PendingIssue(
            error_signal.state,
            error_signal.error,
            error_signal.source,
            error_signal.at,
            error_signal.evidence,
        )
        return replace(status, pending_issues=(*status.pending_issues, issue))
    corroborated = (
        earlier.source is not error_signal.source or error_signal.at - earlier.since >= CONFIRMATION_GAP
    )
    if not corroborated or error_signal.state is ConnectionState.REVOKED:
        return status
    return _confirmed(status, error_signal)


def _confirmed(status: Status, error_signal: ErrorSignal) -> Status:
    others = tuple(each for each in status.pending_issues if each.state is not error_signal.state)
    return Status(error_signal.state, error_signal.at, error=error_signal.error, pending_issues=others)


def confirm_after_timeout(status: Status, *, now: datetime) -> Status:
    """Returns the status with the oldest issue confirmed that has been pending for `CONFIRMATION_TIMEOUT`."""
    overdue = [
        each
        for each in status.pending_issues
        if now - each.since >= CONFIRMATION_TIMEOUT and each.state is not ConnectionState.REVOKED
    ]
    if not overdue or status.state in TERMINATED:
        return status
    oldest = min(overdue, key=lambda each: each.since)
    others = tuple(each for each in status.pending_issues if each is not oldest)
    return Status(oldest.state, now, error=oldest.error, pending_issues=others)


def resolved(status: Status, *, type: str, code: str | None, at: datetime) -> Status:  # noqa: A002
    """Returns the status after Smartcar reported this error as resolved; without a code, all errors of the type."""
    pending_issues = tuple(each for each in status.pending_issues if not _matches(each.error, type, code))
    if status.state in TERMINATED or not status.error or not _matches(status.error, type, code):
        return replace(status, pending_issues=pending_issues)
    return Status(ConnectionState.ACTIVE, at, pending_issues=pending_issues)


def _matches(error: str, type: str, code: str | None) -> bool:  # noqa: A002
    return error == error_name(type, code) or (not code and error.startswith(f"{type}:"))


def on_no_data(status: Status, *, now: datetime) -> Status:
    """Returns the status after no data was received for much longer than normal."""
    if status.state not in HEALTHY:
        return status
    return replace(status, state=ConnectionState.STALE, since=now)


def on_call_succeeded(status: Status, *, now: datetime) -> Status:
    """Returns the status after a successful call, which shows that the plan covers the vehicle."""
    if status.state is not ConnectionState.PLAN_LIMIT:
        return status
    return Status(ConnectionState.ACTIVE, now, pending_issues=status.pending_issues)


def on_new_month(status: Status, *, now: datetime) -> Status:
    """Returns the status in a new month (UTC), whose requests are not used up."""
    over = (now.year, now.month) > (status.since.year, status.since.month)
    if status.state is ConnectionState.PLAN_LIMIT and status.error == REQUESTS_USED_UP and over:
        return Status(ConnectionState.ACTIVE, now, pending_issues=status.pending_issues)
    return status


def on_listed(status: Status, *, now: datetime, found: bool) -> Status:
    """Returns the status after Smartcar's list of connections was checked for this one."""
    pending_issues = tuple(
        each for each in status.pending_issues if each.state is not ConnectionState.REVOKED
    )
    if found or status.state in TERMINATED:
        return replace(status, pending_issues=pending_issues)
    return Status(ConnectionState.REVOKED, now, error=GONE)
