"""Why requests are made, and whom for: what decides which of them go first when there is not room for all."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """Why a call is made, most urgent first."""

    COMMAND = "command"
    PERSON = "person"  # Somebody waits for the answer.
    BACKGROUND = "background"


# How much of the application's bucket each may use up. What is above one's share is left for the more urgent.
SHARES = {Purpose.COMMAND: 1.0, Purpose.PERSON: 0.75, Purpose.BACKGROUND: 0.5}
# Renewing a token goes before all reads: without it nothing else goes.
TOKEN_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Cause:
    """What a request is made for. `vehicle_id` and `fleet_id` are our keys, None for what is about no car of ours.

    `admitted`: room was found for it before, and is not asked for again. `patience`: so many seconds it may wait for
    room before it is put off.
    """

    purpose: Purpose = Purpose.PERSON
    vehicle_id: int | None = None
    fleet_id: int | None = None
    admitted: bool = False
    patience: float = 0.0


_NOBODY = Cause()
_cause: ContextVar[Cause] = ContextVar("connect_budget_cause", default=_NOBODY)


def current() -> Cause:
    """The cause of what runs now. Outside of any `on_behalf` somebody is taken to wait for it."""
    return _cause.get()


@contextmanager
def on_behalf(cause: Cause) -> Iterator[None]:
    """Requests made in this block have this cause."""
    mark = _cause.set(cause)
    try:
        yield
    finally:
        _cause.reset(mark)
