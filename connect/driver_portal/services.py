"""Creates, closes and renews driver portals, sends their links, and ends the sharing of a vehicle."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import SmartcarApiVersion, User
from connect import earlier_callbacks, oauth, reauthorization
from connect.driver_portal import privacy
from connect.driver_portal.models import DriverPortal
from connect.emails import DRIVER_PORTAL, DriverNotice, queue_notice, queue_portal_link, with_emails
from connect.models import (
    AuthorizationRequest,
    Connection,
    ConnectionState,
    Invitation,
    OffboardingRequest,
)
from connect.offboarding import services as offboarding
from connect.offboarding.models import ErasureScope
from connect.scopes import FLEET_SCOPES
from connect.status.states import AuthorizationPurpose
from core.mail.models import OutgoingEmail
from core.signed_links import hash_token

# Actions that show the location or end what the driver shares.
_WEAKENING = frozenset({"resume", "hours", "all-hours", "withdraw", "erase"})


@transaction.atomic
def portal_after_authorization(
    *, invitation: Invitation, smartcar_user_id: str, language: str = ""
) -> DriverPortal:
    """Returns the portal of the driver who completed the authorization; creates it if there is none.

    `language` applies if the portal has no language yet. The portal's link is sent by email if the invitation was. A
    link that a manager has seen is replaced, since the driver has just signed in. If the invitation has another address
    than the portal, the driver is notified at the former one.
    """
    page = DriverPortal.objects.filter(
        fleet=invitation.fleet, smartcar_user_id=smartcar_user_id, revoked_at=None
    ).first()
    if page is None:
        page = DriverPortal(fleet=invitation.fleet, smartcar_user_id=smartcar_user_id)
        page.secret_hash = hash_token(page.secret)
    elif page.shown_to_manager:
        page.replace_link()
    former = page.driver_email
    page.driver_name = invitation.driver_name
    page.driver_email = invitation.driver_email or former
    page.language = page.language or language
    page.save()
    if former and former.lower() != page.driver_email.lower():
        queue_notice(page=page, notice=DriverNotice.ADDRESS_CHANGED, recipient=former)
    if invitation.by_email:
        queue_portal_link(page=page, user=invitation.created_by)
    return page


def portal_after(authorization: AuthorizationRequest) -> DriverPortal | None:
    """Returns the open portal of the driver who completed this authorization, or None.

    None, too, if Smartcar didn't confirm who completed it.
    """
    connections = earlier_callbacks.connected_by(authorization)
    if not connections or not reauthorization.proves_driver(
        purpose=authorization.purpose, connections=connections
    ):
        return None
    return DriverPortal.objects.filter(
        fleet=authorization.fleet_id, smartcar_user_id=connections[0].smartcar_user_id, revoked_at=None
    ).first()


def portal_after_invitation(*, invitation: Invitation, session_secret: str) -> DriverPortal | None:
    """Returns the open portal of the driver who used this invitation in this browser session, or None.

    The link of the invitation alone isn't sufficient, since the inviting member knows it, too.
    """
    if not session_secret:
        return None
    used = AuthorizationRequest.objects.filter(
        invitation=invitation, session_hash=hash_token(session_secret), used_at__isnull=False
    ).select_related("fleet")
    return next((page for page in map(portal_after, used) if page is not None), None)


def choose_time_zone(*, page: DriverPortal, time_zone: str) -> None:
    """Sets the time zone of the portal, as chosen by the driver; "" is the browser's."""
    DriverPortal.objects.filter(pk=page.pk).update(time_zone=time_zone)


def choose_language(*, page: DriverPortal, language: str) -> None:
    """Sets the language of the portal and its emails, as chosen by the driver."""
    DriverPortal.objects.filter(pk=page.pk).update(language=language)


def close(*, page: DriverPortal) -> None:
    """Closes the portal for the driver. Connections are unchanged; a new invitation creates a new link."""
    _close(page, None)


def is_proof_needed(*, page: DriverPortal, connection: Connection, action: str) -> bool:
    """Returns whether the driver must sign in before this action, since a manager may be using the page.

    That is so if a manager has seen the link, and the action shows the location or ends what the driver shares.
    """
    if not page.shown_to_manager:
        return False
    # A new pause would replace one that may be longer.
    return action in _WEAKENING or (action == "pause" and privacy.is_paused(connection=connection))


