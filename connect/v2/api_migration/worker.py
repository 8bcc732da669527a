"""Runs a migration in batches: each connection is checked first and then switched by one conditional UPDATE.

All state is stored in rows, so a run can stop at any point and the next one resumes. A connection uses the old API
version until it is switched. Calls that are in progress at that moment finish on the old version, because the grants
of both versions remain valid.
"""

from datetime import timedelta
from time import monotonic
from typing import Any

from django.conf import settings
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
from core import encryption, leases
from smartcar_api import SmartcarError

RUN_SECONDS = 60.0
BATCH = 50
# Longer waits, such as for a vehicle's next monthly limit, count as failed attempts, so that the migration ends.
MAX_WAIT_SECONDS = 3600


def run(*, migration: ApiMigration) -> bool:
    """Continues the migration for up to a minute. Returns whether more can be done now.

    Does nothing while another process is running the same migration.
    """
    lasts = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
    with leases.exclusive(f"api migration {migration.pk}", lasts=lasts) as acquired:
        return _run(migration) if acquired else False


def _run(migration: ApiMigration) -> bool:
    deadline = monotonic() + RUN_SECONDS
    listings: Listings = {}
    prefetch(migration)
    while monotonic() < deadline:
        migration.refresh_from_db(fields=["state"])
        if migration.state != MigrationState.RUNNING:
            return False
        due = _due(migration)
        if not due and (_unfinished(migration) or not _finish(migration)):
            return False
        for step in due:
            _advance(step, migration.api_version, listings)
            if monotonic() > deadline:
                break
    return True


def _due(migration: ApiMigration) -> list[ConnectionMigration]:
    waiting = migration.steps.filter(state__in=UNFINISHED, next_try_at__lte=timezone.now())
    related = waiting.select_related("connection__vehicle", "connection__tokens", "connection__application")
    return list(related.order_by("next_try_at", "pk")[:BATCH])


def _unfinished(migration: ApiMigration) -> bool:
    return migration.steps.filter(state__in=UNFINISHED).exists()


def add_connections(migration: ApiMigration) -> int:
    """Adds the fleet's connections of the other API version that aren't in the migration yet. Returns how many."""
    remaining = Connection.objects.filter(fleet_id=migration.fleet_id).exclude(
        api_version=migration.api_version
    )
    remaining = remaining.exclude(state__in=TERMINATED).exclude(generation_moves__move=migration)
    rows = [
        ConnectionMigration(move=migration, connection_id=pk) for pk in remaining.values_list("pk", flat=True)
    ]
    return len(ConnectionMigration.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000))


@transaction.atomic
def _finish(migration: ApiMigration) -> bool:
    """Finishes the migration. Returns True if it must continue, because vehicles were connected meanwhile.

    From now on the fleet connects new vehicles with the new API version, unless none of its vehicles could be migrated.
    """
    fleet = Fleet.objects.select_for_update(no_key=True).get(pk=migration.fleet_id)
    if add_connections(migration):
        return True
    moved = migration.steps.filter(state=ConnectionMigrationState.MOVED).count()
    stayed = migration.steps.filter(state=ConnectionMigrationState.STAYED).count()
    running = ApiMigration.objects.filter(pk=migration.pk, state=MigrationState.RUNNING)
    if not running.update(state=MigrationState.FINISHED, ended_at=timezone.now()):
        return False
    if moved or not stayed:
        Fleet.objects.filter(pk=fleet.pk).update(api_version=migration.api_version)
    log_event(
        fleet=fleet,
        actor=migration.started_by,
        event=AuditEvent.MIGRATION_FINISHED,
        about=(AuditObject.MIGRATION, migration.pk),
        data={"to": migration.api_version, "migrated": moved, "skipped": stayed},
    )
    return False


