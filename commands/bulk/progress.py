"""The progress of a bulk command: counts, time left, and a page of its vehicles."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

from django.core.paginator import Page, Paginator
from django.db.models import Case, IntegerField, Max, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from commands.bulk import eta
from commands.bulk.models import BulkCommand
from commands.bulk.selectors import NOT_DONE, count_by_state, current_throughput
from commands.bulk.summary import done_text, skipped_text
from commands.models import Command, CommandState
from commands.preconditions import SkipReason
from commands.types import CommandType

PER_PAGE = 100
GROUPS: Mapping[str, tuple[str | Promise, tuple[CommandState, ...]]] = {
    "waiting": (_("Queued"), (CommandState.QUEUED, CommandState.REQUESTED)),
    "under-way": (
        pgettext_lazy("commands", "In progress"),
        (CommandState.SENDING, CommandState.RETRYING, CommandState.ACCEPTED),
    ),
    "done": (_("Done"), (CommandState.CONFIRMED, CommandState.UNCONFIRMED)),
    "superseded": (_("Superseded"), (CommandState.SUPERSEDED,)),
    "unknown": (_("Unknown"), (CommandState.UNKNOWN,)),
    "not-done": (
        _("Failed"),
        NOT_DONE,
    ),
}
# What needs attention comes first.
_ORDER = ("not-done", "unknown", "under-way", "waiting", "superseded", "done")


@dataclass(frozen=True, slots=True)
class ProgressGroup:
    """A group of similar command states, with its count."""

    name: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A bulk command's progress for its page."""

    bulk: BulkCommand
    groups: list[ProgressGroup]
    total: int
    left: timedelta | None
    version: str

    def count(self, name: str) -> int:
        return next(group.count for group in self.groups if group.name == name)

    @property
    def failed(self) -> int:
        return self.count("not-done")

    @property
    def summary(self) -> list[str]:
        """How it stands in a few words each: "13 already locked", "1 locked now", "1 moving"."""
        kind = CommandType(self.bulk.kind)
        skipped = self.bulk.skipped or {}
        texts = [
            skipped_text(kind=kind, reason=reason, count=skipped[reason.value])
            for reason in SkipReason
            if skipped.get(reason.value)
        ]
        done = done_text(kind=kind, count=self.count("done"))
        return [*texts[:1], done, *texts[1:]] if SkipReason.ALREADY in skipped else [done, *texts]

    @property
    def waiting(self) -> int:
        return self.count("waiting")

    @property
    def answered(self) -> int:
        """How many commands need no further processing."""
        return self.total - self.waiting - self.count("under-way")

    @property
    def over(self) -> bool:
        return self.answered == self.total


def get_progress(*, bulk: BulkCommand, now: datetime) -> Progress:
    """Returns the bulk command's current progress."""
    counts = count_by_state(bulk=bulk)
    groups = [
        ProgressGroup(name, str(label), sum(counts.get(state, 0) for state in states))
        for name, (label, states) in GROUPS.items()
    ]
    waiting = next(group.count for group in groups if group.name == "waiting")
    changed = Command.objects.filter(bulk=bulk).aggregate(at=Max("changed_at"))["at"]
    return Progress(
        bulk=bulk,
        groups=groups,
        total=sum(counts.values()),
        left=eta.duration(vehicles=waiting, throughput=current_throughput(fleet=bulk.fleet, now=now))
        if waiting
        else None,
        version=str(crc32(f"{sorted(counts.items())}{changed}".encode())),
    )


def list_commands(*, bulk: BulkCommand, group: str, page: str) -> Page[Command]:
    """Returns a page of its commands, of one group or all. Commands that need attention come first."""
    rows: QuerySet[Command] = Command.objects.filter(bulk=bulk).select_related("vehicle")
    if group in GROUPS:
        rows = rows.filter(state__in=GROUPS[group][1])
    rank = Case(
        *(When(state__in=GROUPS[name][1], then=Value(position)) for position, name in enumerate(_ORDER)),
        output_field=IntegerField(),
    )
    ordered = rows.order_by(rank, "vehicle__name", "pk")
    return Paginator(ordered, PER_PAGE).get_page(page)
