"""Remembering that Smartcar verified our address: the first time for each application, and beside the requests.

A VERIFY is unsigned, so anybody may send many: what this process has noted before costs nothing.
"""

import threading
from contextlib import suppress

from django.db import DatabaseError, IntegrityError

from connect.applications.setup_events import SetupStep, record


class VerificationTracker:
    """The applications whose VERIFY this process has answered. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: set[int | None] = set()
        self._written: set[int | None] = set()

    def note(self, application_pk: int | None) -> None:
        """One more; None is the application of the settings."""
        with self._lock:
            if application_pk not in self._written:
                self._new.add(application_pk)

    def due(self) -> bool:
        """Whether there is something to write."""
        return bool(self._new)

    def write(self) -> None:
        """Writes down what is new; while the database is away it is kept for the next time."""
        with self._lock:
            new, self._new = self._new, set()
        for application_pk in new:
            try:
                with suppress(IntegrityError):  # the application was deleted meanwhile
                    record(application_pk=application_pk, milestone=SetupStep.VERIFIED)
                self._written.add(application_pk)
            except DatabaseError:
                self._new.add(application_pk)

    def forget(self) -> None:
        """Begins anew, as a new process does."""
        with self._lock:
            self._new, self._written = set(), set()


verifications = VerificationTracker()
