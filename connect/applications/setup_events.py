"""Setup steps of an application that were completed, and when first. New fleets see them as their progress.

Only steps that leave no other record; connections and deliveries have rows of their own.
"""

from django.db import models
from django.utils import timezone


class SetupStep(models.TextChoices):
    CREDENTIALS = "credentials", "Credentials verified by Smartcar"
    VERIFIED = "verified", "Smartcar's VERIFY of the webhook address was answered"


class SetupEvent(models.Model):
    """The first completion of a setup step. `application` is None for the one in the settings."""

    application = models.ForeignKey(
        "connect.SmartcarApplication", on_delete=models.CASCADE, null=True, related_name="milestones"
    )
    milestone = models.CharField(max_length=12, choices=SetupStep.choices)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "connect_reachedmilestone"
        constraints = [
            models.UniqueConstraint(
                fields=["application", "milestone"], name="connect_milestone_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return self.get_milestone_display()


def record(*, application_pk: int | None, milestone: SetupStep) -> None:
    """Records that the step was completed. Later calls change nothing."""
    row = SetupEvent(application_id=application_pk, milestone=milestone)
    SetupEvent.objects.bulk_create([row], ignore_conflicts=True)
