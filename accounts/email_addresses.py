"""A person's address, as allauth keeps it: always one that counts as theirs, and perhaps one to change to."""

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import User


@transaction.atomic
def sync_primary(*, user: User) -> None:
    """Brings allauth's row in step with `user.email`, which is theirs by whoever made the account or wrote it there.

    Without such a row allauth would take the address for one that is still to be confirmed.
    """
    theirs = EmailAddress.objects.filter(user=user)
    if theirs.filter(email=user.email, verified=True, primary=True).exists():
        return
    theirs.filter(primary=True).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def pending_change(*, user: User) -> str:
    """The address that the person wants to change to and has not confirmed yet, or ""."""
    waiting = EmailAddress.objects.get_new(user)
    return waiting.email if waiting is not None else ""
