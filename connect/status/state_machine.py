"""How a connection's state follows from evidence. Pure: no tables, no clock, no network.

Rules, and where they come from ("wire sheet" facts in words):
- One error never ends a connection: errors that ask for a new sign-in come daily for some cars while their data
  goes on arriving. A first complaint is a suspicion. It is believed when a second one of another kind joins it
  (an event and a refused call, say), when the same comes again `APART` later, or when nothing is heard for `SETTLES`.
- Fresh data ends every suspicion and heals every state but those in which the grant is over, the token pair is
  dead, or the month's requests are used up: data is pushed all the same then.
- RESOLVED takes back the error that it names.
- A refusal for permission that concerns certain signals says something of those signals only.
- The plan's limit is Smartcar's word about our own account, needs no second witness, and ends nothing.
- That Smartcar does not know a car any more (404) is settled by its list of connections alone.
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
    """Where a complaint was heard. Two of different sources make each other believed."""

    EVENT = "event"  # a VEHICLE_ERROR event
    CALL = "call"  # a call that was refused
    READ = "read"  # a delivery or a read in which no signal came through


@dataclass(frozen=True, slots=True)
class PendingIssue:
    """A complaint that nothing has corroborated yet."""

    state: ConnectionState
    error: str
    source: EvidenceSource
    since: datetime
    evidence: Message = NO_MESSAGE


@dataclass(frozen=True, slots=True)
class Status:
    """A connection's state, the error (`TYPE:CODE`) that put it there, since when, and what is suspected."""

    state: ConnectionState
    since: datetime
    error: str = ""
    suspicions: tuple[PendingIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorSignal:
    """An error that concerns the whole connection: the state that it speaks for."""

    state: ConnectionState
    error: str
    source: EvidenceSource
    at: datetime
    evidence: Message = NO_MESSAGE


def name_of(type: str, code: str | None) -> str:  # noqa: A002
    """`TYPE:CODE`, as errors are kept with connections."""
    return f"{type}:{code}" if code else type


def state_for(
    *,
    type: str,  # noqa: A002
    code: str | None,
    source: EvidenceSource,
    on_signals: bool = False,
    reauthenticate: bool = False,
) -> ConnectionState | None:
    """The state that an error speaks for, or None where it says nothing of the whole connection.

    `on_signals`: it names the signals that it concerns. `reauthenticate`: Smartcar asks for a new sign-in.
    """
    if type == ACCOUNT:
        found = _BY_ACCOUNT_CODE.get(code or "")
        if found is ConnectionState.PERMISSION_MISSING:
            return None if on_signals else found
        if found is None and code != "VIRTUAL_KEY_REQUIRED" and reauthenticate:
            return ConnectionState.NEEDS_REAUTHENTICATION
        return found
    if type == "BILLING":
        # A plan without a feature (INVALID_PLAN) refuses one request, not the car.
        return ConnectionState.PLAN_LIMIT if code in _OF_THE_PLAN and not on_signals else None
    if type == "PERMISSION":
        return None if on_signals else ConnectionState.PERMISSION_MISSING
    if type == "AUTHENTICATION":
        # Of a call it speaks of our own token, not of the driver's sign-in.
        return ConnectionState.NEEDS_REAUTHENTICATION if source is not EvidenceSource.CALL else None
    return None


def on_data(standing: Status, *, at: datetime) -> Status:
    """Fresh data of this connection was received at that time."""
    suspicions = tuple(each for each in standing.suspicions if each.since > at)
    stays = (
        standing.state in (*TERMINATED, ConnectionState.ACTIVE)
        or standing.error in (INVALID_GRANT, REQUESTS_USED_UP)
        # Received before the trouble began. What waited in quarantine is older than the connection, and counts.
        or (at < standing.since and standing.state not in _HEALTHIER)
    )
    if stays:
        return replace(standing, suspicions=suspicions)
    return Status(ConnectionState.ACTIVE, at, suspicions=suspicions)


def on_error(standing: Status, complaint: ErrorSignal) -> Status:
    """An error about the whole connection was heard."""
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
    """Time has passed: what was suspected and is followed by nothing but silence is believed."""
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
    """Smartcar says that this error is over; without a code, every one of the type."""
    suspicions = tuple(each for each in standing.suspicions if not _names(each.error, type, code))
    if standing.state in TERMINATED or not standing.error or not _names(standing.error, type, code):
        return replace(standing, suspicions=suspicions)
    return Status(ConnectionState.ACTIVE, at, suspicions=suspicions)


def _names(error: str, type: str, code: str | None) -> bool:  # noqa: A002
    return error == name_of(type, code) or (not code and error.startswith(f"{type}:"))


def on_no_data(standing: Status, *, now: datetime) -> Status:
    """Nothing was heard for far longer than is normal."""
    if standing.state not in HEALTHY:
        return standing
    return replace(standing, state=ConnectionState.STALE, since=now)


def on_call_succeeded(standing: Status, *, now: datetime) -> Status:
    """A call about the car was answered: the plan covers it."""
    if standing.state is not ConnectionState.PLAN_LIMIT:
        return standing
    return Status(ConnectionState.ACTIVE, now, suspicions=standing.suspicions)


def on_new_month(standing: Status, *, now: datetime) -> Status:
    """A new month has begun, in UTC: its requests are not used up."""
    over = (now.year, now.month) > (standing.since.year, standing.since.month)
    if standing.state is ConnectionState.PLAN_LIMIT and standing.error == REQUESTS_USED_UP and over:
        return Status(ConnectionState.ACTIVE, now, suspicions=standing.suspicions)
    return standing


def on_listed(standing: Status, *, now: datetime, found: bool) -> Status:
    """Smartcar's own list of connections was asked whether it has this one."""
    suspicions = tuple(each for each in standing.suspicions if each.state is not ConnectionState.REVOKED)
    if found or standing.state in TERMINATED:
        return replace(standing, suspicions=suspicions)
    return Status(ConnectionState.REVOKED, now, error=GONE)
