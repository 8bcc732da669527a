"""Rules for vehicles that Smartcar connects by itself (Tesla Business Fleet)."""

from django.db import models
from django.utils import timezone

from accounts.models import Fleet, User


class AdoptionRule(models.Model):
    """Vehicles that Smartcar connects to an application without a driver join this fleet.

    No application: that of the settings. `model` limits the rule to one model; a rule with the model takes precedence
    over one without.
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="adoption_rules")
    application = models.ForeignKey(
        "connect.SmartcarApplication", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    model = models.CharField(max_length=80, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "model"], nulls_distinct=False, name="connect_adoption_rule_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model or 'all models'} to {self.fleet}"
