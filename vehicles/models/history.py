"""The history of signals. Its table, too, has the vehicle first in its key."""

from typing import Any

from django.db import models

from accounts.models import Fleet
from vehicles.encoding import decode
from vehicles.models.vehicles import Vehicle


class SignalCode(models.Model):
    """The number that stands for a signal's code in history: 2 bytes instead of about 30, in many million rows.

    The codes of the catalogue have numbers below 0, assigned by migrations. Any other code gets one when it is first
    recorded (vehicles.readings). All fleets share these numbers, so each fleet may use up only a few of them: `fleet`
    is the one that was first to report the code.
    """

    id = models.SmallAutoField(primary_key=True)
    code = models.CharField(max_length=100, unique=True)
    fleet = models.ForeignKey(
        Fleet, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_constraint=False
    )

    def __str__(self) -> str:
        return self.code


class Reading(models.Model):
    """One point of a signal's history: written when (value, observed_at) changes, never updated.

    A number is stored as `value`, in the catalogue's unit. `rest` is the whole body if it isn't a number or contains
    more than that. The order of the columns avoids padding. In PostgreSQL, the table is partitioned by month
    (vehicles.partitions) and has no foreign keys: checking them would slow down thousands of inserts per second, and
    adding or dropping partitions would lock the vehicles table.
    """

    pk = models.CompositePrimaryKey("vehicle_id", "signal_id", "observed_at")
    vehicle = models.ForeignKey(
        Vehicle, on_delete=models.CASCADE, related_name="readings", db_constraint=False, db_index=False
    )
    observed_at = models.DateTimeField()
    value = models.FloatField(null=True)
    signal = models.ForeignKey(
        SignalCode, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    rest = models.JSONField(null=True)

    def __str__(self) -> str:
        return f"{self.signal} at {self.observed_at:%Y-%m-%d %H:%M:%S}"

    @property
    def body(self) -> dict[str, Any]:
        """The normalized body as it was recorded."""
        return decode(self.signal.code, value=self.value, rest=self.rest)
