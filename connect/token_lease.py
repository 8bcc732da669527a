"""Single-flight renewal of a token row: one process renews, the others wait for the new version.

The process takes the lease by a conditional UPDATE, calls Smartcar outside any transaction, and stores by compare
and swap. After a crash or a lost response, the old refresh token is used again, which stays valid for minutes after its
use (Smartcar documentation, "Refresh Token Exchange").
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from django.utils import timezone

from connect.messages import TokenProblem
from connect.models import LeaseMixin
from core.encryption import DecryptionError

LEASE = timedelta(seconds=45)
REFRESH_MARGIN = timedelta(minutes=5)
_POLL = 0.1

Row = TypeVar("Row", bound=LeaseMixin)


class TokensUnavailableError(Exception):
    """There is no valid token for this connection now. `message` is the reason; str() is in the active language."""

    smartcar_message = ""

    def __init__(self, problem: TokenProblem) -> None:
        super().__init__(problem)
        self.problem = problem
        self.message = problem.message()

    def __str__(self) -> str:
        return str(self.message)


@contextmanager
def decryption_checked() -> Iterator[None]:
    """Raises TokensUnavailableError in place of DecryptionError, so that callers need not tell them apart."""
    try:
        yield
    except DecryptionError:
        raise TokensUnavailableError(TokenProblem.UNREADABLE) from None


def get_or_refresh(row: Row, *, valid: Callable[[Row, datetime], bool], renew: Callable[[Row], None]) -> Row:
    """Returns the row once it is valid: unchanged, or renewed by this process or by the one that holds the lease.

    Raises TokensUnavailableError if that takes longer than two leases, and what `renew` raises.
    """
    deadline = time.monotonic() + LEASE.total_seconds() * 2
    while not valid(row, now := timezone.now()):
        if row.claim(now=now, lease=LEASE):
            try:
                renew(row)
            except BaseException:
                row.release()
                raise
        elif time.monotonic() > deadline:
            raise TokensUnavailableError(TokenProblem.REFRESH_TIMEOUT)
        else:
            time.sleep(_POLL)
        row = row.reread()
    return row
