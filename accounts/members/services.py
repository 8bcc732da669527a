"""Inviting people to a fleet, taking them in, changing their role, and removing them.

Callers have checked that whoever does it may.
"""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.members.emails import queue_invitation
from accounts.members.selectors import is_last_owner
from accounts.models import Fleet, MemberInvitation, Membership, Role, User
from accounts.services import add_member
from core.one_time_links import expiry
from core.signed_links import hash_token, new_nonce


class MemberError(Exception):
    """It cannot be done; str() says why and what to do, fit for people."""


@transaction.atomic
@sensitive_variables()
def invite_member(*, fleet: Fleet, user: User, email: str, role: Role, language: str) -> MemberInvitation:
    """Invites a person by e-mail; where the site sends none, the owner passes the link on.

    Raises MemberError for a member, and for whoever is invited already.
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
    """A new link for the same invitation, for seven days more; the former one ends.

    Raises MemberError when the invitation is over.
    """
    mine = MemberInvitation.objects.select_for_update().filter(used_at=None, revoked_at=None)
    found = mine.filter(pk=invitation.pk).first()
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
    """Takes the invitation back: its link opens nothing any more. False when it was used or revoked before."""
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
    """Makes the invited person a member, and spends the invitation. Who is one already keeps the role.

    Raises MemberError for anybody else, and when the invitation is over.
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
    """A new person's account, and the membership. Raises MemberError when the invitation is over or they have one."""
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
    """Gives the member another role. Raises MemberError where the fleet would be left without an owner."""
    member = _lock_owners(membership)
    if member is None:
        raise MemberError(_("This person is no longer a member."))
    if role != Role.OWNER and is_last_owner(membership=member):
        raise MemberError(_("A fleet needs at least one owner. Make another member an owner first."))
    add_member(fleet=member.fleet, user=member.user, role=role, actor=user)


@transaction.atomic
def remove_member(*, membership: Membership, user: User) -> None:
    """Ends the membership at once, and with it the member's API tokens for this fleet.

    Raises MemberError where the fleet would be left without an owner.
    """
    member = _lock_owners(membership)
    if member is None:
        return
    if is_last_owner(membership=member):
        raise MemberError(_("A fleet needs at least one owner. Make another member an owner first."))
    person, fleet = member.user, member.fleet
    member.delete()
    log_event(
        fleet=fleet,
        actor=user,
        event=AuditEvent.MEMBER_REMOVED,
        about=(AuditObject.MEMBER, person.pk),
        data={"name": person.email},
    )


def _lock_owners(membership: Membership) -> Membership | None:
    """The membership as it is now. The fleet's owners are locked, so that two of them don't remove each other."""
    owners = Membership.objects.filter(fleet=membership.fleet_id, role=Role.OWNER).order_by("pk")
    list(owners.select_for_update().values_list("pk", flat=True))
    found = Membership.objects.select_related("fleet", "user").filter(pk=membership.pk)
    return found.first()
