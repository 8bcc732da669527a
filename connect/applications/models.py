"""Smartcar applications in addition to the one in the settings, and which fleet uses which.

Columns named `*_ciphertext` are read by connect.applications.registry and written by connect.applications.services
only. An application of None always means the one in the settings.
"""

from django.db import models
from django.utils import timezone

from accounts.models import Fleet


class SmartcarApplication(models.Model):
    """An application in Smartcar's dashboard. Secrets are encrypted; an empty one is not set."""

    name = models.CharField(max_length=80, unique=True)
    application_id = models.CharField("application id", max_length=80, unique=True)
    application_secret_ciphertext = models.BinaryField(default=bytes, editable=False)
    client_id = models.CharField("client id", max_length=80, blank=True)
    client_secret_ciphertext = models.BinaryField(default=bytes, editable=False)
    management_tokens_ciphertext = models.BinaryField(default=bytes, editable=False)
    webhook_id = models.CharField("webhook id", max_length=80, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = "Smartcar application"

    def __str__(self) -> str:
        return self.name


class FleetApplication(models.Model):
    """The application a fleet uses for new connections. A fleet without a row uses the one in the settings."""

    fleet = models.OneToOneField(Fleet, on_delete=models.CASCADE, related_name="application_choice")
    application = models.ForeignKey(SmartcarApplication, on_delete=models.PROTECT, related_name="fleets")
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "fleet's application"

    def __str__(self) -> str:
        return f"{self.fleet} uses {self.application}"
