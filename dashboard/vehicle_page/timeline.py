"""One timeline of rows from several tables, newest first, paginated without omissions or duplicates.

Each entry has a position that never changes: its time, the rank of its kind, and its ID. A page continues below a
position, so new entries at the top shift nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from django.db.models import Q


@dataclass(frozen=True, slots=True, order=True)
class TimelinePosition:
    """The position of an entry in the timeline. Greater positions are newer."""

    at: datetime
    rank: int
    pk: int

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC).isoformat()}~{self.rank}~{self.pk}"

    @classmethod
    def read(cls, text: str) -> "TimelinePosition | None":
        """Parses a position from a URL; None if it isn't valid."""
        at, _, rest = text.partition("~")
        rank, _, pk = rest.partition("~")
        try:
            moment = datetime.fromisoformat(at)
            # Days next to the first and last possible date can't be compared in every time zone.
            possible = moment.tzinfo is not None and 1970 <= moment.year < 9999
            return cls(moment, int(rank), int(pk)) if possible else None
        except (ValueError, OverflowError):
            return None


def below(before: TimelinePosition | None, *, rank: int, time: str) -> Q:
    """Returns a filter for rows of this rank below a position.

    `time` is their time column, whose range comes first for the index.
    """
    if before is None:
        return Q()
    if rank > before.rank:
        return Q(**{f"{time}__lt": before.at})
    reached = Q(**{f"{time}__lte": before.at})
    if rank < before.rank:
        return reached
    return reached & (Q(**{f"{time}__lt": before.at}) | Q(pk__lt=before.pk))


class HasPosition(Protocol):
    """An object with a position."""

    @property
    def position(self) -> TimelinePosition: ...


Entry = TypeVar("Entry", bound=HasPosition)
Source = Callable[[TimelinePosition | None, int], Iterable[Entry]]
"""Returns the entries of one kind below a position, newest first, up to a maximum."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Entry]):
    """A page of entries, and the position to continue below; None if there are no more."""

    entries: Sequence[Entry]
    older: TimelinePosition | None


def merge_page(
    sources: Iterable[Source[Entry]], *, before: TimelinePosition | None, size: int
) -> Page[Entry]:
    """Returns the newest `size` entries of all sources below a position."""
    found = sorted(
        (entry for source in sources for entry in source(before, size + 1)),
        key=lambda entry: entry.position,
        reverse=True,
    )
    shown = found[:size]
    return Page(shown, shown[-1].position if len(found) > size else None)
