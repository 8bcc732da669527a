"""Deactivating users, who then can't sign in. Staff do this in the admin."""

from django.db import transaction

from accounts import sessions
from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.members.departures import end_permissions
from accounts.models import Membership, User
from accounts.permissions import Permission


@transaction.atomic
def deactivate_user(*, user: User, actor: User) -> None:
    """Deactivates the user, ends their sessions, revokes their API tokens and cancels their unsent commands.

    Their memberships remain. The caller has checked that no fleet loses its last owner.
    """
    user.is_active = False
    user.save(update_fields=["is_active"])
    sessions.revoke_others(user=user, here=None)
    for membership in _memberships(user):
        fleet = membership.fleet
        _log(membership, AuditEvent.MEMBER_DEACTIVATED, actor)
        end_permissions(fleet=fleet, user=user, lost=frozenset(Permission), actor=actor)


@transaction.atomic
def reactivate_user(*, user: User, actor: User) -> None:
    """Lets the user sign in again, with the roles from before. Revoked tokens stay revoked."""
    user.is_active = True
    user.save(update_fields=["is_active"])
    for membership in _memberships(user):
        _log(membership, AuditEvent.MEMBER_REACTIVATED, actor)


def _memberships(user: User) -> list[Membership]:
    # Issuing a token locks the membership, too.
    rows = Membership.objects.filter(user=user).select_related("fleet").order_by("pk")
    return list(rows.select_for_update(of=("self",)))


def _log(membership: Membership, event: AuditEvent, actor: User) -> None:
    log_event(
        fleet=membership.fleet,
        actor=actor,
        event=event,
        about=(AuditObject.MEMBER, membership.user_id),
        data={"name": membership.user.email},
    )
