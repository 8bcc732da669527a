"""Carrying a removal out: ending its grants at Smartcar, erasing in batches, asking for Smartcar's list, finishing.

Every step stands in the database when it is done, each batch with its count in one transaction, so that whoever
comes after a crash goes on from there. The steps may be repeated: nothing is erased or counted twice.
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
from connect.offboarding.erasure_handlers import ErasureHandler, ErasureTarget
from connect.offboarding.models import ErasureScope, RemoteStatus, RevocationStatus
from core.task_queue import enqueue_on_commit
from smartcar_api import Disconnected, SmartcarError

BATCH = 2000
# Longer than a batch and than the calls about one grant; a killed process's removal is taken up after it.
LEASE = timedelta(seconds=90)
# A task gives way after this long, and is rung again.
ONE_TURN_SECONDS = 120.0
_GRANTS_DONE_FIRST = timedelta(days=3660)
SOON, LATEST = timedelta(seconds=30), timedelta(hours=6)


def run(*, removal_id: int) -> None:
    """Does what is left of the removal, as far as one turn goes. Nothing when another process is at it."""
    removal = OffboardingRequest.objects.select_related("fleet", "vehicle").filter(pk=removal_id).first()
    if removal is None or not removal.claim(now=timezone.now(), lease=LEASE):
        return
    problem = _end_grants(removal)
    if not _erase(removal):
        OffboardingRequest.objects.filter(pk=removal.pk).update(lease_until=None)
        enqueue_on_commit("connect.tasks.run_offboarding", removal.pk)
        return
    problem = problem or _check_remote(removal)
    if problem:
        _retry_later(removal, problem)
    else:
        _finish(removal)


# The grants


def _end_grants(removal: OffboardingRequest) -> Problem:
    """Why a grant could not be ended yet; no problem when all are."""
    problem = NO_PROBLEM
    waiting = removal.grants.filter(end=RevocationStatus.WAITING)
    for grant in waiting.select_related(
        "connection__vehicle", "connection__fleet", "connection__tokens", "connection__application"
    ):
        _extend_lease(removal)
        try:
            end, request_id = _end(grant.connection)
        except (token_store.TokensUnavailableError, SmartcarError) as error:
            problem = Problem.from_error(error)
        else:
            GrantRevocation.objects.filter(pk=grant.pk).update(
                end=end, request_id=request_id[:80], ended_at=timezone.now()
            )
    return problem


def _end(connection: Connection) -> tuple[RevocationStatus, str]:
    """What became of the grant, and Smartcar's request id. Raises SmartcarError, TokensUnavailableError."""
    if connection.state != ConnectionState.REMOVED:
        return RevocationStatus.AGAIN, ""
    if shared_elsewhere(connection):
        return RevocationStatus.SHARED, ""
    try:
        answer = _disconnect(connection)
    except token_store.TokensUnavailableError:
        if connection.api_version == SmartcarApiVersion.V2 and _dead(connection):
            return RevocationStatus.ENDED_BEFORE, ""
        raise
    except SmartcarError as error:
        if error.type == "invalid_grant":
            return RevocationStatus.ENDED_BEFORE, error.request_id
        raise
    return (RevocationStatus.ENDED if answer.known else RevocationStatus.ENDED_BEFORE), answer.request_id


def _disconnect(connection: Connection) -> Disconnected:
    return gateway.call(
        connection=connection,
        purpose=CallPurpose.PERSON,
        request=lambda api, access: api.disconnect(
            access,
            vehicle_id=connection.vehicle.smartcar_id,
            connection_id=connection.smartcar_connection_id,
        ),
    )


def _dead(connection: Connection) -> bool:
    """v2: no tokens open the grant any more, so nothing can be done through it. Smartcar's list has the last word."""
    return connection.tokens is None or connection.tokens.reread().revoked_at is not None


def shared_elsewhere(connection: Connection) -> bool:
    """Whether the driver shares the same car with another fleet of the site by the same grant."""
    same_grant = Connection.objects.filter(
        smartcar_user_id=connection.smartcar_user_id,
        application=connection.application_id,
        vehicle__smartcar_id=connection.vehicle.smartcar_id,
    )
    return same_grant.exclude(pk=connection.pk).exclude(state=ConnectionState.REMOVED).exists()


def _drop_tokens(connection: Connection) -> None:
    """A v2 pair that opens nothing of ours any more is deleted."""
    if connection.tokens_id is not None:
        used = Connection.objects.filter(tokens=connection.tokens_id).exclude(state=ConnectionState.REMOVED)
        waiting = GrantRevocation.objects.filter(
            connection__tokens=connection.tokens_id, listing__in=[RemoteStatus.WAITING, RemoteStatus.SHOWN]
        )
        if not used.exists() and not waiting.exists():
            UserToken.objects.filter(pk=connection.tokens_id).delete()


# Erasing


def _erase(removal: OffboardingRequest) -> bool:
    """Whether everything is erased; false when the turn is over before."""
    if not removal.erases or removal.erased_at is not None:
        return True
    target = _target(removal)
    deadline = time.monotonic() + ONE_TURN_SECONDS
    known = {each.kind: each for each in erasure_handlers.all_handlers()}
    for row in removal.erased.filter(done_at=None):
        while row.done_at is None:
            if time.monotonic() > deadline:
                return False
            _erase_batch(removal, row, known[row.kind], target)
    OffboardingRequest.objects.filter(pk=removal.pk).update(erased_at=timezone.now())
    return True


