"""Creating and revoking drivers' invitations. Callers have checked the manager's permission."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, User
from connect.emails import queue_invitation
from connect.models import Connection, DriverPortal, Invitation
from core.signed_links import hash_token


@transaction.atomic
def invite(*, fleet: Fleet, user: User | None, by_email: bool, **options: Any) -> Invitation:
    """Creates an invitation; `options` are fields of Invitation. With `by_email`, its link is sent to the driver.

    The default language of an invitation with a connection is that of the driver's portal. Without a `user`, it is one
    of the fleet's automatic requests (connect.reminders).
    """
    invitation = Invitation(
        fleet=fleet,
        created_by=user,
        automatic=user is None,
        by_email=by_email and bool(options.get("driver_email")),
        **options,
    )
    invitation.language = invitation.language or _portal_language(invitation.connection)
    invitation.secret_hash = hash_token(invitation.secret)
    invitation.save()
    log_event(
        fleet=fleet,
        actor=user,
        event=AuditEvent.DRIVER_INVITED,
        about=(AuditObject.INVITATION, invitation.pk),
        data={"name": invitation.driver_name},
    )
    if invitation.by_email:
        queue_invitation(invitation=invitation, user=user)
    return invitation


def _portal_language(connection: Connection | None) -> str:
    if connection is None:
        return ""
    pages = DriverPortal.objects.filter(
        fleet=connection.fleet_id, smartcar_user_id=connection.smartcar_user_id
    )
    return pages.values_list("language", flat=True).first() or ""


@transaction.atomic
def revoke(*, invitation: Invitation, user: User) -> bool:
    """Revokes the invitation: its link no longer works. Returns False if it was used or revoked before."""
    revoked = invitation.revoke(now=timezone.now())
    if revoked:
        log_event(
            fleet=invitation.fleet,
            actor=user,
            event=AuditEvent.DRIVER_INVITATION_REVOKED,
            about=(AuditObject.INVITATION, invitation.pk),
            data={"name": invitation.driver_name},
        )
    return revoked
