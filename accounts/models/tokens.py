"""API tokens. Each belongs to one user and one fleet, and has that user's current permissions there."""

from django.db import models
from django.utils import timezone

from accounts.models.fleets import Fleet
from accounts.models.users import User


class ApiToken(models.Model):
    """An API token. Only its hash is stored; `prefix` is its beginning, to recognize it by.

    A token can read; with `may_command` it can also send commands, if its user may.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12)
    secret_hash = models.CharField(max_length=64, unique=True)
    may_command = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def state(self) -> str:
        """`open`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return "open"
