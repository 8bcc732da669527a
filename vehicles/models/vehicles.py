"""Vehicles and the latest state of their signals.

The table of signals is hot, so the vehicle is the first column of its key: it can be partitioned, and distributed
over hosts, without a rewrite.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import Fleet, UnitSystem
from vehicles.correction_notes import note_text
from vehicles.makes import make_name
from vehicles.observations import NORMALIZATION_ERROR

MAKE_LENGTH, MODEL_LENGTH, POWERTRAIN_LENGTH = 60, 80, 8


class Vehicle(models.Model):
    """A vehicle in one fleet. `smartcar_id` is stable. The same vehicle may be in several fleets.

    Name, plate, group, driver and the capacity of the tank are entered by the fleet. `unit_system` is "" for that of
    the fleet.
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="vehicles")
    smartcar_id = models.CharField("Smartcar vehicle id", max_length=128)
    name = models.CharField(max_length=80, blank=True)
    # A name that a member entered or cleared is never replaced by the nickname that the vehicle reports.
    name_entered = models.BooleanField(default=False, db_default=False, editable=False)
    plate = models.CharField(max_length=20, blank=True)
    group = models.CharField(max_length=60, blank=True)
    driver = models.CharField(max_length=120, blank=True)
    unit_system = models.CharField(max_length=8, choices=UnitSystem.choices, blank=True)
    tank_liters = models.FloatField(
        "tank capacity", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(2_000)]
    )
    vin = models.CharField("VIN", max_length=17, blank=True)
    make = models.CharField(max_length=MAKE_LENGTH, blank=True)
    model = models.CharField(max_length=MODEL_LENGTH, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    powertrain = models.CharField(max_length=POWERTRAIN_LENGTH, blank=True)
    mode = models.CharField(max_length=10, blank=True)
    last_seen_at = models.DateTimeField("last update", null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["fleet", "smartcar_id"], name="vehicles_vehicle_once")]
        indexes = [models.Index(fields=["smartcar_id"], name="vehicles_by_smartcar_id")]

    def __str__(self) -> str:
        return self.name or self.description or gettext("New vehicle")

    @property
    def units(self) -> str:
        """The unit system for values on the vehicle's own pages."""
        return self.unit_system or self.fleet.unit_system

    @property
    def description(self) -> str:
        """Make, model and year, as far as known."""
        return " ".join(str(part) for part in (make_name(self.make), self.model, self.year) if part)


class LatestSignal(models.Model):
    """The newest valid value of one signal of one vehicle, and the status of its last report.

    `body` is normalized (vehicles.normalization). After an error, which `status` shows, the last valid body is
    retained. `observed_at` is the time of the value (vehicles.value_times): the manufacturer's if it is plausible, else
    when Smartcar retrieved it, else when it was delivered or received. `reported_at` is when Smartcar retrieved or sent
    the last report, and `received_at` when this site received it (None in rows of versions before 0.3). `notes` are
    codes, and so is `error_description` for a value that was rejected here (vehicles.correction_notes); otherwise it is
    Smartcar's text. `memory` is what later values are judged by: what the vehicle means by a unit
    (vehicles.unit_judgment), and values that contradict the latest one and are held back until others agree
    (vehicles.continuity).
    """

    pk = models.CompositePrimaryKey("vehicle_id", "code")
    vehicle = models.ForeignKey(
        Vehicle, on_delete=models.CASCADE, related_name="latest_signals", db_index=False
    )
    code = models.CharField(max_length=100)
    body = models.JSONField(null=True)
    observed_at = models.DateTimeField(null=True)
    oem_updated_at = models.DateTimeField(null=True)
    retrieved_at = models.DateTimeField(null=True)
    sequence = models.BigIntegerField(null=True)
    status = models.CharField(max_length=12)
    error_type = models.CharField(max_length=60, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_description = models.TextField(blank=True)
    reported_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)
    notes = ArrayField(models.TextField(), default=list)
    memory = models.JSONField(default=dict, db_default={})

    def __str__(self) -> str:
        return self.code

    @property
    def value(self) -> Any:
        """The plain value of a single-valued signal, else None."""
        return self.body.get("value") if self.body else None

    @property
    def note_texts(self) -> list[str]:
        """How the value was corrected, in the active language."""
        return [note_text(note) for note in self.notes]

    @property
    def rejection_reason(self) -> str:
        """Why the last reported value was rejected as implausible, in the active language; "" if it wasn't."""
        return note_text(self.error_description) if self.error_type == NORMALIZATION_ERROR else ""
