"""Alerts about conditions that need a person, a fleet's settings for alerts, and members' notification preferences."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import Fleet, Membership, User
from alerts.types import AlertType, all_types
from vehicles.models import Vehicle

LOW_BATTERY = 20
LOWEST, HIGHEST = 5, 60


class Alert(models.Model):
    """One condition of one subject in one fleet, from when it began (`opened_at`) to its end (`resolved_at`).

    At most one unresolved alert exists per condition. `level`, `subject_id` and `payload` are those of
    alerts.types.AlertCondition. `last_raised_at` is when the condition began or last got worse; `emailed_at` is when
    emails about that were queued.
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=12, choices=AlertType.choices)
    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="alerts")
    subject_id = models.BigIntegerField(db_column="subject")
    level = models.PositiveSmallIntegerField(default=0)
    payload = models.JSONField(default=dict, db_column="facts")
    opened_at = models.DateTimeField()
    last_raised_at = models.DateTimeField(db_column="news_at")
    emailed_at = models.DateTimeField(null=True, blank=True, db_column="posted_at")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True, blank=True, db_column="ended_at")

    class Meta:
        db_table = "alerts_notice"
        # Unacknowledged alerts first, then acknowledged ones, then resolved ones.
        ordering = [
            F("resolved_at").desc(nulls_first=True),
            F("acknowledged_at").desc(nulls_first=True),
            "-last_raised_at",
            "-id",
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id", "fleet"],
                condition=Q(resolved_at=None),
                name="alerts_notice_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["fleet", "-resolved_at"], name="alerts_notice_of_fleet"),
            models.Index(
                fields=["fleet", "kind"],
                condition=Q(resolved_at=None, acknowledged_at=None),
                name="alerts_notice_due",
            ),
            models.Index(
                fields=["last_raised_at"],
                condition=Q(resolved_at=None, emailed_at=None),
                name="alerts_notice_unposted",
            ),
            # To find an alert that was resolved shortly before and is raised again.
            models.Index(fields=["kind", "subject_id", "-resolved_at"], name="alerts_notice_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{AlertType(self.kind).label}: {self.vehicle}"

    @property
    def is_open(self) -> bool:
        """Whether the condition still exists."""
        return self.resolved_at is None

    @property
    def is_unacknowledged(self) -> bool:
        """Whether the condition exists and nobody has acknowledged the alert."""
        return self.is_open and self.acknowledged_at is None


class AlertSettings(models.Model):
    """The types of alerts a fleet uses, and the percentage below which a battery or tank is low."""

    fleet = models.OneToOneField(
        Fleet, on_delete=models.CASCADE, primary_key=True, related_name="alert_settings"
    )
    low_battery = models.PositiveSmallIntegerField(
        default=LOW_BATTERY, validators=[MinValueValidator(LOWEST), MaxValueValidator(HIGHEST)]
    )
    kinds = ArrayField(
        models.CharField(max_length=12, choices=AlertType.choices), default=all_types, blank=True
    )

    class Meta:
        db_table = "alerts_fleetrules"
        verbose_name = verbose_name_plural = "alert settings"

    def __str__(self) -> str:
        return f"Alert settings of {self.fleet}"


class NotificationPreference(models.Model):
    """The types of alerts one member gets in the app and by email. Without a row, the role's defaults apply."""

    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, primary_key=True, related_name="notification_preference"
    )
    in_app = ArrayField(
        models.CharField(max_length=12, choices=AlertType.choices),
        default=list,
        blank=True,
        db_column="in_bell",
    )
    by_email = ArrayField(
        models.CharField(max_length=12, choices=AlertType.choices),
        default=list,
        blank=True,
        db_column="by_mail",
    )

    class Meta:
        db_table = "alerts_memberchoice"
        verbose_name = "notification preference"

    def __str__(self) -> str:
        return f"Notification preference of {self.membership}"
