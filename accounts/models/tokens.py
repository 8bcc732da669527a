"""API tokens. Each gives access to one fleet: on behalf of a user, or as a service account of the fleet."""

from django.db import models
from django.utils import timezone

from accounts.models.fleets import Fleet
from accounts.models.users import User


class ApiToken(models.Model):
    """An API token. Only its hash is stored; `prefix` is its beginning, to recognize it by.

    A user's token has the user's current permissions in the fleet: it can read, and with `may_command` also send
    commands. A token without a user is a service account with `scopes` (accounts.tokens.scopes).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="api_tokens")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    scopes = models.JSONField(default=list, blank=True, db_default=[])
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
    def is_service_account(self) -> bool:
        """Whether the token belongs to the fleet instead of a user."""
        return self.user_id is None

    @property
    def state(self) -> str:
        """`open`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return "open"
