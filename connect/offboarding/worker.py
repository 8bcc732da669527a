"""Carrying a removal out: ending its grants at Smartcar, erasing in batches, asking for Smartcar's list, finishing.

Every step stands in the database when it is done, each batch with its count in one transaction, so that whoever
comes after a crash goes on from there. The steps may be repeated: nothing is erased or counted twice.
"""

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts.models import Generation
from connect import applications, gateway, token_store
from connect.gateway import Purpose
from connect.models import Connection, ConnectionState, ErasedRows, OwnerTokens, Removal, RemovedGrant
from connect.offboarding import erasure_handlers
from connect.offboarding.erasure_handlers import Eraser, Target
from connect.offboarding.models import Extent, GrantEnd, Listing
from core.task_queue import ring
from smartcar_api import Disconnected, SmartcarError

BATCH = 2000
# Longer than a batch and than the calls about one grant; a killed process's removal is taken up after it.
LEASE = timedelta(seconds=90)
# A task gives way after this long, and is rung again.
ONE_TURN_SECONDS = 120.0
_AHEAD = timedelta(days=3660)
SOON, LATEST = timedelta(seconds=30), timedelta(hours=6)


def carry_out(*, removal_id: int) -> None:
    """Does what is left of the removal, as far as one turn goes. Nothing when another process is at it."""
    removal = Removal.objects.select_related("fleet", "vehicle").filter(pk=removal_id).first()
    if removal is None or not removal.claim(now=timezone.now(), lease=LEASE):
        return
    trouble = _end_grants(removal)
    if not _erase(removal):
        Removal.objects.filter(pk=removal.pk).update(lease_until=None)
        ring("connect.tasks.carry_out_removal", removal.pk)
        return
    trouble = trouble or _ask_lists(removal)
    if trouble:
        _put_off(removal, trouble)
    else:
        _finish(removal)


# The grants


def _end_grants(removal: Removal) -> str:
    """Why a grant could not be ended yet, "" when all are."""
    trouble = ""
    waiting = removal.grants.filter(end=GrantEnd.WAITING)
    for grant in waiting.select_related(
        "connection__vehicle", "connection__fleet", "connection__tokens", "connection__application"
    ):
        _prolong(removal)
        try:
            end, request_id = _end(grant.connection)
        except token_store.TokensUnavailableError as error:
            trouble = str(error)
        except SmartcarError as error:
            trouble = error.for_people
        else:
            RemovedGrant.objects.filter(pk=grant.pk).update(
                end=end, request_id=request_id[:80], ended_at=timezone.now()
            )
    return trouble


def _end(connection: Connection) -> tuple[GrantEnd, str]:
    """What became of the grant, and Smartcar's request id. Raises SmartcarError, TokensUnavailableError."""
    if connection.state != ConnectionState.REMOVED:
        return GrantEnd.AGAIN, ""
    if shared_elsewhere(connection):
        return GrantEnd.SHARED, ""
    try:
        answer = _disconnect(connection)
    except token_store.TokensUnavailableError:
        if connection.generation == Generation.V2 and _dead(connection):
            return GrantEnd.ENDED_BEFORE, ""
        raise
    except SmartcarError as error:
        if error.type == "invalid_grant":
            return GrantEnd.ENDED_BEFORE, error.request_id
        raise
    return (GrantEnd.ENDED if answer.known else GrantEnd.ENDED_BEFORE), answer.request_id


