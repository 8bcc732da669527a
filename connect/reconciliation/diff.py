"""What differs between our connections and Smartcar's lists. Pure: no tables, no clock, no network."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

# So many may be gone in one night before the list is doubted: whichever is more.
FEW, SHARE = 3, 0.2


class DiscrepancyType(models.TextChoices):
    """One difference."""

    GONE = "gone", _("Smartcar no longer lists this connection")
    BACK = "back", _("Smartcar lists a connection that had ended here")
    UNSUBSCRIBED = "unsubscribed", _("Vehicle not subscribed to the webhook")
    LEFTOVER = "leftover", _("Disconnected here, still active at Smartcar")
    NEW_ID = "new_id", _("Smartcar's ID for the connection has changed")
    UNKNOWN = "unknown", _("Listed by Smartcar, unknown here")


@dataclass(frozen=True, slots=True)
class Local:
    """One row of ours. `ended`: revoked; `removed`: taken out here; `since`: in that state since."""

    pk: int
    user_id: str
    vehicle_id: str
    connection_id: str
    ended: bool
    removed: bool
    subscribed: bool
    since: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.user_id, self.vehicle_id


@dataclass(frozen=True, slots=True)
class Remote:
    """One entry of Smartcar's list. `since`: when it was made or last changed, where told."""

    user_id: str
    vehicle_id: str
    connection_id: str
    since: datetime | None

    @property
    def key(self) -> tuple[str, str]:
        return self.user_id, self.vehicle_id


@dataclass(frozen=True, slots=True)
class Difference:
    """`ours` is None for what is unknown here, `theirs` for what Smartcar does not list."""

    kind: DiscrepancyType
    ours: Local | None = None
    theirs: Remote | None = None


def diff(
    *,
    ours: Iterable[Local],
    theirs: Iterable[Remote],
    subscribed: Set[tuple[str, str]] | None,
    began_at: datetime,
) -> list[Difference]:
    """Every difference. `subscribed`: the (user, car) that feed the webhook, None where Smartcar has no list.

    What has changed here since the lists were asked for (`began_at`) is left for the next night. A grant that two
    fleets live by is removed only when both have removed it. One that was removed here and made anew at
    Smartcar since is not a leftover: its driver wanted it, so it is only reported.
    """
    by_key: dict[tuple[str, str], list[Local]] = {}
    for row in ours:
        by_key.setdefault(row.key, []).append(row)
    listed = {entry.key: entry for entry in theirs}
    found = [
        Difference(DiscrepancyType.UNKNOWN, theirs=entry)
        for key, entry in listed.items()
        if key not in by_key
    ]
    for key, rows in by_key.items():
        if any(row.since >= began_at for row in rows):
            continue
        entry = listed.get(key)
        if all(row.removed for row in rows):
            found += _removed(rows, entry)
            continue
        for row in rows:
            if not row.removed:
                found += _active(row, entry, subscribed)
    return found


def _removed(rows: list[Local], entry: Remote | None) -> list[Difference]:
    if entry is None:
        return []
    last = max(rows, key=lambda row: row.since)
    anew = entry.since is not None and entry.since > last.since
    return [Difference(DiscrepancyType.UNKNOWN if anew else DiscrepancyType.LEFTOVER, last, entry)]


def _active(row: Local, entry: Remote | None, subscribed: Set[tuple[str, str]] | None) -> list[Difference]:
    if entry is None:
        return [] if row.ended else [Difference(DiscrepancyType.GONE, row)]
    found = [Difference(DiscrepancyType.BACK, row, entry)] if row.ended else []
    if entry.connection_id and entry.connection_id != row.connection_id:
        found.append(Difference(DiscrepancyType.NEW_ID, row, entry))
    if subscribed is not None and row.subscribed and not row.ended and row.key not in subscribed:
        found.append(Difference(DiscrepancyType.UNSUBSCRIBED, row, entry))
    return found


def is_suspicious(*, standing: int, gone: int) -> bool:
    """Whether so many of our connections are missing that the list is doubted rather than believed."""
    return gone > max(FEW, standing * SHARE) or (gone == standing and gone > 1)
