"""The progress of a fleet's migration, for its page and for the management command."""

from dataclasses import dataclass

from django.db.models import Count, Max

from accounts.models import Fleet
from connect.models import Connection
from connect.status.states import TERMINATED
from connect.v2.api_migration.models import (
    UNFINISHED,
    ApiMigration,
    ConnectionMigration,
    ConnectionMigrationState,
    MigrationState,
)


@dataclass(frozen=True, slots=True)
class MigrationProgress:
    """A migration in figures. `stayed`: connections that couldn't be migrated; `retrying`: those that failed so far."""

    move: ApiMigration
    total: int
    moved: int
    waiting: int
    stayed: list[ConnectionMigration]
    retrying: list[ConnectionMigration]
    version: str

    @property
    def running(self) -> bool:
        return self.move.state == MigrationState.RUNNING

    @property
    def done(self) -> int:
        return self.total - self.waiting


def latest_migration(*, fleet: Fleet) -> MigrationProgress | None:
    """The progress of the fleet's newest migration, or None."""
    migration = ApiMigration.objects.filter(fleet=fleet).select_related("started_by").first()
    return None if migration is None else get_progress(migration=migration)


def get_progress(*, migration: ApiMigration) -> MigrationProgress:
    """The current progress, in four queries regardless of the number of vehicles."""
    steps = migration.steps.select_related("connection__vehicle")
    grouped = migration.steps.order_by().values_list("state").annotate(Count("pk"))
    counts = dict(grouped)
    changed = migration.steps.aggregate(at=Max("changed_at"))["at"]
    waiting = sum(counts.get(state, 0) for state in UNFINISHED)
    retrying = steps.filter(state__in=UNFINISHED).exclude(reason_code="")
    timestamp = changed.timestamp() if changed else 0
    return MigrationProgress(
        move=migration,
        total=sum(counts.values()),
        moved=counts.get(ConnectionMigrationState.MOVED, 0),
        waiting=waiting,
        stayed=list(steps.filter(state=ConnectionMigrationState.STAYED)[:500]),
        retrying=list(retrying[:100]),
        version=f"{migration.pk}-{migration.state}-{waiting}-{timestamp:.6f}",
    )


def count_by_version(*, fleet: Fleet) -> dict[str, int]:
    """The number of the fleet's active connections for each API version."""
    active = Connection.objects.filter(fleet=fleet).exclude(state__in=TERMINATED)
    return dict(active.order_by().values_list("api_version").annotate(Count("pk")))
