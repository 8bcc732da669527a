"""Asking several drivers at once. Callers have checked the manager's permission."""

from django.conf import settings
from django.db import transaction

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, User
from connect.bulk_requests.selectors import AskedDriver, drivers_to_ask
from connect.invitations import services as invitations
from connect.invitations.models import UNNAMED
from connect.models import BulkRequest, Invitation
from connect.permission_settings.selectors import requested_scopes
from connect.scopes import in_order
from connect.status.states import AuthorizationPurpose
from vehicles.makes import make_key


class NobodyToAskError(Exception):
    """No driver needs to be asked."""


@transaction.atomic
def ask_drivers(*, fleet: Fleet, purpose: AuthorizationPurpose, user: User, make: str = "") -> BulkRequest:
    """Asks each driver concerned, by email where the address is known. Raises NobodyToAskError.

    A driver who has an open link for the same is not sent another one; that link then belongs to this request.
    """
    # Two requests at the same time must not send two links to each driver.
    Fleet.objects.select_for_update().get(pk=fleet.pk)
    asked = drivers_to_ask(fleet=fleet, purpose=purpose, make=make)
    if not asked:
        raise NobodyToAskError
    request = BulkRequest.objects.create(fleet=fleet, purpose=purpose, make=make_key(make), created_by=user)
    for each in asked:
        _ask(request, each, user)
    log_event(
        fleet=fleet,
        actor=user,
        event=AuditEvent.DRIVERS_ASKED,
        about=(AuditObject.BULK_REQUEST, request.pk),
        data={"purpose": purpose.value, "make": request.make, "drivers": len(asked)},
    )
    return request


def _ask(request: BulkRequest, asked: AskedDriver, user: User) -> None:
    scopes = _scopes(request, asked)
    for existing in _open_invitations(request, asked):
        if set(scopes) <= set(existing.scopes):
            Invitation.objects.filter(pk=existing.pk).update(bulk_request=request)
            return
        invitations.revoke(invitation=existing, user=user)
    first = asked.connections[0]
    invitations.invite(
        fleet=request.fleet,
        user=user,
        by_email=bool(asked.driver.email) and settings.EMAIL_ENABLED,
        connection=first,
        bulk_request=request,
        purpose=request.purpose,
        driver_name=asked.driver.name or UNNAMED,
        driver_email=asked.driver.email,
        scopes=scopes,
        mode=first.mode,
        make=first.vehicle.make,
        single_select=len(asked.connections) == 1,
    )


def _open_invitations(request: BulkRequest, asked: AskedDriver) -> list[Invitation]:
    found = Invitation.objects.filter(
        fleet=request.fleet, connection__in=asked.connections, purpose=request.purpose
    )
    return [each for each in found.order_by("-created_at") if each.open]


def _scopes(request: BulkRequest, asked: AskedDriver) -> list[str]:
    """Signing in again requests nothing new; otherwise what the fleet requests is added to what is granted."""
    granted = {name for each in asked.connections for name in each.scopes}
    if request.purpose == AuthorizationPurpose.SIGN_IN and granted:
        return in_order(granted)
    return in_order(granted.union(requested_scopes(fleet=request.fleet)))


@transaction.atomic
def renew_link(*, invitation: Invitation, user: User) -> Invitation:
    """Replaces an invitation of a bulk request that was not used by a new one, and sends it if it has an address."""
    if invitation.open:
        invitations.revoke(invitation=invitation, user=user)
    renewed = invitations.invite(
        fleet=invitation.fleet,
        user=user,
        by_email=bool(invitation.driver_email) and settings.EMAIL_ENABLED,
        connection=invitation.connection,
        bulk_request=invitation.bulk_request,
        purpose=invitation.purpose,
        driver_name=invitation.driver_name,
        driver_email=invitation.driver_email,
        scopes=invitation.scopes,
        mode=invitation.mode,
        make=invitation.make,
        single_select=invitation.single_select,
        language=invitation.language,
    )
    # The page of the request shows one row per driver.
    Invitation.objects.filter(pk=invitation.pk).update(bulk_request=None)
    return renewed