def sign_in_url(*, page: DriverPortal, connection: Connection, session_secret: str) -> str:
    """Returns the URL where the driver signs in to prove who they are. Afterwards, the portal has a new link.

    On v2, the redirect after a mere sign-in proves nothing, so the driver grants access again. Raises
    AuthorizationFailedError.
    """
    v3 = connection.api_version == SmartcarApiVersion.V3
    invitation = Invitation(
        fleet=page.fleet,
        connection=connection,
        purpose=AuthorizationPurpose.SIGN_IN if v3 else AuthorizationPurpose.PERMISSIONS,
        driver_name=page.driver_name,
        driver_email=page.driver_email,
        language=page.language,
        scopes=connection.scopes or list(FLEET_SCOPES),
        mode=connection.mode,
        make=connection.vehicle.make,
        single_select=True,
    )
    invitation.secret_hash = hash_token(invitation.secret)
    invitation.save()
    return oauth.start_for_invitation(invitation=invitation, session_secret=session_secret)


def withdraw(
    *, connection: Connection, extent: ErasureScope, page: DriverPortal | None = None
) -> OffboardingRequest:
    """Ends the sharing of a vehicle for its driver: here immediately, at Smartcar as soon as the call succeeds.

    The driver also selects which recorded data to delete. Storing it is based on the driver's consent, so all of it may
    be deleted; the command history stays, without locations, as the record of who sent commands to the vehicle.
    Raises connect.offboarding.services.NothingToOffboardError.
    """
    return offboarding.offboard_connection(connection=connection, extent=extent, user=None, page=page)


@transaction.atomic
def renew(*, page: DriverPortal, user: User) -> DriverPortal:
    """Closes a driver's portal and creates a new one, for a manager, for example if others have the old link.

    With the link, a manager could act as the driver. So it is sent to the driver's address alone. Only if there is
    none, or the site sends no email, does the manager share it (`link_is_emailed`).
    """
    revoke(page=page, user=user)
    renewed = DriverPortal(
        fleet=page.fleet,
        smartcar_user_id=page.smartcar_user_id,
        driver_name=page.driver_name,
        driver_email=page.driver_email,
        language=page.language,
        time_zone=page.time_zone,
        link_created_by=user,
    )
    renewed.shown_to_manager = not link_is_emailed(renewed)
    renewed.secret_hash = hash_token(renewed.secret)
    renewed.save()
    log_event(
        fleet=page.fleet,
        actor=user,
        event=AuditEvent.DRIVER_PORTAL_RENEWED,
        about=(AuditObject.DRIVER_PORTAL, renewed.pk),
        data={"name": renewed.driver_name, "by_email": link_is_emailed(renewed)},
    )
    if link_is_emailed(renewed):
        queue_portal_link(page=renewed, user=user)
    return renewed


def link_is_emailed(page: DriverPortal) -> bool:
    """Returns whether the portal's link goes to the driver's email address, and must not be shown to a manager."""
    return settings.EMAIL_ENABLED and bool(page.driver_email)


def revoke(*, page: DriverPortal, user: User) -> bool:
    """Closes a driver's portal for a manager. Connections are unchanged. Returns False if it was closed before."""
    return _close(page, user)


@transaction.atomic
def _close(page: DriverPortal, user: User | None) -> bool:
    open_portals = DriverPortal.objects.filter(pk=page.pk, revoked_at=None)
    closed = open_portals.update(revoked_at=timezone.now()) == 1
    if closed:
        log_event(
            fleet=page.fleet,
            actor=user,
            event=AuditEvent.DRIVER_PORTAL_CLOSED,
            about=(AuditObject.DRIVER_PORTAL, page.pk),
            data={"name": page.driver_name} | ({} if user else page.audit_data()),
        )
    return closed


@transaction.atomic
def close_for_manager(*, page: DriverPortal, user: User) -> None:
    """Closes a driver's portal for a manager, and notifies the driver."""
    if revoke(page=page, user=user):
        queue_notice(page=page, notice=DriverNotice.CLOSED)


@dataclass(frozen=True, slots=True)
class DriverSharing:
    """A driver portal with the connections the driver shares."""

    page: DriverPortal
    vehicles: list[Connection]
    email: OutgoingEmail | None


def portals_with_vehicles(pages: Iterable[DriverPortal]) -> list[DriverSharing]:
    """Returns the portals with the vehicles that their drivers share now, and the latest email about each portal.

    Two additional queries.
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
