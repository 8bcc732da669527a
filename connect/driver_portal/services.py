"""A driver's page: making it, sending its link, closing it or making it anew; and the end of sharing a car."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import User
from connect.driver_language import activate
from connect.driver_portal.models import DriverPortal
from connect.models import Connection, ConnectionState, Invitation, OffboardingRequest
from connect.offboarding import services as removal
from connect.offboarding.models import ErasureScope
from core.signed_links import hash_token
from core.task_queue import enqueue_on_commit

_MAIL_PATIENCE = timedelta(days=1)


@transaction.atomic
def portal_after_authorization(
    *, invitation: Invitation, smartcar_user_id: str, language: str = ""
) -> DriverPortal:
    """The page of the driver who came back by this invitation: theirs, or a new one.

    `language` is the one in which they were spoken to on the way; a page that has one keeps it. Its link is mailed if
    the invitation was.
    """
    page = DriverPortal.objects.filter(
        fleet=invitation.fleet, smartcar_user_id=smartcar_user_id, revoked_at=None
    ).first()
    if page is None:
        page = DriverPortal(fleet=invitation.fleet, smartcar_user_id=smartcar_user_id)
        page.secret_hash = hash_token(page.secret)
    page.driver_name = invitation.driver_name
    page.driver_email = invitation.driver_email
    page.language = page.language or language
    if invitation.by_mail and settings.EMAIL_ENABLED:
        page.mail_wanted_at, page.mailed_at = timezone.now(), None
    page.save()
    if page.mail_wanted_at is not None and page.mailed_at is None:
        enqueue_on_commit("connect.tasks.mail_driver_page", page.pk)
    return page


def choose_language(*, page: DriverPortal, language: str) -> None:
    """The page and its e-mails are in this language from now on, by the driver's word."""
    DriverPortal.objects.filter(pk=page.pk).update(language=language)


def close(*, page: DriverPortal) -> None:
    """Closes the link, by its holder. What is shared stays as it is; a new invitation brings a new link."""
    DriverPortal.objects.filter(pk=page.pk, revoked_at=None).update(revoked_at=timezone.now())


def unmailed() -> list[DriverPortal]:
    """Pages whose link is still to be sent."""
    since = timezone.now() - _MAIL_PATIENCE
    waiting = DriverPortal.objects.filter(mail_wanted_at__gt=since, mailed_at=None, revoked_at=None)
    return list(waiting.select_related("fleet")[:50])


@sensitive_variables()
def mail(*, page: DriverPortal) -> None:
    """Sends the driver the link of their page, if that is still to be done. A refusal leaves it to the sweeper."""
    if page.mail_wanted_at is None or page.mailed_at is not None or page.revoked_at is not None:
        return
    with activate(page.language):
        text = render_to_string("connect/driver_portal/mail.txt", {"page": page, "fleet": page.fleet})
        subject = _("What you share with %(fleet)s") % {"fleet": page.fleet}
    try:
        send_mail(
            subject=subject,
            message=text,
            from_email=None,
            recipient_list=[page.driver_email],
        )
    except (SMTPException, OSError):
        return
    DriverPortal.objects.filter(pk=page.pk).update(mailed_at=timezone.now())


def withdraw(*, connection: Connection, extent: ErasureScope) -> OffboardingRequest:
    """Ends the sharing of a car, by its driver: here at once, at Smartcar as soon as it answers.

    The driver also says what is erased of what was recorded: it rests on their consent, so they may have all of it
    erased; the ledger of commands stays, without places, as the record of who acted on the car.
    Raises connect.offboarding.services.NothingToOffboardError.
    """
    return removal.offboard_connection(connection=connection, extent=extent, user=None)


@transaction.atomic
def renew(*, page: DriverPortal, user: User, by_mail: bool) -> DriverPortal:
    """Closes a driver's page and makes a new one for the same driver, by a manager: the old link is in other hands.

    The new link is mailed with `by_mail` where there is an address; else the manager passes it on.
    """
    revoke(page=page, user=user)
    again = DriverPortal(
        fleet=page.fleet,
        smartcar_user_id=page.smartcar_user_id,
        driver_name=page.driver_name,
        driver_email=page.driver_email,
        language=page.language,
    )
    again.secret_hash = hash_token(again.secret)
    if by_mail and page.driver_email and settings.EMAIL_ENABLED:
        again.mail_wanted_at = timezone.now()
    again.save()
    log_event(
        fleet=page.fleet,
        actor=user,
        event=AuditEvent.DRIVER_PORTAL_RENEWED,
        about=(AuditObject.DRIVER_PORTAL, again.pk),
        data={"name": again.driver_name},
    )
    if again.mail_wanted_at is not None:
        enqueue_on_commit("connect.tasks.mail_driver_page", again.pk)
    return again


@transaction.atomic
def revoke(*, page: DriverPortal, user: User) -> bool:
    """Closes a driver's page, by a manager. What is shared stays as it is. False when it was closed before."""
    held = DriverPortal.objects.filter(pk=page.pk, revoked_at=None)
    closed = held.update(revoked_at=timezone.now()) == 1
    if closed:
        log_event(
            fleet=page.fleet,
            actor=user,
            event=AuditEvent.DRIVER_PORTAL_CLOSED,
            about=(AuditObject.DRIVER_PORTAL, page.pk),
            data={"name": page.driver_name},
        )
    return closed


@dataclass(frozen=True, slots=True)
class DriverSharing:
    """A driver's page with what they share."""

    page: DriverPortal
    cars: list[Connection]


def portals_with_vehicles(pages: Iterable[DriverPortal]) -> list[DriverSharing]:
    """The pages of one fleet with the cars that their drivers share now, in one more query."""
    pages = list(pages)
    shared: dict[str, list[Connection]] = {}
    owners = {page.smartcar_user_id for page in pages}
    alive = Connection.objects.filter(
        fleet__in={page.fleet_id for page in pages}, smartcar_user_id__in=owners
    ).exclude(state=ConnectionState.REMOVED)
    for connection in alive.select_related("vehicle"):
        shared.setdefault(connection.smartcar_user_id, []).append(connection)
    return [DriverSharing(page, shared.get(page.smartcar_user_id, [])) for page in pages]
