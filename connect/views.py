from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.permissions import Permission, get_membership_or_404
from connect import oauth
from connect.driver_language import activate, language_for
from connect.driver_portal import services as driver
from connect.models import DriverPortal, Invitation
from connect.oauth import CallbackResult
from connect.oauth_errors import ConnectionRefusedByUsError
from connect.session_binding import known_session_secret, session_secret
from connect.status.states import AuthorizationPurpose


@never_cache
@login_required
@require_GET
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Sends the browser to Smartcar Connect."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    return redirect(
        oauth.start(
            fleet=membership.fleet,
            user=membership.user,
            session_secret=session_secret(request),
            make=request.GET.get("make", "")[:40],
        )
    )


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Handles the redirect from Connect, for members and for invited drivers without an account."""
    try:
        arrival = oauth.handle_callback(
            params=request.GET.dict(),
            user=request.user if isinstance(request.user, User) else None,
            session_secret=known_session_secret(request),
        )
    except ConnectionRefusedByUsError as refusal:
        return _error(request, refusal)
    if arrival.invitation is not None:
        return redirect(_driver_portal(request, arrival, arrival.invitation).path)
    if arrival.missed:
        messages.error(request, _another_vehicle(arrival))
    messages.success(request, _welcome(arrival))
    if arrival.about is not None:
        return redirect("connections:detail", slug=arrival.fleet.slug, connection_id=arrival.about.pk)
    return redirect("dashboard:vehicles", slug=arrival.fleet.slug)


def _driver_portal(request: HttpRequest, arrival: CallbackResult, invitation: Invitation) -> DriverPortal:
    """Returns the invited driver's portal and adds messages about the result, in the driver's language."""
    page = driver.portal_after_authorization(
        invitation=invitation,
        # All connections of an authorization belong to one Smartcar user.
        smartcar_user_id=arrival.connections[0].smartcar_user_id,
        language=language_for(request, chosen=invitation.language),
    )
    with activate(page.language):
        if arrival.missed:
            messages.error(request, _another_vehicle(arrival))
        messages.success(request, _thanks(arrival))
    return page


def _error(request: HttpRequest, refusal: ConnectionRefusedByUsError) -> HttpResponse:
    """Shows what happened and the next step, in texts for drivers if the user is invited or unknown."""
    invitation = refusal.invitation
    if invitation is None and request.user.is_authenticated:
        return _error_page(request, refusal, for_driver=False)
    with activate(language_for(request, chosen=invitation.language if invitation is not None else "")):
        return _error_page(request, refusal, for_driver=True)


def _error_page(
    request: HttpRequest, refusal: ConnectionRefusedByUsError, *, for_driver: bool
) -> HttpResponse:
    trouble, invitation = refusal.trouble, refusal.invitation
    context = {
        "title": trouble.title,
        "text": trouble.for_driver if for_driver else trouble.text,
        "car": trouble.car,
        "for_driver": for_driver,
        "invitation": invitation if invitation is not None and invitation.open else None,
        "trip": None if for_driver else refusal.trip,
    }
    return render(request, "connect/connect_error.html", context, status=400)


def _thanks(arrival: CallbackResult) -> str:
    """Returns the message on the driver's portal."""
    if arrival.purpose == AuthorizationPurpose.SIGN_IN:
        told = _(
            "Thank you. You're signed in again for %(cars)s. %(fleet)s will start receiving data "
            "again shortly."
        )
    elif arrival.purpose == AuthorizationPurpose.BATTERY:
        told = _("Thank you. The battery size of %(cars)s was selected.")
    else:
        told = ngettext(
            "%(cars)s is connected to %(fleet)s. This is your private page. Save the link below.",
            "%(cars)s are connected to %(fleet)s. This is your private page. Save the link below.",
            len(arrival.connections),
        )
    return told % {"cars": _vehicles(arrival), "fleet": arrival.fleet}


def _welcome(arrival: CallbackResult) -> str:
    """Returns the message for a member on the page after the authorization."""
    if arrival.purpose == AuthorizationPurpose.SIGN_IN:
        told = _(
            "The driver's sign-in for %(cars)s was renewed. Data will arrive again within a few minutes."
        )
    elif arrival.purpose == AuthorizationPurpose.BATTERY:
        told = _("The battery size of %(cars)s was selected. It appears with the vehicle's next report.")
    else:
        told = ngettext(
            "%(cars)s is connected. The first data arrives in about a minute.",
            "%(count)s vehicles are connected: %(cars)s. The first data arrives in about a minute.",
            len(arrival.connections),
        )
    return told % {"cars": _vehicles(arrival), "count": len(arrival.connections)}


def _another_vehicle(arrival: CallbackResult) -> str:
    told = _(
        "%(car)s wasn't shared this time, or was shared from a different manufacturer "
        "account. If that was a mistake, start again and select it."
    )
    return told % {"car": arrival.about and arrival.about.vehicle}


def _vehicles(arrival: CallbackResult) -> str:
    return ", ".join(str(connection.vehicle) for connection in arrival.connections)
