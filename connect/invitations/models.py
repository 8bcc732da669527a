"""Invitations of drivers."""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.links import PersonalLink, hash_of
from accounts.models import Fleet, User
from connect.standing.states import Purpose

LIFETIME = timedelta(days=7)
# Stands for the name of a driver whom the fleet knows by none.
NAMELESS = gettext_noop("driver")


def _expiry() -> datetime:
    return timezone.now() + LIFETIME


class InvitationState(models.TextChoices):
    OPEN = "open", pgettext_lazy("invitation", "Open")
    USED = "used", _("Used")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


class Invitation(PersonalLink):
    """A manager's question to one driver. Its link works until what it asks for is done.

    It asks to share a car, or, with a `connection`, for something about a car that was shared: see Purpose.
    """

    view = "connect:invitation"

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="invitations")
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.CONNECT)
    connection = models.ForeignKey(
        "connect.Connection", on_delete=models.CASCADE, null=True, blank=True, related_name="invitations"
    )
    driver_name = models.CharField("driver's name", max_length=80)
    driver_email = models.EmailField("driver's e-mail", blank=True)
    scopes = ArrayField(models.CharField(max_length=60))
    mode = models.CharField(max_length=10)
    make = models.CharField(max_length=40, blank=True)
    single_select = models.BooleanField(default=False)
    vin = models.CharField("VIN", max_length=17, blank=True)
    country = models.CharField(max_length=2, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(default=_expiry)
    used_at = models.DateTimeField(null=True, blank=True)
    by_mail = models.BooleanField("sent by e-mail", default=False)
    mailed_at = models.DateTimeField(null=True, blank=True)
    mail_error = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Invitation of {self.driver_name} to {self.fleet}"

    @property
    def called(self) -> str:
        """The driver's name, or what stands for it, in the active language."""
        return gettext(NAMELESS) if self.driver_name == NAMELESS else self.driver_name

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
        mine = Invitation.objects.filter(pk=self.pk, used_at=None, revoked_at=None, expires_at__gt=now)
        return mine.update(used_at=now) == 1

    def revoke(self, *, now: datetime) -> bool:
        """Ends the invitation. False when it was used or revoked before."""
        mine = Invitation.objects.filter(pk=self.pk, used_at=None, revoked_at=None)
        return mine.update(revoked_at=now) == 1

    @classmethod
    def of_secret(cls, secret: str) -> "Invitation | None":
        """The invitation that this link opens, whatever its state, with its fleet."""
        found = cls.objects.select_related("fleet", "made_by")
        return found.filter(secret_hash=hash_of(secret)).first()
