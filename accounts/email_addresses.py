"""A user's email address in allauth's table: always a verified primary one, and optionally a pending change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.db import transaction

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def sync_primary(*, user: User) -> None:
    """Syncs allauth's row with `user.email`, which counts as verified however it was set.

    Without such a row, allauth would treat the address as unverified.
    """
    addresses = EmailAddress.objects.filter(user=user)
    if addresses.filter(email=user.email, verified=True, primary=True).exists():
        return
    addresses.filter(primary=True).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def pending_change(*, user: User) -> str:
    """Returns the new address that the user hasn't confirmed yet, or ""."""
    pending = EmailAddress.objects.get_new(user)
    return pending.email if pending is not None else ""
