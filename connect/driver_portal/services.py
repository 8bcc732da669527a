"""A driver's page: making it, sending its link, closing it or making it anew; and the end of sharing a car."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import User
from connect.driver_portal.models import DriverPortal
from connect.emails import DRIVER_PORTAL, queue_portal_link, with_emails
from connect.models import Connection, ConnectionState, Invitation, OffboardingRequest
from connect.offboarding import services as removal
from connect.offboarding.models import ErasureScope
from core.mail.models import OutgoingEmail
from core.signed_links import hash_token


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
    page.save()
    if invitation.by_email:
        queue_portal_link(page=page, user=invitation.created_by)
    return page


def choose_language(*, page: DriverPortal, language: str) -> None:
    """The page and its e-mails are in this language from now on, by the driver's word."""
    DriverPortal.objects.filter(pk=page.pk).update(language=language)


def close(*, page: DriverPortal) -> None:
    """Closes the link, by its holder. What is shared stays as it is; a new invitation brings a new link."""
    DriverPortal.objects.filter(pk=page.pk, revoked_at=None).update(revoked_at=timezone.now())


def withdraw(*, connection: Connection, extent: ErasureScope) -> OffboardingRequest:
    """Ends the sharing of a car, by its driver: here at once, at Smartcar as soon as it answers.

    The driver also says what is erased of what was recorded: it rests on their consent, so they may have all of it
    erased; the ledger of commands stays, without places, as the record of who acted on the car.
    Raises connect.offboarding.services.NothingToOffboardError.
    """
    return removal.offboard_connection(connection=connection, extent=extent, user=None)


@transaction.atomic
def renew(*, page: DriverPortal, user: User, by_email: bool) -> DriverPortal:
    """Closes a driver's page and makes a new one for the same driver, by a manager: the old link is in other hands.

    The new link is mailed with `by_email` where there is an address; else the manager passes it on.
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
    again.save()
    log_event(
        fleet=page.fleet,
        actor=user,
        event=AuditEvent.DRIVER_PORTAL_RENEWED,
        about=(AuditObject.DRIVER_PORTAL, again.pk),
        data={"name": again.driver_name},
    )
    if by_email and again.driver_email:
        queue_portal_link(page=again, user=user)
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
    email: OutgoingEmail | None


def portals_with_vehicles(pages: Iterable[DriverPortal]) -> list[DriverSharing]:
    """The pages of one fleet with the vehicles that their drivers share now and the last email about each page.

    Two more queries.
    """
    pages = list(pages)
    shared: dict[str, list[Connection]] = {}
    owners = {page.smartcar_user_id for page in pages}
    alive = Connection.objects.filter(
        fleet__in={page.fleet_id for page in pages}, smartcar_user_id__in=owners
    ).exclude(state=ConnectionState.REMOVED)
    for connection in alive.select_related("vehicle"):
        shared.setdefault(connection.smartcar_user_id, []).append(connection)
    return [
        DriverSharing(page, shared.get(page.smartcar_user_id, []), email)
        for page, email in with_emails(DRIVER_PORTAL, pages)
    ]
