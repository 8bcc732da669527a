"""The bell in the head of every page: how many notices wait for somebody, and where to read them."""

from dataclasses import dataclass

from django.urls import reverse

from accounts.models import Fleet, User
from alerts.selectors import due_count

_MOST = 99


@dataclass(frozen=True, slots=True)
class Bell:
    """Of the fleet that is shown, or (None) of all of the person's."""

    count: int
    fleet: Fleet | None

    @property
    def short(self) -> str:
        """The count as it fits on a bell."""
        return f"{_MOST}+" if self.count > _MOST else str(self.count)

    @property
    def address(self) -> str:
        """Where the bell is asked for again."""
        return self._named("bell")

    @property
    def newest(self) -> str:
        """Where the list that it opens is."""
        return self._named("newest")

    def _named(self, view: str) -> str:
        if self.fleet is None:
            return reverse(f"notices:{view}_of_all")
        return reverse(f"notices:{view}", args=[self.fleet.slug])


def bell_of(*, user: User, fleet: Fleet | None) -> Bell:
    """The person's bell, in one query. Nothing is counted that they may not hear of."""
    return Bell(count=due_count(user=user, fleet=fleet), fleet=fleet)
