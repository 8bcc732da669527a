"""Failed attempts to prove one's identity."""

from django.db import models

from accounts.models.users import User


class AttemptCount(models.Model):
    """How often a user's identity was attempted to be proven in vain since `since` (accounts.attempts).

    `scope` is what the attempts count against: one limit each.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=64)
    attempts = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "scope"], name="accounts_attempts_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.attempts} ({self.scope})"
