"""Requests to several drivers at once."""

from django.db import models
from django.utils import timezone

from accounts.models import Fleet, User
from connect.status.states import AuthorizationPurpose
from vehicles.makes import make_name


class BulkRequest(models.Model):
    """One request to all drivers of a make, or of the fleet if `make` is empty: to sign in again, or for permissions.

    Each driver has an invitation of their own (`invitations`).
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="bulk_requests")
    purpose = models.CharField(max_length=12, choices=AuthorizationPurpose.choices)
    make = models.CharField(max_length=60, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {make_name(self.make) or self.fleet}"
