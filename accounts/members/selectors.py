"""Reading a fleet's members and its invitations."""

from django.db.models import QuerySet

from accounts.models import Fleet, MemberInvitation, Membership, Role, User


def list_members(*, fleet: Fleet) -> QuerySet[Membership]:
    """The fleet's members with their users, by address."""
    return Membership.objects.filter(fleet=fleet).select_related("user", "fleet").order_by("user__email")


def list_pending_invitations(*, fleet: Fleet) -> QuerySet[MemberInvitation]:
    """The invitations that were neither used nor revoked, newest first; some may have expired."""
    waiting = MemberInvitation.objects.filter(fleet=fleet, used_at=None, revoked_at=None)
    return waiting.select_related("fleet", "created_by")


def is_last_owner(*, membership: Membership) -> bool:
    """Whether the fleet would have no owner without this one."""
    if membership.role != Role.OWNER:
        return False
    others = Membership.objects.filter(fleet=membership.fleet_id, role=Role.OWNER, user__is_active=True)
    return not others.exclude(pk=membership.pk).exists()


def get_user_by_email(*, email: str) -> User | None:
    """Who has the address, however it is written."""
    return User.objects.filter(email__iexact=email).first()