def _target(removal: OffboardingRequest) -> ErasureTarget:
    stays = removal.vehicle.connections.exclude(state=ConnectionState.REMOVED).exists()
    return ErasureTarget(
        vehicle=removal.vehicle,
        places_only=removal.extent == ErasureScope.PLACES,
        since=removal.since,
        # Where nobody shares the car any more, what a clock ahead of ours has told goes as well.
        until=removal.until if stays else timezone.now() + _GRANTS_DONE_FIRST,
        stays=stays,
    )


@transaction.atomic
def _erase_batch(
    removal: OffboardingRequest, row: ErasureRecord, eraser: ErasureHandler, target: ErasureTarget
) -> None:
    """One batch and its count, both or neither."""
    note = eraser.spared(target)
    count = 0 if note else eraser.erase(target, BATCH)
    row.done_at = timezone.now() if note or count < BATCH else None
    ErasureRecord.objects.filter(pk=row.pk).update(
        rows=F("rows") + count, note_code=note.code, note_params=note.params, done_at=row.done_at
    )
    _extend_lease(removal)


# The list, and the end


def _check_remote(removal: OffboardingRequest) -> Problem:
    """Looks each unsettled grant up in Smartcar's list. Why it has to be looked up again; no problem when all are."""
    problem = NO_PROBLEM
    unsettled = removal.grants.filter(listing__in=[RemoteStatus.WAITING, RemoteStatus.SHOWN])
    for grant in unsettled.select_related(
        "connection__vehicle", "connection__tokens", "connection__application"
    ):
        _extend_lease(removal)
        try:
            listing = _remote_status(grant)
        except (token_store.TokensUnavailableError, SmartcarError) as error:
            problem = Problem.from_error(error)
        else:
            GrantRevocation.objects.filter(pk=grant.pk).update(listing=listing, listed_at=timezone.now())
            if listing == RemoteStatus.SHOWN:
                # Whatever ended was not this grant: it is ended once more.
                GrantRevocation.objects.filter(pk=grant.pk).update(end=RevocationStatus.WAITING)
                problem = Problem(OffboardingProblem.STILL_LISTED.message())
            elif listing != RemoteStatus.GOES_ON:
                _drop_tokens(grant.connection)
    return problem


def _remote_status(grant: GrantRevocation) -> RemoteStatus:
    """Raises SmartcarError or TokensUnavailableError when Smartcar's list cannot be had."""
    connection = grant.connection
    if grant.end in (RevocationStatus.SHARED, RevocationStatus.AGAIN):
        return RemoteStatus.GOES_ON
    application = applications.for_connection(connection)
    car = connection.vehicle.smartcar_id
    if connection.api_version == SmartcarApiVersion.V2:
        if not application.credentials.management_tokens:
            return RemoteStatus.NO_LIST
        # The owner's own tokens open nothing any more; the management token lists them all.
        listed = application.v2.all_connections(user_id=connection.smartcar_user_id, vehicle_id=car)
        return RemoteStatus.SHOWN if listed else RemoteStatus.GONE
    shared = gateway.call(
        connection=connection,
        purpose=CallPurpose.BACKGROUND,
        request=lambda api, access: api.shared_vehicles(access, mode=connection.mode or "live"),
    )
    return RemoteStatus.SHOWN if any(each.vehicle_id == car for each in shared) else RemoteStatus.GONE


def _extend_lease(removal: OffboardingRequest) -> None:
    OffboardingRequest.objects.filter(pk=removal.pk).update(lease_until=timezone.now() + LEASE)


def _retry_later(removal: OffboardingRequest, problem: Problem) -> None:
    wait = min(SOON * 2 ** min(removal.attempts, 12), LATEST)
    OffboardingRequest.objects.filter(pk=removal.pk).update(
        attempts=F("attempts") + 1,
        next_try_at=timezone.now() + wait,
        lease_until=None,
        **problem.columns("problem"),
    )


def _finish(removal: OffboardingRequest) -> None:
    """Looks once more for what came in between, by a process that had begun before the removal, and signs."""
    if removal.erases and not _look_again(removal):
        OffboardingRequest.objects.filter(pk=removal.pk).update(erased_at=None, lease_until=None)
        enqueue_on_commit("connect.tasks.run_offboarding", removal.pk)
        return
    OffboardingRequest.objects.filter(pk=removal.pk).update(
        finished_at=timezone.now(),
        next_try_at=None,
        lease_until=None,
        **NO_PROBLEM.columns("problem"),
    )


def _look_again(removal: OffboardingRequest) -> bool:
    """Whether nothing is left, as far as one batch of each kind tells."""
    target = _target(removal)
    known = {each.kind: each for each in erasure_handlers.all_handlers()}
    rows = list(removal.erased.filter(note_code=""))
    for row in rows:
        _erase_batch(removal, row, known[row.kind], target)
    return all(row.done_at is not None for row in rows)