def _advance(step: ConnectionMigration, to: str, listings: Listings) -> None:
    connection = step.connection
    if connection.state in TERMINATED:
        _skip(step, Problem(MigrationMessage.CONNECTION_ENDED.message()))
    elif connection.api_version == to:
        reason = Problem(MigrationMessage.RECONNECTED.message())
        _update(step, state=ConnectionMigrationState.MOVED, **reason.columns("reason"))
    else:
        try:
            _check_and_switch(step, to, listings)
        except CannotMigrateError as error:
            _skip(step, Problem.from_error(error))
        except encryption.DecryptionError:
            _skip(step, Problem(TokenProblem.UNREADABLE.message()))
        except token_store.TokensUnavailableError as error:
            handle = _skip if error.problem is TokenProblem.UNREADABLE else _try_later
            handle(step, Problem.from_error(error))
        except SmartcarError as error:
            _handle_error(step, error)


def _check_and_switch(step: ConnectionMigration, to: str, listings: Listings) -> None:
    connection = step.connection
    found = MatchedConnection(step.user_id, step.connection_id_found)
    if step.state == ConnectionMigrationState.WAITING:
        found = preflight.match_connection(connection=connection, to=to, listings=listings)
        preflight.subscribe(connection=connection, to=to, found=found)
        _update(
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
    """Switches the connection in one transaction, or retries later if the connection was changed meanwhile."""
    now, previous = timezone.now(), step.connection
    locked = Connection.objects.select_for_update(no_key=True).filter(
        pk=previous.pk, api_version=previous.api_version
    )
    if not locked.exclude(state__in=TERMINATED).exists():
        _try_later(step, Problem(MigrationMessage.CONNECTION_CHANGED.message()), after=timedelta(0))
        return
    if found.user_id != previous.smartcar_user_id:
        _rename_driver(previous, found.user_id)
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
    locked.update(**columns)
    _update(step, state=ConnectionMigrationState.MOVED, **NO_PROBLEM.columns("reason"))


def _rename_driver(connection: Connection, user_id: str) -> None:
    """Updates the driver's page, for a driver who has a different user ID in the other API version."""
    pages = DriverPortal.objects.filter(fleet_id=connection.fleet_id)
    pages.filter(smartcar_user_id=connection.smartcar_user_id).update(smartcar_user_id=user_id)


def _handle_error(step: ConnectionMigration, error: SmartcarError) -> None:
    if error.retry_after is not None and error.retry_after <= MAX_WAIT_SECONDS:
        # The request budget or Smartcar requires a wait, which is not a failure of this vehicle.
        after = timedelta(seconds=max(1, error.retry_after))
        _update(step, next_try_at=timezone.now() + after, **Problem.from_error(error).columns("reason"))
    elif error.permanent and not error.unauthorized:
        _skip(step, Problem.from_error(error))
    else:
        _try_later(step, Problem.from_error(error))


def _try_later(step: ConnectionMigration, reason: Problem, *, after: timedelta | None = None) -> None:
    """Schedules another attempt. After the last one the connection is skipped, with the reason in the report."""
    if step.attempts >= len(step.PAUSES):
        _skip(step, reason)
        return
    pause = step.PAUSES[step.attempts] if after is None else after
    _update(
        step,
        attempts=step.attempts + 1,
        next_try_at=timezone.now() + pause,
        **reason.columns("reason"),
    )


def _skip(step: ConnectionMigration, reason: Problem) -> None:
    _update(step, state=ConnectionMigrationState.STAYED, **reason.columns("reason"))


def _update(step: ConnectionMigration, **columns: Any) -> None:
    columns["changed_at"] = timezone.now()
    for name, value in columns.items():
        setattr(step, name, value)
    step.save(update_fields=list(columns))


def due_migrations() -> list[ApiMigration]:
    """Returns the running migrations that have something to do now."""
    due = Q(steps__state__in=UNFINISHED, steps__next_try_at__lte=timezone.now())
    running = ApiMigration.objects.filter(state=MigrationState.RUNNING)
    idle = ~Q(steps__state__in=UNFINISHED)
    return list(running.filter(due | idle).distinct())
