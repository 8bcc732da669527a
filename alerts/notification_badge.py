"""The notification badge in the header of every page: the number of vehicles that need attention.

Which vehicles these are depends on more than alerts, so an app above counts them and registers its function here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.urls import reverse
from django.utils import timezone

from accounts.models import Fleet, User

_MAX_SHOWN = 99


class Counter(Protocol):
    """Counts the vehicles of one fleet, or (None) of all of the user's fleets, that need attention. One query."""

    def __call__(self, *, user: User, fleet: Fleet | None, now: datetime) -> int: ...


_counters: list[Counter] = []


def register(counter: Counter) -> None:
    """Registers the function that counts, at start-up."""
    _counters.append(counter)


@dataclass(frozen=True, slots=True)
class NotificationBadge:
    """The badge of the displayed fleet, or (None) of all fleets of the user."""

    count: int
    fleet: Fleet | None

    @property
    def short(self) -> str:
        """The count as displayed on the badge."""
        return f"{_MAX_SHOWN}+" if self.count > _MAX_SHOWN else str(self.count)

    @property
    def url(self) -> str:
        """Where the open page polls the badge."""
        return self._url("badge")

    @property
    def recent_url(self) -> str:
        """Where the list of recent alerts is loaded from."""
        return self._url("recent")

    def _url(self, view: str) -> str:
        if self.fleet is None:
            return reverse(f"alerts:{view}_all")
        return reverse(f"alerts:{view}", args=[self.fleet.slug])


def badge_for(*, user: User, fleet: Fleet | None) -> NotificationBadge:
    """The user's badge, in one query."""
    count = sum(counter(user=user, fleet=fleet, now=timezone.now()) for counter in _counters)
    return NotificationBadge(count=count, fleet=fleet)
