from django.db import models
from django.utils import timezone

from accounts.models import User


class Kind(models.TextChoices):
    """What a letter is about. The values are allauth's names."""

    PASSWORD_RESET = "password_reset_key", "Password reset"
    CONFIRM_ADDRESS = "email_confirmation", "Address to confirm"
    ADDRESS_CHANGED = "email_changed", "Address changed"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    PASSWORD_SET = "password_set", "Password set"
    PASSWORD_WAS_RESET = "password_reset", "Password was reset"
    TOTP_ON = "totp_activated", "Authenticator app added"
    TOTP_OFF = "totp_deactivated", "Authenticator app removed"
    RECOVERY_CODES = "recovery_codes_generated", "New recovery codes"
    PASSKEY_ADDED = "webauthn_added", "Passkey added"
    PASSKEY_REMOVED = "webauthn_removed", "Passkey removed"


class Letter(models.Model):
    """An e-mail about a person's account, to be sent by a worker. What is secret in it is made only then.

    `told` is what it says besides: `ip` and `user_agent` of whoever did it, and `to_email`, the new address.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=40, choices=Kind.choices)
    address = models.EmailField()
    language = models.CharField(max_length=10, blank=True)
    told = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["created_at"], name="accounts_letter_unsent", condition=models.Q(sent_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.user}"
