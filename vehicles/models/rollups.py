"""Hourly and daily rollups of number signals, and the queue of those that are due (vehicles.rollups)."""

from django.db import models

from vehicles.models.history import SignalCode
from vehicles.models.vehicles import Vehicle


class _Rollup(models.Model):
    """The aggregated readings of a number signal, from `start` up to the next hour or day.

    The mean weights each value by its duration, from the first reading on. In PostgreSQL, the table is partitioned by
    month and has no foreign keys, like that of `Reading`.
    """

    vehicle = models.ForeignKey(
        Vehicle, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    start = models.DateTimeField()
    mean = models.FloatField()
    minimum = models.FloatField()
    maximum = models.FloatField()
    minimum_at = models.DateTimeField()
    maximum_at = models.DateTimeField()
    first = models.FloatField()
    last = models.FloatField()
    count = models.IntegerField()
    signal = models.ForeignKey(
        SignalCode, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.signal} from {self.start:%Y-%m-%d %H:%M}"


class HourRollup(_Rollup):
    """An hour in UTC."""

    pk = models.CompositePrimaryKey("vehicle_id", "signal_id", "start")


class DayRollup(_Rollup):
    """A day in the time zone of `DayZone`, in which `start` is midnight."""

    pk = models.CompositePrimaryKey("vehicle_id", "signal_id", "start")


class _Dirty(models.Model):
    """A period whose readings have changed since its last rollup, or that has none yet."""

    vehicle = models.ForeignKey(
        Vehicle, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    start = models.DateTimeField()
    signal = models.ForeignKey(
        SignalCode, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.signal} from {self.start:%Y-%m-%d %H:%M}"


class DirtyHour(_Dirty):
    pk = models.CompositePrimaryKey("vehicle_id", "signal_id", "start")

    class Meta:
        db_table = "vehicles_duehour"
        indexes = [models.Index(fields=["start"], name="vehicles_duehour_start")]


class DirtyDay(_Dirty):
    pk = models.CompositePrimaryKey("vehicle_id", "signal_id", "start")

    class Meta:
        db_table = "vehicles_dueday"
        indexes = [models.Index(fields=["start"], name="vehicles_dueday_start")]


class DayZone(models.Model):
    """The time zone of a vehicle's days. It follows the fleet's time zone (vehicles.rollups.follow_zones)."""

    vehicle = models.OneToOneField(Vehicle, on_delete=models.CASCADE, primary_key=True, related_name="+")
    time_zone = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.time_zone
