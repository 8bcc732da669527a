"""Runs an offboarding: revokes grants at Smartcar, erases in batches, checks Smartcar's list, and finishes.

Every completed step is stored in the database, each batch with its count in one transaction, so that a worker can
resume after a crash. Steps can be repeated: nothing is erased or counted twice.
"""

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import SmartcarApiVersion
from connect import applications, gateway, token_store
from connect.gateway import CallPurpose
from connect.messages import NO_PROBLEM, OffboardingProblem, Problem
from connect.models import (
    Connection,
    ConnectionState,
    ErasureRecord,
    GrantRevocation,
    OffboardingRequest,
    UserToken,
)
from connect.offboarding import erasure_handlers
from connect.offboarding.driver_erasure import departed_drivers
from connect.offboarding.erasure_target import ErasureHandler, ErasureTarget
from connect.offboarding.models import ErasureScope, RemoteStatus, RevocationStatus
from connect.offboarding.residue import SearchTerms, find_residue
from core.encryption import DecryptionError
from core.task_queue import enqueue_on_commit
from smartcar_api import Disconnected, SmartcarError

BATCH = 2000
# Longer than one batch or the calls about one grant. When a process was killed, another resumes after this time.
LEASE = timedelta(seconds=90)
# A task stops after this time and is enqueued again.
ONE_TURN_SECONDS = 120.0
_FAR_FUTURE = timedelta(days=3660)
SOON, LATEST = timedelta(seconds=30), timedelta(hours=6)


def run(*, offboarding_id: int) -> None:
    """Continues the offboarding for one turn. Does nothing if another process is running it."""
    offboarding = (
        OffboardingRequest.objects.select_related("fleet", "vehicle").filter(pk=offboarding_id).first()
    )
    if offboarding is None or not offboarding.claim(now=timezone.now(), lease=LEASE):
        return
    problem = _revoke_grants(offboarding)
    if not _erase(offboarding):
        OffboardingRequest.objects.filter(pk=offboarding.pk).update(lease_until=None)
        enqueue_on_commit("connect.tasks.run_offboarding", offboarding.pk)
        return
    problem = problem or _check_remote(offboarding)
    if problem:
        _retry_later(offboarding, problem)
    else:
        _finish(offboarding)


# Revoking grants


def _revoke_grants(offboarding: OffboardingRequest) -> Problem:
    """Revokes the remaining grants. Returns why one could not be revoked yet, or no problem."""
    problem = NO_PROBLEM
    waiting = offboarding.grants.filter(end=RevocationStatus.WAITING)
    for grant in waiting.select_related(
        "connection__vehicle", "connection__fleet", "connection__tokens", "connection__application"
    ):
        _extend_lease(offboarding)
        try:
            with token_store.decryption_checked():
                status, request_id = _revoke(grant.connection)
        except (token_store.TokensUnavailableError, SmartcarError) as error:
            problem = Problem.from_error(error)
        else:
            GrantRevocation.objects.filter(pk=grant.pk).update(
                end=status, request_id=request_id[:80], ended_at=timezone.now()
            )
    return problem


def _revoke(connection: Connection) -> tuple[RevocationStatus, str]:
    """Returns the resulting status and Smartcar's request ID. Raises SmartcarError or TokensUnavailableError."""
    if connection.state != ConnectionState.REMOVED:
        return RevocationStatus.AGAIN, ""
    if shared_elsewhere(connection):
        return RevocationStatus.SHARED, ""
    try:
        answer = disconnect(connection)
    except token_store.TokensUnavailableError:
        if connection.api_version == SmartcarApiVersion.V2 and _has_no_valid_tokens(connection):
            return RevocationStatus.ENDED_BEFORE, ""
        raise
    except SmartcarError as error:
        if error.type == "invalid_grant":
            return RevocationStatus.ENDED_BEFORE, error.request_id
        raise
    return (RevocationStatus.ENDED if answer.known else RevocationStatus.ENDED_BEFORE), answer.request_id


def disconnect(
    connection: Connection, *, connection_id: str = "", purpose: CallPurpose = CallPurpose.PERSON
) -> Disconnected:
    """Revokes the grant at Smartcar. Raises SmartcarError or TokensUnavailableError.

    On v2, a token pair that is no longer valid doesn't mean that the grant has ended: the management token ends it.
    Without a management token, the error is raised.
    """
    try:
        return gateway.call(
            connection=connection,
            purpose=purpose,
            request=lambda api, access: api.disconnect(
                access,
                vehicle_id=connection.vehicle.smartcar_id,
                connection_id=connection_id or connection.smartcar_connection_id,
            ),
        )
    except token_store.TokensUnavailableError:
        if not _can_be_managed(connection) or not _has_no_valid_tokens(connection):
            raise
    except SmartcarError as error:
        if error.type != "invalid_grant" or not _can_be_managed(connection):
            raise
    return applications.for_connection(connection).v2.end_connection(
        user_id=connection.smartcar_user_id, vehicle_id=connection.vehicle.smartcar_id
    )


