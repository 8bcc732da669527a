"""Inviting members to a fleet, accepting invitations, changing roles, and removing members.

Callers check permissions.
"""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.members.departures import end_membership, end_permissions
from accounts.members.emails import queue_invitation
from accounts.members.selectors import is_last_owner
from accounts.models import Fleet, MemberInvitation, Membership, Role, User
from accounts.permissions import lost_permissions
from accounts.services import add_member
from core.one_time_links import expiry
from core.signed_links import hash_token, new_nonce


class MemberError(Exception):
    """The action isn't possible. str() explains why and what to do, for users."""


@transaction.atomic
@sensitive_variables()
def invite_member(*, fleet: Fleet, user: User, email: str, role: Role, language: str) -> MemberInvitation:
    """Invites a person by email. Without outgoing email, the owner passes the link on.

    Raises MemberError if the person is already a member or already invited.
    """
    email = User.objects.normalize_email(email)
    if Membership.objects.filter(fleet=fleet, user__email__iexact=email).exists():
        raise MemberError(_("This person is already a member. Change the role in the list of members."))
    invitation = MemberInvitation(
        fleet=fleet,
        created_by=user,
        email=email,
        role=role,
        language=language,
        by_email=settings.EMAIL_ENABLED,
    )
    invitation.secret_hash = hash_token(invitation.secret)
    try:
        with transaction.atomic():
            invitation.save()
    except IntegrityError:
        raise MemberError(
            _("This person is already invited. Resend the invitation, or revoke it first.")
        ) from None
    log_event(
        fleet=fleet,
        actor=user,
        event=AuditEvent.MEMBER_INVITED,
        about=(AuditObject.MEMBER_INVITATION, invitation.pk),
        data={"name": email, "role": role.value},
    )
    queue_invitation(invitation=invitation, user=user)
    return invitation


@transaction.atomic
@sensitive_variables()
def resend_invitation(*, invitation: MemberInvitation, user: User) -> MemberInvitation:
    """Renews the invitation with a new link, valid for seven days; the old link stops working.

    Raises MemberError if the invitation was used or revoked.
    """
    pending = MemberInvitation.objects.select_for_update().filter(used_at=None, revoked_at=None)
    found = pending.filter(pk=invitation.pk).first()
    if found is None:
        raise MemberError(_("The invitation was already used or revoked."))
    found.nonce, found.expires_at = new_nonce(), expiry()
    found.secret_hash = hash_token(found.secret)
    found.created_at, found.by_email = timezone.now(), settings.EMAIL_ENABLED
    found.save()
    log_event(
        fleet=found.fleet,
        actor=user,
        event=AuditEvent.MEMBER_INVITATION_RESENT,
        about=(AuditObject.MEMBER_INVITATION, found.pk),
        data={"name": found.email},
    )
    queue_invitation(invitation=found, user=user)
    return found


@transaction.atomic
def revoke_invitation(*, invitation: MemberInvitation, user: User) -> bool:
    """Revokes the invitation, so that its link stops working. Returns False if it was already used or revoked."""
    if not invitation.revoke(now=timezone.now()):
        return False
    log_event(
        fleet=invitation.fleet,
        actor=user,
        event=AuditEvent.MEMBER_INVITATION_REVOKED,
        about=(AuditObject.MEMBER_INVITATION, invitation.pk),
        data={"name": invitation.email},
    )
    return True


@transaction.atomic
def accept_invitation(*, invitation: MemberInvitation, user: User) -> Membership:
    """Makes the invited user a member and marks the invitation as used. An existing member keeps their role.

    Raises MemberError for any other user, or if the invitation is no longer valid.
    """
    if user.email.lower() != invitation.email.lower():
        raise MemberError(_("This invitation is for a different email address."))
    if not invitation.use(now=timezone.now()):
        raise MemberError(
            _("This invitation is no longer valid. Ask the person who invited you for a new one.")
        )
    known = Membership.objects.filter(fleet=invitation.fleet, user=user).first()
    if known is not None:
        return known
    return add_member(fleet=invitation.fleet, user=user, role=Role(invitation.role), actor=user)


@transaction.atomic
@sensitive_variables("password")
def sign_up_from_invitation(
    *, invitation: MemberInvitation, first_name: str, last_name: str, password: str, language: str
) -> User:
    """Creates the account and the membership. Raises MemberError if the invitation is invalid or the account exists."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                invitation.email, password, first_name=first_name, last_name=last_name, language=language
            )
    except IntegrityError:
        raise MemberError(_("You already have an account. Sign in to accept the invitation.")) from None
    accept_invitation(invitation=invitation, user=user)
    return user


@transaction.atomic
def change_role(*, membership: Membership, role: Role, user: User) -> None:
    """Changes the member's role, and ends what the new role doesn't allow: API tokens and unsent commands.

    Raises MemberError if the fleet would have no owner left.
    """
    member = lock_owners(membership)
    if member is None:
        raise MemberError(_("This person is no longer a member."))
    if role != Role.OWNER and is_last_owner(membership=member):
        raise MemberError(_("A fleet needs at least one owner. Make another member an owner first."))
    lost = lost_permissions(before=member.role, after=role)
    add_member(fleet=member.fleet, user=member.user, role=role, actor=user)
    end_permissions(fleet=member.fleet, user=member.user, lost=lost, actor=user)


@transaction.atomic
def remove_member(*, membership: Membership, user: User) -> None:
    """Ends the membership immediately, revokes the member's API tokens for the fleet, and cancels unsent commands.

    Raises MemberError if the fleet would have no owner left.
    """
    member = lock_owners(membership)
    if member is None:
        return
    if is_last_owner(membership=member):
        raise MemberError(_("A fleet needs at least one owner. Make another member an owner first."))
    removed_user, fleet = member.user, member.fleet
    end_membership(membership=member, actor=user)
    log_event(
        fleet=fleet,
        actor=user,
        event=AuditEvent.MEMBER_REMOVED,
        about=(AuditObject.MEMBER, removed_user.pk),
        data={"name": removed_user.email},
    )


def lock_owners(membership: Membership) -> Membership | None:
    """Returns the current membership, with the fleet's owners locked so that two owners can't remove each other."""
    owners = Membership.objects.filter(fleet=membership.fleet_id, role=Role.OWNER).order_by("pk")
    list(owners.select_for_update().values_list("pk", flat=True))
    found = Membership.objects.select_related("fleet", "user").filter(pk=membership.pk)
    return found.first()
