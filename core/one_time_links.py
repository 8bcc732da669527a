"""One-time links: signed links that work once and expire. Invitations are based on them."""

from datetime import datetime, timedelta
from typing import Self, cast

from django.db import models
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.signed_links import SignedLink, hash_token

LIFETIME = timedelta(days=7)
# How long links that ended are stored, with the names and addresses in their rows.
RETENTION = timedelta(days=90)


def expiry() -> datetime:
    """When a link created now expires."""
    return timezone.now() + LIFETIME


class InvitationState(models.TextChoices):
    OPEN = "open", pgettext_lazy("invitation", "Pending")
    USED = "used", _("Used")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


class OneTimeLink(SignedLink):
    """A signed link that its purpose uses up. Subclasses have a `fleet` and a `created_by`."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(default=expiry)
    used_at = models.DateTimeField(null=True, blank=True)
    by_email = models.BooleanField("sent by email", default=False, db_column="by_mail")

    class Meta:
        abstract = True

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
        """Marks the link as used. False when the link was used or revoked before, or has expired."""
        mine = self._open().filter(pk=self.pk, expires_at__gt=now)
        return mine.update(used_at=now) == 1

    def revoke(self, *, now: datetime) -> bool:
        """Revokes the link. False when the link was used or revoked before."""
        return self._open().filter(pk=self.pk).update(revoked_at=now) == 1

    @classmethod
    def from_token(cls, token: str) -> Self | None:
        """The row with this token in any state, with its fleet and creator."""
        found = cls._default_manager.select_related("fleet", "created_by")
        return found.filter(secret_hash=hash_token(token)).first()

    @classmethod
    def ended_before(cls, moment: datetime) -> models.QuerySet[Self]:
        """The links that were used or revoked, or have expired, before this moment."""
        ended = Least("used_at", "revoked_at", "expires_at")  # ignores NULL
        # Annotated querysets have a type of their own.
        return cast(
            "models.QuerySet[Self]", cls._default_manager.alias(ended_at=ended).filter(ended_at__lt=moment)
        )

    @classmethod
    def _open(cls) -> models.QuerySet[Self]:
        return cls._default_manager.filter(used_at=None, revoked_at=None)
