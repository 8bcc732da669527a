"""How far a fleet's move is, for its page and for the command."""

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
    """A move in figures. `stayed` are the connections that could not move, with their reasons; `late` those put off."""

    move: ApiMigration
    total: int
    moved: int
    waiting: int
    stayed: list[ConnectionMigration]
    late: list[ConnectionMigration]
    version: str

    @property
    def running(self) -> bool:
        return self.move.state == MigrationState.RUNNING

    @property
    def done(self) -> int:
        return self.total - self.waiting


def latest_migration(*, fleet: Fleet) -> MigrationProgress | None:
    """The fleet's newest move, or None."""
    move = ApiMigration.objects.filter(fleet=fleet).select_related("started_by").first()
    return None if move is None else get_progress(move=move)


def get_progress(*, move: ApiMigration) -> MigrationProgress:
    """The move as it stands; four queries, however many cars."""
    steps = move.steps.select_related("connection__vehicle")
    counted = move.steps.order_by().values_list("state").annotate(Count("pk"))
    counts = dict(counted)
    changed = move.steps.aggregate(at=Max("changed_at"))["at"]
    waiting = sum(counts.get(state, 0) for state in UNFINISHED)
    late = steps.filter(state__in=UNFINISHED).exclude(reason_code="")
    stamp = changed.timestamp() if changed else 0
    return MigrationProgress(
        move=move,
        total=sum(counts.values()),
        moved=counts.get(ConnectionMigrationState.MOVED, 0),
        waiting=waiting,
        stayed=list(steps.filter(state=ConnectionMigrationState.STAYED)[:500]),
        late=list(late[:100]),
        version=f"{move.pk}-{move.state}-{waiting}-{stamp:.6f}",
    )


def count_by_version(*, fleet: Fleet) -> dict[str, int]:
    """How many of the fleet's living connections speak which generation."""
    living = Connection.objects.filter(fleet=fleet).exclude(state__in=TERMINATED)
    return dict(living.order_by().values_list("api_version").annotate(Count("pk")))
