"""One row per vehicle with the values in lists and on maps, updated by vehicles.summaries.

With it, one statement can filter, count and sort ten thousand vehicles.
"""

from django.db import models


class VehicleSnapshot(models.Model):
    """The newest valid values of a vehicle, with the times of most of them; None if never reported.

    `…_failed` is whether a later report of the signal failed. With the time, it decides whether a state is current
    (vehicles.current_state). `unlocked_since` is the time of the first of the reports that all say "unlocked", None
    while the vehicle is locked. Percentages are 0-100, volumes liters, distances km, speeds km/h, headings degrees
    clockwise from north.
    """

    vehicle = models.OneToOneField(
        "vehicles.Vehicle", on_delete=models.CASCADE, primary_key=True, related_name="summary"
    )
    charge = models.FloatField("state of charge", null=True)
    charge_at = models.DateTimeField(null=True)
    range_km = models.FloatField("range", null=True)
    charging = models.BooleanField(null=True)
    charging_at = models.DateTimeField(null=True)
    charging_failed = models.BooleanField(default=False, db_default=False)
    fuel = models.FloatField("fuel level", null=True)
    fuel_at = models.DateTimeField(null=True)
    fuel_liters = models.FloatField("fuel remaining", null=True)
    fuel_liters_at = models.DateTimeField(null=True)
    fuel_range_km = models.FloatField("fuel range", null=True)
    locked = models.BooleanField(null=True)
    locked_at = models.DateTimeField(null=True)
    locked_failed = models.BooleanField(default=False, db_default=False)
    unlocked_since = models.DateTimeField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    heading = models.FloatField(null=True)
    place_at = models.DateTimeField(null=True)
    speed = models.FloatField(null=True)
    speed_at = models.DateTimeField(null=True)
    speed_failed = models.BooleanField(default=False, db_default=False)
    odometer_km = models.FloatField("odometer", null=True)
    odometer_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "vehicles_summary"
        verbose_name_plural = "summaries"

    def __str__(self) -> str:
        return f"Summary of {self.vehicle_id}"
