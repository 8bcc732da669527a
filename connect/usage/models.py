"""API calls per vehicle and month, and the fleets' monthly limits."""

from django.core.validators import MaxValueValidator
from django.db import models

from accounts.models import Fleet
from vehicles.models import Vehicle


class VehicleUsage(models.Model):
    """The number of billed API calls for a vehicle in one month (given by its first day, UTC) and for one purpose."""

    pk = models.CompositePrimaryKey("vehicle", "month", "purpose")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="usage")
    month = models.DateField()
    purpose = models.CharField(max_length=10)
    calls = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.calls} calls for {self.purpose} in {self.month:%Y-%m}"


class FleetAllowance(models.Model):
    """The monthly limit of a fleet's Smartcar plan per vehicle. A fleet without a row has the one in the settings."""

    fleet = models.OneToOneField(Fleet, on_delete=models.CASCADE, related_name="request_allowance")
    calls = models.PositiveIntegerField(validators=[MaxValueValidator(1_000_000)])

    class Meta:
        verbose_name = "fleet's request allowance"

    def __str__(self) -> str:
        return f"{self.calls} calls per month and vehicle of {self.fleet}"
