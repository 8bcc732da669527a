"""The commands that a fleet sent to a driver's car. The app that sends them registers the source (commands)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connect.models import Connection
from connect.status.states import TERMINATED


@dataclass(frozen=True, slots=True)
class SentCommand:
    """One command. `label` and `status` are in the active language; `code` and `state` are the stored codes."""

    requested_at: datetime
    code: str
    label: str
    state: str
    status: str


@dataclass(frozen=True, slots=True)
class SharedPeriod:
    """The time in which one driver shares a vehicle: what was recorded and done in it concerns this driver."""

    vehicle_id: int
    since: datetime
    until: datetime | None

    @classmethod
    def of(cls, connection: Connection) -> "SharedPeriod":
        ended = connection.state in TERMINATED
        return cls(connection.vehicle_id, connection.created_at, connection.state_since if ended else None)


Source = Callable[[SharedPeriod, int], list[SentCommand]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Registers a source, at start-up. It returns at most the given number of commands, newest first."""
    if source not in _sources:
        _sources.append(source)


def list_commands(*, period: SharedPeriod, limit: int) -> list[SentCommand]:
    """Returns the commands that were requested for the vehicle in this period, newest first."""
    found = [command for source in _sources for command in source(period, limit)]
    return sorted(found, key=lambda each: each.requested_at, reverse=True)[:limit]
