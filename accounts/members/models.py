from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.links import PersonalLink, hash_of
from accounts.models import Fleet, Role, User

LIFETIME = timedelta(days=7)


def expiry() -> datetime:
    """When an invitation made now ends."""
    return timezone.now() + LIFETIME


class InvitationState(models.TextChoices):
    OPEN = "open", _("Open")
    USED = "used", _("Used")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


class MemberInvitation(PersonalLink):
    """An owner's invitation of one person, known by the e-mail address, to a fleet. Its link works once."""

    view = "accounts:invitation"

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="member_invitations")
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    email = models.EmailField("e-mail")
    role = models.CharField(max_length=8, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(default=expiry)
    used_at = models.DateTimeField(null=True, blank=True)
    by_mail = models.BooleanField("sent by e-mail", default=False)
    mailed_at = models.DateTimeField(null=True, blank=True)
    mail_error = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["fleet", "email"],
                condition=models.Q(used_at=None, revoked_at=None),
                name="accounts_invitation_once",
            )
        ]

    def __str__(self) -> str:
        return f"Invitation of {self.email} to {self.fleet}"

    @property
    def state(self) -> InvitationState:
        if self.used_at is not None:
            return InvitationState.USED
        if self.revoked_at is not None:
            return InvitationState.REVOKED
        return InvitationState.EXPIRED if self.expires_at <= timezone.now() else InvitationState.OPEN

    @property
    def open(self) -> bool:
        return self.state is InvitationState.OPEN

    def use(self, *, now: datetime) -> bool:
        """Spends the invitation. False when it was spent before, was revoked or is too old."""
        mine = MemberInvitation.objects.filter(pk=self.pk, used_at=None, revoked_at=None, expires_at__gt=now)
        return mine.update(used_at=now) == 1

    @classmethod
    def of_secret(cls, secret: str) -> "MemberInvitation | None":
        """The invitation that this link opens, whatever its state, with its fleet."""
        found = cls.objects.select_related("fleet", "made_by")
        return found.filter(secret_hash=hash_of(secret)).first()