def _can_be_managed(connection: Connection) -> bool:
    application = applications.for_connection(connection)
    return connection.api_version == SmartcarApiVersion.V2 and bool(application.credentials.management_tokens)


def _has_no_valid_tokens(connection: Connection) -> bool:
    """Whether the v2 connection has no valid tokens left. Without a management token, it then can't be revoked."""
    return connection.tokens is None or connection.tokens.reread().revoked_at is not None


def shared_elsewhere(connection: Connection) -> bool:
    """Whether the driver shares the same vehicle with another fleet of the site through the same grant."""
    same_grant = Connection.objects.filter(
        smartcar_user_id=connection.smartcar_user_id,
        application=connection.application_id,
        vehicle__smartcar_id=connection.vehicle.smartcar_id,
    )
    return same_grant.exclude(pk=connection.pk).exclude(state=ConnectionState.REMOVED).exists()


def _delete_unused_tokens(connection: Connection) -> None:
    """Deletes the v2 token pair once no connection uses it and no revocation still needs it."""
    if connection.tokens_id is not None:
        used = Connection.objects.filter(tokens=connection.tokens_id).exclude(state=ConnectionState.REMOVED)
        waiting = GrantRevocation.objects.filter(
            connection__tokens=connection.tokens_id, listing__in=[RemoteStatus.WAITING, RemoteStatus.SHOWN]
        )
        if not used.exists() and not waiting.exists():
            UserToken.objects.filter(pk=connection.tokens_id).delete()


# Erasing


def _erase(offboarding: OffboardingRequest) -> bool:
    """Erases the data. Returns whether everything is erased; False if the turn ended first."""
    if not offboarding.erases or offboarding.erased_at is not None:
        return True
    target = _target(offboarding)
    deadline = time.monotonic() + ONE_TURN_SECONDS
    handlers = {each.kind: each for each in erasure_handlers.all_handlers()}
    for row in offboarding.erased.filter(done_at=None):
        while row.done_at is None:
            if time.monotonic() > deadline:
                return False
            _erase_batch(offboarding, row, handlers[row.kind], target)
    OffboardingRequest.objects.filter(pk=offboarding.pk).update(erased_at=timezone.now())
    return True


def _target(offboarding: OffboardingRequest) -> ErasureTarget:
    still_shared = offboarding.vehicle.connections.exclude(state=ConnectionState.REMOVED).exists()
    users = offboarding.grants.values_list("connection__smartcar_user_id", flat=True)
    return ErasureTarget(
        vehicle=offboarding.vehicle,
        places_only=offboarding.extent == ErasureScope.PLACES,
        since=offboarding.since,
        # Once no driver shares the vehicle, values with timestamps in the future are erased, too.
        until=offboarding.until if still_shared else timezone.now() + _FAR_FUTURE,
        still_shared=still_shared,
        drivers=departed_drivers(fleet=offboarding.fleet, user_ids=users),
        requested_at=offboarding.asked_at,
    )


@transaction.atomic
def _erase_batch(
    offboarding: OffboardingRequest, row: ErasureRecord, handler: ErasureHandler, target: ErasureTarget
) -> None:
    """Erases one batch and updates its count, in one transaction."""
    note = handler.skip_reason(target)
    count = 0 if note else handler.erase(target, BATCH)
    row.done_at = timezone.now() if note or count < BATCH else None
    ErasureRecord.objects.filter(pk=row.pk).update(
        rows=F("rows") + count, note_code=note.code, note_params=note.params, done_at=row.done_at
    )
    _extend_lease(offboarding)


# Checking Smartcar's list, and finishing


