"""The error of this package."""

from __future__ import annotations

from collections.abc import Sequence


class DemoError(Exception):
    """The demo can't continue. The message is one line with the cause and a solution. `details` are lines of a log."""

    def __init__(self, message: str, *, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)
