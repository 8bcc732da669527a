"""Counting what was refused: a count a day and reason, since a row for each would let anybody fill the disk."""

import logging
import threading
import time
from collections import Counter
from datetime import UTC, date, datetime

from django.db import DatabaseError, connection, models
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0


class RejectionReason(models.TextChoices):
    UNSIGNED = "unsigned", _("No signature")
    BADLY_SIGNED = "badly_signed", _("Signature doesn't match any of our management tokens")
    TOO_LARGE = "too_large", _("Body too large")
    CHALLENGE = "challenge", _("VERIFY challenge isn't a short plain word")


class RejectedDeliveryCount(models.Model):
    """How many requests were refused on a day (UTC) for a reason. Nothing else of them is kept."""

    day = models.DateField()
    reason = models.CharField(max_length=12, choices=RejectionReason.choices)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "webhooks_refuseddeliveries"
        ordering = ["-day", "reason"]
        verbose_name_plural = "refused deliveries"
        constraints = [
            models.UniqueConstraint(fields=["day", "reason"], name="webhooks_refused_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.get_reason_display()}: {self.count}"


class RejectionCounter:
    """Counts of this process that are not written yet. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[date, str]] = Counter()
        self._written = 0.0

    def count(self, reason: RejectionReason) -> None:
        """One more."""
        with self._lock:
            self._counts[datetime.now(UTC).date(), reason.value] += 1

    def due(self) -> bool:
        """Whether there is something to write, and the last time was a second ago."""
        return bool(self._counts) and time.monotonic() - self._written >= FLUSH_SECONDS

    def write(self) -> None:
        """Add what was counted to the rows; while the database is away it is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            self._written = time.monotonic()
        try:
            for (day, reason), count in sorted(counts.items()):
                _add(day=day, reason=reason, count=count)
                del counts[day, reason]
                logger.warning("Refused deliveries: %s more (%s).", count, RejectionReason(reason).label)
        except DatabaseError:
            with self._lock:
                self._counts.update(counts)


def _add(*, day: date, reason: str, count: int) -> None:
    table = connection.ops.quote_name(RejectedDeliveryCount._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS kept (day, reason, count) VALUES (%s, %s, %s) "  # noqa: S608
            "ON CONFLICT (day, reason) DO UPDATE SET count = kept.count + excluded.count",
            [day, reason, count],
        )


counter = RejectionCounter()
