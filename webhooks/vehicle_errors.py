"""Errors that Smartcar reported about vehicles (VEHICLE_ERROR), with near-duplicates merged.

Source: Smartcar documentation, "Duplicate Prevention": several events may report the same error. So besides the event
ID, an error is identified by user, vehicle, code and a window of 2 to 5 minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models

from vehicles.models import Vehicle
from webhooks.parsing.types import ReportedError

DEDUP_WINDOW = timedelta(minutes=5)
# The maximum number of events per row. An error that is reported continuously starts a new row after these.
MAX_EVENTS = 100
# The newest errors of each vehicle that are stored: years of real ones.
MAX_ERRORS = 1000


class VehicleError(models.Model):
    """An error of a vehicle or its resolution (`state`), reported once or several times in short succession.

    `signals` are the affected signal codes; empty for an error of the whole connection. `count` events reported the
    error, the first and last of them received at `first_at` and `last_at`.
    """

    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="errors")
    smartcar_user_id = models.CharField("Smartcar user id", max_length=128, blank=True)
    type = models.CharField(max_length=60)
    code = models.CharField(max_length=60, blank=True)
    signals = ArrayField(models.CharField(max_length=100), default=list)
    state = models.CharField(max_length=8, choices=[("ERROR", "Error"), ("RESOLVED", "Resolved")])
    description = models.TextField(blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    event_ids = ArrayField(models.CharField(max_length=128), default=list)

    class Meta:
        ordering = ["-last_at", "-id"]
        indexes = [
            models.Index(fields=["vehicle", "-last_at"], name="webhooks_errors_of_a_car"),
            # For the timeline, which sorts errors by their start.
            models.Index(fields=["vehicle", "-first_at", "-id"], name="webhooks_errors_by_start"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.code} {self.state}".replace("  ", " ")

    @property
    def count(self) -> int:
        """The number of events that reported the error."""
        return len(self.event_ids)


@dataclass(frozen=True, slots=True)
class ErrorOccurrence:
    """One error of one event about one of our vehicles. `at` is when the event was received."""

    vehicle_id: int
    user_id: str
    error: ReportedError
    event_id: str
    at: datetime


def record_new(occurrences: Sequence[ErrorOccurrence]) -> list[ErrorOccurrence]:
    """Stores the errors and returns the new ones: neither processed before nor repetitions.

    The caller has locked the vehicles' rows, so that no other batch stores errors about them at the same time.
    """
    new = [occurrence for occurrence in sorted(occurrences, key=lambda each: each.at) if _write(occurrence)]
    for vehicle_id in sorted({occurrence.vehicle_id for occurrence in new}):
        _delete_oldest(vehicle_id)
    return new


def _delete_oldest(vehicle_id: int) -> None:
    """Deletes the vehicle's errors beyond the newest MAX_ERRORS."""
    newest_first = VehicleError.objects.filter(vehicle=vehicle_id).order_by("-last_at", "-pk")
    VehicleError.objects.filter(pk__in=newest_first.values("pk")[MAX_ERRORS:]).delete()


def _write(occurrence: ErrorOccurrence) -> bool:
    error = occurrence.error
    identity = {
        "vehicle_id": occurrence.vehicle_id,
        "smartcar_user_id": occurrence.user_id,
        "type": error.type[:60],
        "code": (error.code or "")[:60],
        "signals": sorted(error.signals),
        "state": error.state,
    }
    same = VehicleError.objects.filter(**identity)
    if same.filter(event_ids__contains=[occurrence.event_id]).exists():
        return False
    near = same.filter(
        first_at__lte=occurrence.at + DEDUP_WINDOW,
        last_at__gte=occurrence.at - DEDUP_WINDOW,
        event_ids__len__lt=MAX_EVENTS,
    ).first()
    if near is None:
        VehicleError.objects.create(
            **identity,
            description=error.suggested_user_message or error.description,
            first_at=occurrence.at,
            last_at=occurrence.at,
            event_ids=[occurrence.event_id],
        )
        return True
    near.first_at = min(near.first_at, occurrence.at)
    near.last_at = max(near.last_at, occurrence.at)
    near.event_ids = [*near.event_ids, occurrence.event_id]
    near.save(update_fields=["first_at", "last_at", "event_ids"])
    return False
