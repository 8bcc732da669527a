"""Differences between our connections and Smartcar's lists. Pure functions: no database, clock or network."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

# The number and share of connections that may be missing in one night before the list is considered unreliable: the
# larger of both.
MAX_MISSING, MAX_MISSING_SHARE = 3, 0.2


class DiscrepancyType(models.TextChoices):
    GONE = "gone", _("Smartcar no longer lists this connection")
    BACK = "back", _("Smartcar lists a connection that had ended here")
    UNSUBSCRIBED = "unsubscribed", _("Vehicle not subscribed to the webhook")
    LEFTOVER = "leftover", _("Disconnected here, still active at Smartcar")
    NEW_ID = "new_id", _("Smartcar's ID for the connection has changed")
    UNKNOWN = "unknown", _("Listed by Smartcar, unknown here")
    REFUSED = "refused", _("Invitation already closed, access still active at Smartcar")


@dataclass(frozen=True, slots=True)
class Local:
    """One of our connections. `ended`: revoked; `removed`: offboarded here; `since`: when it entered that state."""

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
    """One entry of Smartcar's list. `since`: when it was created or last changed, if known. `external_id`: ours."""

    user_id: str
    vehicle_id: str
    connection_id: str
    since: datetime | None
    external_id: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.user_id, self.vehicle_id


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `ours` is None for a connection unknown here, `theirs` for one that Smartcar doesn't list."""

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
    """Returns every difference. `subscribed`: (user, vehicle) pairs subscribed to the webhook; None without a list.

    Connections that have changed here since the lists were requested (`began_at`) are left for the next night. A grant
    that two fleets use counts as removed only if both have removed it. A grant that was removed here and created again
    at Smartcar afterwards is not a leftover: its driver wanted it, so it is only reported.
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
    recreated = entry.since is not None and entry.since > last.since
    return [Difference(DiscrepancyType.UNKNOWN if recreated else DiscrepancyType.LEFTOVER, last, entry)]


def _active(row: Local, entry: Remote | None, subscribed: Set[tuple[str, str]] | None) -> list[Difference]:
    if entry is None:
        return [] if row.ended else [Difference(DiscrepancyType.GONE, row)]
    found = [Difference(DiscrepancyType.BACK, row, entry)] if row.ended else []
    if entry.connection_id and entry.connection_id != row.connection_id:
        found.append(Difference(DiscrepancyType.NEW_ID, row, entry))
    if subscribed is not None and row.subscribed and not row.ended and row.key not in subscribed:
        found.append(Difference(DiscrepancyType.UNSUBSCRIBED, row, entry))
    return found


def is_suspicious(*, active: int, gone: int) -> bool:
    """Whether so many of our `active` connections are missing that the list is considered unreliable."""
    return gone > max(MAX_MISSING, active * MAX_MISSING_SHARE) or (gone == active and gone > 1)
