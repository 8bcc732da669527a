"""The notification badge in the header of every page: the number of unacknowledged alerts."""

from dataclasses import dataclass

from django.urls import reverse

from accounts.models import Fleet, User
from alerts.selectors import unacknowledged_count

_MAX_SHOWN = 99


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
    """The user's badge, in one query. Counts only alerts that the user can see."""
    return NotificationBadge(count=unacknowledged_count(user=user, fleet=fleet), fleet=fleet)
