"""Making invitations, sending them and taking them back. Callers have checked the manager's right."""

from smtplib import SMTPException
from typing import Any

from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, User
from connect import stored_messages
from connect.driver_language import activate
from connect.models import Connection, DriverPortal, Invitation
from connect.status.states import AuthorizationPurpose
from core.signed_links import hash_token
from core.task_queue import enqueue_on_commit


@transaction.atomic
def invite(*, fleet: Fleet, user: User, by_mail: bool, **options: Any) -> Invitation:
    """Makes an invitation; `options` are columns of Invitation. With `by_mail` its link is sent to the driver.

    About a connection it speaks the language of that driver's page, unless `options` name one.
    """
    invitation = Invitation(
        fleet=fleet, created_by=user, by_mail=by_mail and bool(options.get("driver_email")), **options
    )
    invitation.language = invitation.language or _language_of(invitation.connection)
    invitation.secret_hash = hash_token(invitation.secret)
    invitation.save()
    log_event(
        fleet=fleet,
        actor=user,
        event=AuditEvent.DRIVER_INVITED,
        about=(AuditObject.INVITATION, invitation.pk),
        data={"name": invitation.driver_name},
    )
    if invitation.by_mail:
        enqueue_on_commit("connect.tasks.mail_invitation", invitation.pk)
    return invitation


def _language_of(connection: Connection | None) -> str:
    if connection is None:
        return ""
    pages = DriverPortal.objects.filter(
        fleet=connection.fleet_id, smartcar_user_id=connection.smartcar_user_id
    )
    return pages.values_list("language", flat=True).first() or ""


@transaction.atomic
def revoke(*, invitation: Invitation, user: User) -> bool:
    """Takes the invitation back: its link opens nothing any more. False when it was used or revoked before."""
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


def unmailed() -> list[Invitation]:
    """Open invitations whose e-mail is still to be sent."""
    return list(Invitation.unmailed().select_related("fleet", "created_by")[:50])


def _subject(invitation: Invitation) -> str:
    asked = {
        AuthorizationPurpose.SIGN_IN: _("%(fleet)s asks you to sign in again for %(car)s"),
        AuthorizationPurpose.PERMISSIONS: _("%(fleet)s asks you to allow more for %(car)s"),
        AuthorizationPurpose.BATTERY: _("%(fleet)s asks you which battery %(car)s has"),
    }
    sentence = asked.get(AuthorizationPurpose(invitation.purpose), _("%(fleet)s asks you to share your car"))
    return sentence % {
        "fleet": invitation.fleet,
        "car": invitation.connection and invitation.connection.vehicle,
    }


@sensitive_variables()
def _email_body(invitation: Invitation) -> tuple[str, str]:
    """Subject and text, in the language chosen for the driver."""
    told = {"invitation": invitation, "fleet": invitation.fleet}
    with activate(invitation.language):
        return _subject(invitation), render_to_string("connect/invitations/mail.txt", told)


@sensitive_variables()
def mail(*, invitation: Invitation) -> None:
    """Sends the link to the driver, if it was not sent yet; a refusal is kept for the manager and tried again."""
    if invitation.mailed_at is not None or not invitation.open:
        return
    subject, text = _email_body(invitation)
    try:
        send_mail(
            subject=subject,
            message=text,
            from_email=None,
            recipient_list=[invitation.driver_email],
        )
    except (SMTPException, OSError) as error:
        # The server's own words may repeat addresses.
        told = {"mail_error": stored_messages.MAIL_REFUSED % {"reason": type(error).__name__}}
        Invitation.objects.filter(pk=invitation.pk).update(**told)
    else:
        Invitation.objects.filter(pk=invitation.pk).update(mailed_at=timezone.now(), mail_error="")
