"""Grants of refused authorizations."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from connect.messages import Problem, code_field, params_field, smartcar_message_field
from core.message_codes import Message


class RefusedGrant(models.Model):
    """One vehicle that a driver shared in an authorization that was refused here, because its invitation was over.

    The grant exists at Smartcar until `ended_at`. `request_id` is Smartcar's, for its support.
    """

    authorization = models.ForeignKey(
        "connect.AuthorizationRequest", on_delete=models.CASCADE, related_name="refused_grants"
    )
    tokens = models.ForeignKey(
        "connect.UserToken", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    smartcar_user_id = models.CharField("Smartcar user id", max_length=128)
    smartcar_vehicle_id = models.CharField("Smartcar vehicle id", max_length=128)
    smartcar_connection_id = models.CharField("Smartcar connection id", max_length=128, blank=True)
    refused_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    request_id = models.CharField(max_length=80, blank=True)
    problem_code = code_field()
    problem_params = params_field()
    problem_smartcar_message = smartcar_message_field()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "connect_refusedgrant"
        ordering = ["-refused_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["authorization", "smartcar_vehicle_id"], name="connect_refused_grant_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], name="connect_refused_grant_due", condition=Q(ended_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"Refused grant {self.pk}"

    @property
    def problem(self) -> Problem:
        """Why the last attempt to end the grant failed; false if none did."""
        return Problem(Message(self.problem_code, self.problem_params), self.problem_smartcar_message)
