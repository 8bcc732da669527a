"""One order for what comes from several tables, newest first, and pages of it that lose and double nothing.

Each entry has a place that never changes: its time, the rank of its kind, and its id. A page goes on below a place, so
whatever comes meanwhile, at the top, shifts nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from django.db.models import Q


@dataclass(frozen=True, slots=True, order=True)
class TimelinePosition:
    """Where an entry stands: the later, the further up."""

    at: datetime
    rank: int
    pk: int

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC).isoformat()}~{self.rank}~{self.pk}"

    @classmethod
    def read(cls, text: str) -> "TimelinePosition | None":
        """The place that an address names; None where it names none."""
        at, _, rest = text.partition("~")
        rank, _, pk = rest.partition("~")
        try:
            moment = datetime.fromisoformat(at)
            return cls(moment, int(rank), int(pk)) if moment.tzinfo else None
        except (ValueError, OverflowError):
            return None


def below(before: TimelinePosition | None, *, rank: int, time: str) -> Q:
    """Rows of this rank below a place, by the column of their time. Its range comes first, for the index."""
    if before is None:
        return Q()
    if rank > before.rank:
        return Q(**{f"{time}__lt": before.at})
    reached = Q(**{f"{time}__lte": before.at})
    if rank < before.rank:
        return reached
    return reached & (Q(**{f"{time}__lt": before.at}) | Q(pk__lt=before.pk))


class Placed(Protocol):
    """What has a place."""

    @property
    def place(self) -> TimelinePosition: ...


Entry = TypeVar("Entry", bound=Placed)
Source = Callable[[TimelinePosition | None, int], Iterable[Entry]]
"""The entries of one kind below a place, at most so many, newest first."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Entry]):
    """Some entries, and the place to go on below; None where that was all."""

    entries: Sequence[Entry]
    older: TimelinePosition | None


def merge_page(
    sources: Iterable[Source[Entry]], *, before: TimelinePosition | None, size: int
) -> Page[Entry]:
    """The newest `size` entries of all sources below a place."""
    found = sorted(
        (entry for source in sources for entry in source(before, size + 1)),
        key=lambda entry: entry.place,
        reverse=True,
    )
    shown = found[:size]
    return Page(shown, shown[-1].place if len(found) > size else None)
