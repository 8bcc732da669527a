"""The context of requests: their purpose decides which are sent first when capacity is short."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class CallPurpose(StrEnum):
    """Why a call is made, most urgent first."""

    COMMAND = "command"
    PERSON = "person"  # A user is waiting for the response.
    BACKGROUND = "background"


# The share of the application's bucket that each purpose may use up. The rest is reserved for more urgent requests.
SHARES = {CallPurpose.COMMAND: 1.0, CallPurpose.PERSON: 0.75, CallPurpose.BACKGROUND: 0.5}
# Token refreshes take precedence over all reads, which would fail without them.
TOKEN_SHARE = 0.9


class UsageMeter(Protocol):
    """Counts the calls to one vehicle by month. Neither method raises: a lost count must not fail a call."""

    def limit_reached(self) -> bool:
        """Whether this month's calls have reached the vehicle's monthly limit."""

    def add(self, *, purpose: CallPurpose, calls: int) -> None:
        """Adds calls to this month's count."""


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
_context: ContextVar[RequestContext] = ContextVar("smartcar_request_context", default=_DEFAULT)


def current() -> RequestContext:
    """Returns the current context. The default outside of `request_context` has the purpose PERSON."""
    return _context.get()


@contextmanager
def request_context(context: RequestContext) -> Iterator[None]:
    """Sets the context of requests made in this block."""
    reset_token = _context.set(context)
    try:
        yield
    finally:
        _context.reset(reset_token)
