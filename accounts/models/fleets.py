"""Fleets and memberships."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.users import User


class SmartcarApiVersion(models.TextChoices):
    """The two supported versions of Smartcar's API."""

    V2 = "v2", _("v2 (one token pair per driver)")
    V3 = "v3", _("v3 (one application token)")


class UnitSystem(models.TextChoices):
    METRIC = "metric", _("Metric")
    IMPERIAL = "imperial", _("Imperial")


class Onboarding(models.TextChoices):
    """The state of a fleet's setup checklist: not opened yet, shown to managers, or closed."""

    NEW = "", "New"
    OPEN = "open", "Open"
    OVER = "over", "Over"


class Fleet(models.Model):
    """A group of vehicles with its own members and settings. All data about vehicles belongs to exactly one fleet."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    api_version = models.CharField(
        db_column="generation",
        max_length=2,
        choices=SmartcarApiVersion.choices,
        default=SmartcarApiVersion.V3,
    )
    unit_system = models.CharField(max_length=8, choices=UnitSystem.choices, default=UnitSystem.METRIC)
    time_zone = models.CharField(max_length=64, default="UTC")
    raw_retention_months = models.PositiveSmallIntegerField(
        "keep raw readings for (months)",
        db_column="readings_kept_months",
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text="From 1 to 120. Older readings are permanently deleted within an hour.",
    )
    rollup_retention_months = models.PositiveSmallIntegerField(
        "keep hourly and daily summaries for (months)",
        db_column="rollups_kept_months",
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text="From 1 to 120. Older summaries are permanently deleted within an hour.",
    )
    # Who asks drivers to share their cars, as drivers see it.
    legal_name = models.CharField(max_length=160, blank=True, default="", db_default="")
    contact_email = models.EmailField(blank=True, default="", db_default="")
    privacy_notice_url = models.URLField(
        "privacy notice", max_length=500, blank=True, default="", db_default=""
    )
    onboarding = models.CharField(max_length=4, choices=Onboarding.choices, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="fleets")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    VIEWER = "viewer", _("Viewer")
    DRIVER = "driver", _("Driver")


class Membership(models.Model):
    """A user's role in one fleet."""

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fleet", "user"], name="accounts_membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.fleet}: {self.get_role_display()}"
