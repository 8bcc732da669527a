"""Making invitations, sending them and taking them back. Callers have checked the manager's right."""

from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import audit
from accounts.doorbell import ring
from accounts.models import Fleet, User
from connect.invitations.models import Invitation
from connect.links import hash_of
from connect.standing.states import Purpose

# A mail server that refuses for longer than this will not take it at all.
_MAIL_PATIENCE = timedelta(days=1)


@transaction.atomic
def invite(*, fleet: Fleet, user: User, by_mail: bool, **options: Any) -> Invitation:
    """Makes an invitation; `options` are columns of Invitation. With `by_mail` its link is sent to the driver."""
    invitation = Invitation(
        fleet=fleet, made_by=user, by_mail=by_mail and bool(options.get("driver_email")), **options
    )
    invitation.secret_hash = hash_of(invitation.secret)
    invitation.save()
    audit.record(fleet=fleet, actor=user, action="invited a driver", target=f"invitation {invitation.pk}")
    if invitation.by_mail:
        ring("connect.tasks.mail_invitation", invitation.pk)
    return invitation


@transaction.atomic
def revoke(*, invitation: Invitation, user: User) -> bool:
    """Takes the invitation back: its link opens nothing any more. False when it was used or revoked before."""
    revoked = invitation.revoke(now=timezone.now())
    if revoked:
        audit.record(
            fleet=invitation.fleet,
            actor=user,
            action="revoked an invitation",
            target=f"invitation {invitation.pk}",
        )
    return revoked


def unmailed() -> list[Invitation]:
    """Open invitations whose e-mail is still to be sent."""
    now = timezone.now()
    waiting = Invitation.objects.filter(
        by_mail=True,
        mailed_at=None,
        used_at=None,
        revoked_at=None,
        expires_at__gt=now,
        created_at__gt=now - _MAIL_PATIENCE,
    )
    return list(waiting.select_related("fleet", "made_by")[:50])


def _subject(invitation: Invitation) -> str:
    asked = {
        Purpose.SIGN_IN: f"to sign in again for {invitation.connection and invitation.connection.vehicle}",
        Purpose.PERMISSIONS: f"to allow more for {invitation.connection and invitation.connection.vehicle}",
        Purpose.BATTERY: f"which battery {invitation.connection and invitation.connection.vehicle} has",
    }
    return f"{invitation.fleet} asks you {asked.get(Purpose(invitation.purpose), 'to share your car')}"


@sensitive_variables()
def mail(*, invitation: Invitation) -> None:
    """Sends the link to the driver, if it was not sent yet; a refusal is kept for the manager and tried again."""
    if invitation.mailed_at is not None or not invitation.open:
        return
    text = render_to_string(
        "connect/invitations/mail.txt", {"invitation": invitation, "fleet": invitation.fleet}
    )
    try:
        send_mail(
            subject=_subject(invitation),
            message=text,
            from_email=None,
            recipient_list=[invitation.driver_email],
        )
    except (SMTPException, OSError) as error:
        # The server's own words may repeat addresses.
        told = {"mail_error": f"The mail server did not take it ({type(error).__name__})."}
        Invitation.objects.filter(pk=invitation.pk).update(**told)
    else:
        Invitation.objects.filter(pk=invitation.pk).update(mailed_at=timezone.now(), mail_error="")
