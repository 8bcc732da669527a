"""Carrying a move out: batch by batch, each connection checked first and then switched by one conditional UPDATE.

Everything that is known stands in rows, so a run may end anywhere and the next goes on. A connection is of the old
API version until the moment it is switched; calls that are under way at that moment end as they were begun, since
both generations' grants live on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet
from connect import token_store
from connect.driver_portal.models import DriverPortal
from connect.messages import NO_PROBLEM, Problem, TokenProblem
from connect.models import Connection
from connect.status.states import TERMINATED
from connect.subscriptions import PROPAGATION_DELAY
from connect.v2.api_migration import preflight
from connect.v2.api_migration.models import (
    UNFINISHED,
    ApiMigration,
    ConnectionMigration,
    ConnectionMigrationState,
    MigrationMessage,
    MigrationState,
)
from connect.v2.api_migration.prefetch import prefetch
from connect.v2.api_migration.preflight import CannotMigrateError, Listings, MatchedConnection
from core import encryption
from smartcar_api import SmartcarError

RUN_SECONDS = 60.0
BATCH = 50
# Longer waits, such as for a car's next monthly allowance, don't hold a move up without end.
PATIENCE_SECONDS = 3600
_LOCK = 0x6D6F7665


def run(*, move: ApiMigration) -> bool:
    """Goes on with the move for a minute at most. Whether more could be done at once; a second run does nothing."""
    with _exclusive(move) as mine:
        return _run(move) if mine else False


def _run(move: ApiMigration) -> bool:
    until = monotonic() + RUN_SECONDS
    listings: Listings = {}
    prefetch(move)
    while monotonic() < until:
        move.refresh_from_db(fields=["state"])
        if move.state != MigrationState.RUNNING:
            return False
        due = _due(move)
        if not due and (_unfinished(move) or not _finish(move)):
            return False
        for step in due:
            _advance(step, move.api_version, listings)
            if monotonic() > until:
                break
    return True


def _due(move: ApiMigration) -> list[ConnectionMigration]:
    waiting = move.steps.filter(state__in=UNFINISHED, next_try_at__lte=timezone.now())
    related = waiting.select_related("connection__vehicle", "connection__tokens", "connection__application")
    return list(related.order_by("next_try_at", "pk")[:BATCH])


def _unfinished(move: ApiMigration) -> bool:
    return move.steps.filter(state__in=UNFINISHED).exists()


def add_connections(move: ApiMigration) -> int:
    """Adds the fleet's connections of the other API version that are not in the move yet; returns how many."""
    left = Connection.objects.filter(fleet_id=move.fleet_id).exclude(api_version=move.api_version)
    left = left.exclude(state__in=TERMINATED).exclude(generation_moves__move=move)
    rows = [ConnectionMigration(move=move, connection_id=pk) for pk in left.values_list("pk", flat=True)]
    return len(ConnectionMigration.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000))


@transaction.atomic
def _finish(move: ApiMigration) -> bool:
    """Ends the move, unless cars were connected meanwhile: then it goes on (True).

    The fleet connects new cars in the new API version from here on, unless not one of its cars could move.
    """
    fleet = Fleet.objects.select_for_update(no_key=True).get(pk=move.fleet_id)
    if add_connections(move):
        return True
    moved = move.steps.filter(state=ConnectionMigrationState.MOVED).count()
    stayed = move.steps.filter(state=ConnectionMigrationState.STAYED).count()
    running = ApiMigration.objects.filter(pk=move.pk, state=MigrationState.RUNNING)
    if not running.update(state=MigrationState.FINISHED, ended_at=timezone.now()):
        return False
    if moved or not stayed:
        Fleet.objects.filter(pk=fleet.pk).update(api_version=move.api_version)
    log_event(
        fleet=fleet,
        actor=move.started_by,
        event=AuditEvent.MIGRATION_FINISHED,
        about=(AuditObject.MIGRATION, move.pk),
        data={"to": move.api_version, "migrated": moved, "skipped": stayed},
    )
    return False


def _advance(step: ConnectionMigration, to: str, listings: Listings) -> None:
    connection = step.connection
    if connection.state in TERMINATED:
        _skip(step, Problem(MigrationMessage.CONNECTION_ENDED.message()))
    elif connection.api_version == to:
        reason = Problem(MigrationMessage.RECONNECTED.message())
        _note(step, state=ConnectionMigrationState.MOVED, **reason.columns("reason"))
    else:
        try:
            _check_and_switch(step, to, listings)
        except CannotMigrateError as error:
            _skip(step, Problem.from_error(error))
        except encryption.DecryptionError:
            _skip(step, Problem(TokenProblem.UNREADABLE.message()))
        except token_store.TokensUnavailableError as error:
            _try_later(step, Problem.from_error(error))
        except SmartcarError as error:
            _failed(step, error)


