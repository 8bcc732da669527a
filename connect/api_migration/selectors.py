"""How far a fleet's move is, for its page and for the command."""

from dataclasses import dataclass

from django.db.models import Count, Max

from accounts.models import Fleet
from connect.api_migration.models import UNFINISHED, ConnectionMove, GenerationMove, MoveState, StepState
from connect.models import Connection
from connect.status.states import ENDED


@dataclass(frozen=True, slots=True)
class Progress:
    """A move in figures. `stayed` are the connections that could not move, with their reasons; `late` those put off."""

    move: GenerationMove
    total: int
    moved: int
    waiting: int
    stayed: list[ConnectionMove]
    late: list[ConnectionMove]
    version: str

    @property
    def running(self) -> bool:
        return self.move.state == MoveState.RUNNING

    @property
    def done(self) -> int:
        return self.total - self.waiting


def newest(*, fleet: Fleet) -> Progress | None:
    """The fleet's newest move, or None."""
    move = GenerationMove.objects.filter(fleet=fleet).select_related("started_by").first()
    return None if move is None else progress(move=move)


def progress(*, move: GenerationMove) -> Progress:
    """The move as it stands; four queries, however many cars."""
    steps = move.steps.select_related("connection__vehicle")
    counted = move.steps.order_by().values_list("state").annotate(Count("pk"))
    counts = dict(counted)
    changed = move.steps.aggregate(at=Max("changed_at"))["at"]
    waiting = sum(counts.get(state, 0) for state in UNFINISHED)
    late = steps.filter(state__in=UNFINISHED).exclude(reason="")
    stamp = changed.timestamp() if changed else 0
    return Progress(
        move=move,
        total=sum(counts.values()),
        moved=counts.get(StepState.MOVED, 0),
        waiting=waiting,
        stayed=list(steps.filter(state=StepState.STAYED)[:500]),
        late=list(late[:100]),
        version=f"{move.pk}-{move.state}-{waiting}-{stamp:.6f}",
    )


def by_generation(*, fleet: Fleet) -> dict[str, int]:
    """How many of the fleet's living connections speak which generation."""
    living = Connection.objects.filter(fleet=fleet).exclude(state__in=ENDED)
    return dict(living.order_by().values_list("generation").annotate(Count("pk")))
