"""Counts rejected deliveries by day and reason. With a row for each, any sender could fill the disk."""

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
    NOT_AN_OBJECT = "not_object", _("Body isn't a JSON object")


class RejectedDeliveryCount(models.Model):
    """The number of requests rejected on a day (UTC) for a reason. Nothing else about them is stored."""

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
    """The counts of this process that are not stored yet. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[date, str]] = Counter()
        self._written = 0.0

    def count(self, reason: RejectionReason) -> None:
        """Counts one rejection."""
        with self._lock:
            self._counts[datetime.now(UTC).date(), reason.value] += 1

    def due(self) -> bool:
        """Returns whether there are counts to store and the last write was at least FLUSH_SECONDS ago."""
        return bool(self._counts) and time.monotonic() - self._written >= FLUSH_SECONDS

    def write(self) -> None:
        """Adds the counts to the rows. While the database is unavailable, they are retained for the next call."""
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