def _check_and_switch(step: ConnectionMigration, to: str, listings: Listings) -> None:
    connection = step.connection
    found = MatchedConnection(step.user_id, step.connection_id_found)
    if step.state == ConnectionMigrationState.WAITING:
        found = preflight.match_connection(connection=connection, to=to, listings=listings)
        preflight.subscribe(connection=connection, to=to, found=found)
        _note(
            step,
            state=ConnectionMigrationState.SUBSCRIBING,
            user_id=found.user_id,
            connection_id_found=found.connection_id,
            attempts=0,
            **NO_PROBLEM.columns("reason"),
        )
    listed = step.state == ConnectionMigrationState.SUBSCRIBED
    if not listed and not preflight.is_subscribed(connection=connection, to=to, found=found):
        _try_later(step, Problem(MigrationMessage.NOT_SUBSCRIBED.message()), after=PROPAGATION_DELAY)
        return
    granted = preflight.read(connection=connection, to=to, found=found)
    _switch(step, to, found, granted)


@transaction.atomic
def _switch(
    step: ConnectionMigration, to: str, found: MatchedConnection, granted: frozenset[str] | None
) -> None:
    """The one moment at which the connection changes over: all of it, or nothing if it was touched meanwhile."""
    now, old = timezone.now(), step.connection
    held = Connection.objects.select_for_update(no_key=True).filter(pk=old.pk, api_version=old.api_version)
    if not held.exclude(state__in=TERMINATED).exists():
        _try_later(step, Problem(MigrationMessage.CONNECTION_CHANGED.message()), after=timedelta(0))
        return
    if found.user_id != old.smartcar_user_id:
        _rename_driver(old, found.user_id)
    columns: dict[str, object] = {
        "api_version": to,
        "smartcar_user_id": found.user_id,
        "subscribed_at": now,
        **NO_PROBLEM.columns("subscription_error"),
        "next_subscription_try_at": None,
    }
    if found.connection_id:
        columns["smartcar_connection_id"] = found.connection_id
    if granted is not None:
        columns["scopes"] = sorted(granted)
    held.update(**columns)
    _note(step, state=ConnectionMigrationState.MOVED, **NO_PROBLEM.columns("reason"))


def _rename_driver(connection: Connection, user_id: str) -> None:
    """The driver's page follows where the other API version knows the driver by another id."""
    pages = DriverPortal.objects.filter(fleet_id=connection.fleet_id)
    pages.filter(smartcar_user_id=connection.smartcar_user_id).update(smartcar_user_id=user_id)


def _failed(step: ConnectionMigration, error: SmartcarError) -> None:
    if error.retry_after is not None and error.retry_after <= PATIENCE_SECONDS:
        # The request budget or Smartcar asks to wait: that says nothing of this car.
        after = timedelta(seconds=max(1, error.retry_after))
        _note(step, next_try_at=timezone.now() + after, **Problem.from_error(error).columns("reason"))
    elif error.permanent and not error.unauthorized:
        _skip(step, Problem.from_error(error))
    else:
        _try_later(step, Problem.from_error(error))


def _try_later(step: ConnectionMigration, reason: Problem, *, after: timedelta | None = None) -> None:
    """Puts the connection off; after some tries it stays where it is, with the reason in the report."""
    if step.attempts >= len(step.PAUSES):
        _skip(step, reason)
        return
    pause = step.PAUSES[step.attempts] if after is None else after
    _note(
        step,
        attempts=step.attempts + 1,
        next_try_at=timezone.now() + pause,
        **reason.columns("reason"),
    )


def _skip(step: ConnectionMigration, reason: Problem) -> None:
    _note(step, state=ConnectionMigrationState.STAYED, **reason.columns("reason"))


def _note(step: ConnectionMigration, **columns: Any) -> None:
    columns["changed_at"] = timezone.now()
    for name, value in columns.items():
        setattr(step, name, value)
    step.save(update_fields=list(columns))


@contextmanager
def _exclusive(move: ApiMigration) -> Iterator[bool]:
    """Whether no other process is at this move; one that dies gives way with its database connection."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, move.pk])
        mine = cursor.fetchone() == (True,)
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, move.pk])


def is_running() -> list[ApiMigration]:
    """Moves with something to do now."""
    due = Q(steps__state__in=UNFINISHED, steps__next_try_at__lte=timezone.now())
    running = ApiMigration.objects.filter(state=MigrationState.RUNNING)
    idle = ~Q(steps__state__in=UNFINISHED)
    return list(running.filter(due | idle).distinct())
