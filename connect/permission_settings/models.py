"""The permissions that a fleet chose to request."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models import Fleet


class PermissionSettings(models.Model):
    """The permissions that a fleet requests from drivers. A fleet without a row requests FLEET_SCOPES."""

    fleet = models.OneToOneField(Fleet, on_delete=models.CASCADE, related_name="permission_settings")
    scopes = ArrayField(models.CharField(max_length=60))
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "permission settings"

    def __str__(self) -> str:
        return f"Permissions of {self.fleet}"
