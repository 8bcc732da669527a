"""Why requests are made, and whom for: what decides which of them go first when there is not room for all."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class CallPurpose(StrEnum):
    """Why a call is made, most urgent first."""

    COMMAND = "command"
    PERSON = "person"  # Somebody waits for the answer.
    BACKGROUND = "background"


# How much of the application's bucket each may use up. What is above one's share is left for the more urgent.
SHARES = {CallPurpose.COMMAND: 1.0, CallPurpose.PERSON: 0.75, CallPurpose.BACKGROUND: 0.5}
# Renewing a token goes before all reads: without it nothing else goes.
TOKEN_SHARE = 0.9


class UsageMeter(Protocol):
    """Counts the calls to one vehicle by month. Neither method raises: a lost count must not fail a call."""

    def limit_reached(self) -> bool:
        """Whether this month's calls have reached the vehicle's monthly limit."""

    def add(self, *, purpose: CallPurpose, calls: int) -> None:
        """Counts calls that Smartcar has answered."""


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Why a request is made. `meter` counts the calls of the vehicle it is about; None if it is about no vehicle.

    `admitted`: the limiter has admitted the request already. `patience`: seconds that the request may wait for
    capacity before it is deferred.
    """

    purpose: CallPurpose = CallPurpose.PERSON
    meter: UsageMeter | None = None
    admitted: bool = False
    patience: float = 0.0


_DEFAULT = RequestContext()
_cause: ContextVar[RequestContext] = ContextVar("connect_budget_cause", default=_DEFAULT)


def current() -> RequestContext:
    """The cause of what runs now. Outside of any `on_behalf` somebody is taken to wait for it."""
    return _cause.get()


@contextmanager
def request_context(cause: RequestContext) -> Iterator[None]:
    """Requests made in this block have this cause."""
    mark = _cause.set(cause)
    try:
        yield
    finally:
        _cause.reset(mark)
