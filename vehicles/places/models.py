from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Fleet

SMALLEST_M, LARGEST_M = 20, 50_000


class PlaceKind(models.TextChoices):
    """The kind of a place."""

    DEPOT = "depot", _("Depot")
    HOME = "home", _("Home")
    CUSTOMER = "customer", _("Customer")
    CHARGER = "charger", _("Charger")
    OTHER = "other", _("Other")


class Place(models.Model):
    """A circle on the map that a fleet has named. `radius` is in meters."""

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="places")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, choices=PlaceKind.choices, default=PlaceKind.OTHER)
    latitude = models.FloatField(validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField(validators=[MinValueValidator(-180), MaxValueValidator(180)])
    radius = models.PositiveIntegerField(
        default=150, validators=[MinValueValidator(SMALLEST_M), MaxValueValidator(LARGEST_M)]
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("fleet", Lower("name"), name="vehicles_place_named_once"),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90))
                & Q(longitude__range=(-180, 180))
                & Q(radius__range=(SMALLEST_M, LARGEST_M)),
                name="vehicles_place_on_the_globe",
            ),
        ]

    def __str__(self) -> str:
        return self.name