def _disconnect(connection: Connection) -> Disconnected:
    return gateway.call(
        connection=connection,
        purpose=Purpose.PERSON,
        make=lambda api, access: api.disconnect(
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
        waiting = RemovedGrant.objects.filter(
            connection__tokens=connection.tokens_id, listing__in=[Listing.WAITING, Listing.SHOWN]
        )
        if not used.exists() and not waiting.exists():
            OwnerTokens.objects.filter(pk=connection.tokens_id).delete()


# Erasing


def _erase(removal: Removal) -> bool:
    """Whether everything is erased; false when the turn is over before."""
    if not removal.erases or removal.erased_at is not None:
        return True
    target = _target(removal)
    deadline = time.monotonic() + ONE_TURN_SECONDS
    known = {each.kind: each for each in erasure_handlers.all_erasers()}
    for row in removal.erased.filter(done_at=None):
        while row.done_at is None:
            if time.monotonic() > deadline:
                return False
            _erase_batch(removal, row, known[row.kind], target)
    Removal.objects.filter(pk=removal.pk).update(erased_at=timezone.now())
    return True


def _target(removal: Removal) -> Target:
    stays = removal.vehicle.connections.exclude(state=ConnectionState.REMOVED).exists()
    return Target(
        vehicle=removal.vehicle,
        places_only=removal.extent == Extent.PLACES,
        since=removal.since,
        # Where nobody shares the car any more, what a clock ahead of ours has told goes as well.
        until=removal.until if stays else timezone.now() + _AHEAD,
        stays=stays,
    )


@transaction.atomic
def _erase_batch(removal: Removal, row: ErasedRows, eraser: Eraser, target: Target) -> None:
    """One batch and its count, both or neither."""
    note = eraser.spared(target)
    count = 0 if note else eraser.erase(target, BATCH)
    row.done_at = timezone.now() if note or count < BATCH else None
    ErasedRows.objects.filter(pk=row.pk).update(rows=F("rows") + count, note=note, done_at=row.done_at)
    _prolong(removal)


# The list, and the end


def _ask_lists(removal: Removal) -> str:
    """Asks Smartcar's list about each grant that is not settled. Why it has to be asked again, "" when all are."""
    trouble = ""
    unsettled = removal.grants.filter(listing__in=[Listing.WAITING, Listing.SHOWN])
    for grant in unsettled.select_related(
        "connection__vehicle", "connection__tokens", "connection__application"
    ):
        _prolong(removal)
        try:
            listing = _listing(grant)
        except token_store.TokensUnavailableError as error:
            trouble = str(error)
        except SmartcarError as error:
            trouble = error.for_people
        else:
            RemovedGrant.objects.filter(pk=grant.pk).update(listing=listing, listed_at=timezone.now())
            if listing == Listing.SHOWN:
                # Whatever ended was not this grant: it is ended once more.
                RemovedGrant.objects.filter(pk=grant.pk).update(end=GrantEnd.WAITING)
                trouble = _("Smartcar's list of connections still shows it.")
            elif listing != Listing.GOES_ON:
                _drop_tokens(grant.connection)
    return trouble


def _listing(grant: RemovedGrant) -> Listing:
    """Raises SmartcarError or TokensUnavailableError when Smartcar's list cannot be had."""
    connection = grant.connection
    if grant.end in (GrantEnd.SHARED, GrantEnd.AGAIN):
        return Listing.GOES_ON
    application = applications.of_connection(connection)
    car = connection.vehicle.smartcar_id
    if connection.generation == Generation.V2:
        if not application.credentials.management_tokens:
            return Listing.NO_LIST
        # The owner's own tokens open nothing any more; the management token lists them all.
        listed = application.v2.all_connections(user_id=connection.smartcar_user_id, vehicle_id=car)
        return Listing.SHOWN if listed else Listing.GONE
    shared = gateway.call(
        connection=connection,
        purpose=Purpose.BACKGROUND,
        make=lambda api, access: api.shared_vehicles(access, mode=connection.mode or "live"),
    )
    return Listing.SHOWN if any(each.vehicle_id == car for each in shared) else Listing.GONE


def _prolong(removal: Removal) -> None:
    Removal.objects.filter(pk=removal.pk).update(lease_until=timezone.now() + LEASE)


def _put_off(removal: Removal, trouble: str) -> None:
    wait = min(SOON * 2 ** min(removal.attempts, 12), LATEST)
    Removal.objects.filter(pk=removal.pk).update(
        trouble=trouble[:300],
        attempts=F("attempts") + 1,
        next_try_at=timezone.now() + wait,
        lease_until=None,
    )


def _finish(removal: Removal) -> None:
    """Looks once more for what came in between, by a process that had begun before the removal, and signs."""
    if removal.erases and not _look_again(removal):
        Removal.objects.filter(pk=removal.pk).update(erased_at=None, lease_until=None)
        ring("connect.tasks.carry_out_removal", removal.pk)
        return
    Removal.objects.filter(pk=removal.pk).update(
        finished_at=timezone.now(), trouble="", next_try_at=None, lease_until=None
    )


def _look_again(removal: Removal) -> bool:
    """Whether nothing is left, as far as one batch of each kind tells."""
    target = _target(removal)
    known = {each.kind: each for each in erasure_handlers.all_erasers()}
    rows = list(removal.erased.filter(note=""))
    for row in rows:
        _erase_batch(removal, row, known[row.kind], target)
    return all(row.done_at is not None for row in rows)
