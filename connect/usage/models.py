"""What was asked of each car in a month, and what a fleet allows itself."""

from django.core.validators import MaxValueValidator
from django.db import models

from accounts.models import Fleet
from vehicles.models import Vehicle


class VehicleUsage(models.Model):
    """How many billed calls were made to a car in one month (by its first day, UTC) for one purpose."""

    pk = models.CompositePrimaryKey("vehicle", "month", "purpose")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="usage")
    month = models.DateField()
    purpose = models.CharField(max_length=10)
    calls = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.calls} calls for {self.purpose} in {self.month:%Y-%m}"


class FleetAllowance(models.Model):
    """How many calls a month a fleet's plan has for each car. A fleet without a row has that of the settings."""

    fleet = models.OneToOneField(Fleet, on_delete=models.CASCADE, related_name="request_allowance")
    calls = models.PositiveIntegerField(validators=[MaxValueValidator(1_000_000)])

    class Meta:
        verbose_name = "fleet's request allowance"

    def __str__(self) -> str:
        return f"{self.calls} calls a month for each car of {self.fleet}"
