"""A driver's page: making it, sending its link, closing it; and the end of sharing a car."""

from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import audit
from accounts.doorbell import ring
from connect import gateway, vault
from connect.driver import privacy
from connect.driver.models import DriverPage
from connect.gateway import Purpose
from connect.links import hash_of
from connect.models import Connection, ConnectionState, Invitation
from connect.smartcar import SmartcarError

_MAIL_PATIENCE = timedelta(days=1)


class NotWithdrawnError(Exception):
    """Smartcar could not be told; nothing was changed. str() says why, fit for people."""


@transaction.atomic
def page_after(*, invitation: Invitation, smartcar_user_id: str) -> DriverPage:
    """The page of the driver who came back by this invitation: theirs, or a new one.

    Its link is mailed if the invitation was.
    """
    page = DriverPage.objects.filter(
        fleet=invitation.fleet, smartcar_user_id=smartcar_user_id, revoked_at=None
    ).first()
    if page is None:
        page = DriverPage(fleet=invitation.fleet, smartcar_user_id=smartcar_user_id)
        page.secret_hash = hash_of(page.secret)
    page.driver_name = invitation.driver_name
    page.driver_email = invitation.driver_email
    if invitation.by_mail and settings.EMAIL_OFFERED:
        page.mail_wanted_at, page.mailed_at = timezone.now(), None
    page.save()
    if page.mail_wanted_at is not None and page.mailed_at is None:
        ring("connect.tasks.mail_driver_page", page.pk)
    return page


def close(*, page: DriverPage) -> None:
    """Closes the link, by its holder. What is shared stays as it is; a new invitation brings a new link."""
    DriverPage.objects.filter(pk=page.pk, revoked_at=None).update(revoked_at=timezone.now())


def unmailed() -> list[DriverPage]:
    """Pages whose link is still to be sent."""
    since = timezone.now() - _MAIL_PATIENCE
    waiting = DriverPage.objects.filter(mail_wanted_at__gt=since, mailed_at=None, revoked_at=None)
    return list(waiting.select_related("fleet")[:50])


@sensitive_variables()
def mail(*, page: DriverPage) -> None:
    """Sends the driver the link of their page, if that is still to be done. A refusal leaves it to the sweeper."""
    if page.mail_wanted_at is None or page.mailed_at is not None or page.revoked_at is not None:
        return
    text = render_to_string("connect/driver/mail.txt", {"page": page, "fleet": page.fleet})
    try:
        send_mail(
            subject=f"What you share with {page.fleet}",
            message=text,
            from_email=None,
            recipient_list=[page.driver_email],
        )
    except (SMTPException, OSError):
        return
    DriverPage.objects.filter(pk=page.pk).update(mailed_at=timezone.now())


def withdraw(*, connection: Connection) -> bool:
    """Ends the sharing of a car, by its driver: at Smartcar and here. What was recorded stays with the fleet.

    False when the grant at Smartcar was left alone, because the driver shares the car with another fleet of the
    site by the same grant. Raises NotWithdrawnError.
    """
    alone = not _shared_elsewhere(connection)
    if alone:
        _end_grant(connection)
    with transaction.atomic():
        now = timezone.now()
        privacy.resume(connection=connection, now=now)
        if connection.move_to(ConnectionState.REMOVED, cause="Withdrawn by the driver.", now=now):
            audit.record(
                fleet=connection.fleet,
                actor=None,
                action="driver withdrew a car",
                target=connection.vehicle.smartcar_id,
            )
    return alone


def _shared_elsewhere(connection: Connection) -> bool:
    same_grant = Connection.objects.filter(
        smartcar_user_id=connection.smartcar_user_id,
        application=connection.application_id,
        vehicle__smartcar_id=connection.vehicle.smartcar_id,
    )
    return same_grant.exclude(pk=connection.pk).exclude(state=ConnectionState.REMOVED).exists()


def _end_grant(connection: Connection) -> None:
    try:
        gateway.call(
            connection=connection,
            purpose=Purpose.PERSON,
            make=lambda api, access: api.disconnect(
                access,
                vehicle_id=connection.vehicle.smartcar_id,
                connection_id=connection.smartcar_connection_id,
            ),
        )
    except vault.TokensUnavailableError as error:
        if connection.tokens is None or connection.tokens.reread().revoked_at is not None:
            return  # Smartcar had ended the grant before.
        raise NotWithdrawnError(str(error)) from error
    except SmartcarError as error:
        if error.type == "invalid_grant":
            return
        raise NotWithdrawnError(error.for_people) from error
