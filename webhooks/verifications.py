"""Records that Smartcar has verified our webhook, once per application and outside of requests.

VERIFY events are unsigned, so any client can send many of them. Repetitions are free of cost in each process.
"""

import threading
from contextlib import suppress

from django.db import DatabaseError, IntegrityError

from connect.applications.setup_events import SetupStep, record


class VerificationTracker:
    """The applications whose VERIFY events this process has responded to. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: set[int | None] = set()
        self._written: set[int | None] = set()

    def note(self, application_pk: int | None) -> None:
        """Notes a verification; None is the application in the settings."""
        with self._lock:
            if application_pk not in self._written:
                self._new.add(application_pk)

    def due(self) -> bool:
        """Returns whether there are new verifications to store."""
        return bool(self._new)

    def write(self) -> None:
        """Stores new verifications. While the database is unavailable, they are retained for the next call."""
        with self._lock:
            new, self._new = self._new, set()
        for application_pk in new:
            try:
                with suppress(IntegrityError):  # the application was deleted meanwhile
                    record(application_pk=application_pk, milestone=SetupStep.VERIFIED)
            except DatabaseError:
                stored = False
            else:
                stored = True
            with self._lock:
                (self._written if stored else self._new).add(application_pk)

    def reset(self) -> None:
        """Resets the state to that of a new process."""
        with self._lock:
            self._new, self._written = set(), set()


verifications = VerificationTracker()
