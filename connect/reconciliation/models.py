"""Reports of the nightly reconciliation."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Fleet, SmartcarApiVersion
from connect.messages import Problem, code_field, params_field, smartcar_message_field
from connect.reconciliation.diff import DiscrepancyType
from core.message_codes import Message, render


class ReconciliationOutcome(models.TextChoices):
    RUNNING = "running", _("In progress")
    DONE = "done", _("Reconciled")
    DOUBTED = (
        "doubted",
        _(
            "Reconciled, but too many connections were missing for the result to be reliable: "
            "nothing was removed"
        ),
    )
    FAILED = "failed", _("Smartcar's lists were incomplete: nothing was reconciled")


class Reconciliation(models.Model):
    """One reconciliation of one application's connections of one API version. No application: that of the settings."""

    application = models.ForeignKey(
        "connect.SmartcarApplication", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    api_version = models.CharField(db_column="generation", max_length=2, choices=SmartcarApiVersion.choices)
    began_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(
        max_length=8, choices=ReconciliationOutcome.choices, default=ReconciliationOutcome.RUNNING
    )
    problem_code = code_field()
    problem_params = params_field()
    problem_smartcar_message = smartcar_message_field()
    ours = models.PositiveIntegerField("connections here", default=0)
    theirs = models.PositiveIntegerField("connections at Smartcar", default=0)
    subscriptions = models.PositiveIntegerField("subscriptions at Smartcar", null=True, blank=True)

    class Meta:
        db_table = "connect_comparison"
        ordering = ["-began_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "api_version"],
                nulls_distinct=False,
                condition=Q(outcome=ReconciliationOutcome.RUNNING),
                name="connect_one_comparison",
            )
        ]

    def __str__(self) -> str:
        return f"Comparison of {self.began_at:%Y-%m-%d %H:%M}, {self.api_version}"

    @property
    def problem(self) -> Problem:
        """Why the reconciliation failed; false if it did not."""
        return Problem(Message(self.problem_code, self.problem_params), self.problem_smartcar_message)


class FleetReconciliation(models.Model):
    """A fleet's part of a reconciliation: how many of its connections were checked."""

    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.CASCADE, db_column="comparison_id", related_name="fleets"
    )
    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="reconciliations")
    connections = models.PositiveIntegerField()

    class Meta:
        db_table = "connect_comparedfleet"
        constraints = [
            models.UniqueConstraint(fields=["reconciliation", "fleet"], name="connect_compared_once")
        ]

    def __str__(self) -> str:
        return f"{self.fleet} in {self.reconciliation}"


class Discrepancy(models.Model):
    """One difference, and what was done about it.

    Without a connection or a refused grant, it is of no fleet: for the site's admins.
    """

    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.CASCADE, db_column="comparison_id", related_name="discrepancies"
    )
    connection = models.ForeignKey(
        "connect.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="discrepancies"
    )
    refused_grant = models.ForeignKey(
        "connect.RefusedGrant", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=12, choices=DiscrepancyType.choices)
    smartcar_user_id = models.CharField("Smartcar user id", max_length=128)
    smartcar_vehicle_id = models.CharField("Smartcar vehicle id", max_length=128)
    repaired = models.BooleanField(default=False, db_column="healed")
    note_code = code_field()
    note_params = params_field()
    note_smartcar_message = smartcar_message_field()

    class Meta:
        db_table = "connect_drift"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def note(self) -> str:
        """What was done about it, in the active language."""
        return render(self.note_code, self.note_params)