def _check_remote(offboarding: OffboardingRequest) -> Problem:
    """Looks up each unchecked grant in Smartcar's list. Returns why a grant must be checked again, or no problem."""
    problem = NO_PROBLEM
    unchecked = offboarding.grants.filter(listing__in=[RemoteStatus.WAITING, RemoteStatus.SHOWN])
    for grant in unchecked.select_related(
        "connection__vehicle", "connection__tokens", "connection__application"
    ):
        _extend_lease(offboarding)
        try:
            with token_store.decryption_checked():
                status = _remote_status(grant)
        except (token_store.TokensUnavailableError, SmartcarError) as error:
            problem = Problem.from_error(error)
        else:
            GrantRevocation.objects.filter(pk=grant.pk).update(listing=status, listed_at=timezone.now())
            if status == RemoteStatus.SHOWN:
                # This grant is still active, so it is revoked again.
                GrantRevocation.objects.filter(pk=grant.pk).update(end=RevocationStatus.WAITING)
                problem = Problem(OffboardingProblem.STILL_LISTED.message())
            elif status != RemoteStatus.GOES_ON:
                _delete_unused_tokens(grant.connection)
    return problem


def _remote_status(grant: GrantRevocation) -> RemoteStatus:
    """Returns whether Smartcar still lists the grant. Raises SmartcarError or TokensUnavailableError."""
    connection = grant.connection
    if grant.end in (RevocationStatus.SHARED, RevocationStatus.AGAIN):
        return RemoteStatus.GOES_ON
    application = applications.for_connection(connection)
    vehicle_id = connection.vehicle.smartcar_id
    if connection.api_version == SmartcarApiVersion.V2:
        if not application.credentials.management_tokens:
            return RemoteStatus.NO_LIST
        # The driver's own tokens are no longer valid; the management token lists every connection.
        listed = application.v2.all_connections(user_id=connection.smartcar_user_id, vehicle_id=vehicle_id)
        return RemoteStatus.SHOWN if listed else RemoteStatus.GONE
    shared = gateway.call(
        connection=connection,
        purpose=CallPurpose.BACKGROUND,
        request=lambda api, access: api.shared_vehicles(access, mode=connection.mode or "live"),
    )
    return RemoteStatus.SHOWN if any(each.vehicle_id == vehicle_id for each in shared) else RemoteStatus.GONE


def _extend_lease(offboarding: OffboardingRequest) -> None:
    OffboardingRequest.objects.filter(pk=offboarding.pk).update(lease_until=timezone.now() + LEASE)


def _retry_later(offboarding: OffboardingRequest, problem: Problem) -> None:
    wait = min(SOON * 2 ** min(offboarding.attempts, 12), LATEST)
    OffboardingRequest.objects.filter(pk=offboarding.pk).update(
        attempts=F("attempts") + 1,
        next_try_at=timezone.now() + wait,
        lease_until=None,
        **problem.columns("problem"),
    )


def _finish(offboarding: OffboardingRequest) -> None:
    """Erases what processes that began before the offboarding have stored since, and marks it as finished.

    It is finished only if a search of every table finds nothing more. Otherwise, it is retried.
    """
    if offboarding.erases and not _erase_remaining(offboarding):
        OffboardingRequest.objects.filter(pk=offboarding.pk).update(erased_at=None, lease_until=None)
        enqueue_on_commit("connect.tasks.run_offboarding", offboarding.pk)
        return
    if problem := _search(offboarding):
        _retry_later(offboarding, problem)
        return
    OffboardingRequest.objects.filter(pk=offboarding.pk).update(
        finished_at=timezone.now(),
        next_try_at=None,
        lease_until=None,
        **NO_PROBLEM.columns("problem"),
    )


def _erase_remaining(offboarding: OffboardingRequest) -> bool:
    """Erases one more batch of each kind. Returns whether nothing is left."""
    target = _target(offboarding)
    handlers = {each.kind: each for each in erasure_handlers.all_handlers()}
    rows = list(offboarding.erased.filter(note_code=""))
    for row in rows:
        _erase_batch(offboarding, row, handlers[row.kind], target)
    return all(row.done_at is not None for row in rows)


def _search(offboarding: OffboardingRequest) -> Problem:
    """Searches every table for what identified the vehicle and its drivers. Returns what was found, or no problem."""
    if offboarding.search_terms is None:
        return NO_PROBLEM
    _extend_lease(offboarding)
    try:
        terms = SearchTerms.decrypted(offboarding.search_terms)
    except DecryptionError:
        return Problem(OffboardingProblem.NOT_SEARCHED.message())
    found = find_residue(target=_target(offboarding), terms=terms)
    if found:
        tables = ", ".join(f"{table} ({rows})" for table, rows in sorted(found.items()))
        return Problem(OffboardingProblem.DATA_FOUND.message(tables=tables))
    searched = {"search_terms": None, "searched_at": timezone.now()}
    OffboardingRequest.objects.filter(pk=offboarding.pk).update(**searched)
    return NO_PROBLEM
