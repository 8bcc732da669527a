"""Queries for a fleet's members and invitations."""

from django.db.models import QuerySet

from accounts.models import Fleet, MemberInvitation, Membership, Role, User


def list_members(*, fleet: Fleet) -> QuerySet[Membership]:
    """Returns the fleet's members with their users, ordered by email address."""
    return Membership.objects.filter(fleet=fleet).select_related("user", "fleet").order_by("user__email")


def list_pending_invitations(*, fleet: Fleet) -> QuerySet[MemberInvitation]:
    """Returns the invitations that were neither used nor revoked, newest first. Some may have expired."""
    pending = MemberInvitation.objects.filter(fleet=fleet, used_at=None, revoked_at=None)
    return pending.select_related("fleet", "created_by")


def is_last_owner(*, membership: Membership) -> bool:
    """Whether the membership is the fleet's last one of an active owner."""
    if membership.role != Role.OWNER:
        return False
    others = Membership.objects.filter(fleet=membership.fleet_id, role=Role.OWNER, user__is_active=True)
    return not others.exclude(pk=membership.pk).exists()


def get_user_by_email(*, email: str) -> User | None:
    """Returns the user with this address, ignoring case, or None."""
    return User.objects.filter(email__iexact=email).first()
