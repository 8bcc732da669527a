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
from connect.oauth_errors import AuthorizationFailedError
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
        result = oauth.handle_callback(
            params=request.GET.dict(),
            user=request.user if isinstance(request.user, User) else None,
            session_secret=known_session_secret(request),
        )
    except AuthorizationFailedError as failure:
        return _error(request, failure)
    if result.invitation is not None:
        return redirect(_driver_portal(request, result, result.invitation).path)
    if result.target_missing:
        messages.error(request, _target_missing_message(result))
    messages.success(request, _member_message(result))
    if result.about is not None:
        return redirect("connections:detail", slug=result.fleet.slug, connection_id=result.about.pk)
    return redirect("dashboard:vehicles", slug=result.fleet.slug)


def _driver_portal(request: HttpRequest, result: CallbackResult, invitation: Invitation) -> DriverPortal:
    """Returns the invited driver's portal and adds messages about the result, in the driver's language."""
    page = driver.portal_after_authorization(
        invitation=invitation,
        # All connections of an authorization belong to one Smartcar user.
        smartcar_user_id=result.connections[0].smartcar_user_id,
        language=language_for(request, chosen=invitation.language),
    )
    with activate(page.language):
        if result.target_missing:
            messages.error(request, _target_missing_message(result))
        messages.success(request, _driver_message(result))
    return page


def _error(request: HttpRequest, failure: AuthorizationFailedError) -> HttpResponse:
    """Shows what happened and the next step, in texts for drivers if the user is invited or unknown."""
    invitation = failure.invitation
    if invitation is None and request.user.is_authenticated:
        return _error_page(request, failure, for_driver=False)
    with activate(language_for(request, chosen=invitation.language if invitation is not None else "")):
        return _error_page(request, failure, for_driver=True)


def _error_page(request: HttpRequest, failure: AuthorizationFailedError, *, for_driver: bool) -> HttpResponse:
    error, invitation = failure.error, failure.invitation
    context = {
        "title": error.title,
        "text": error.for_driver if for_driver else error.text,
        "vehicle": error.vehicle,
        "for_driver": for_driver,
        "invitation": invitation if invitation is not None and invitation.open else None,
        "authorization": None if for_driver else failure.authorization,
    }
    return render(request, "connect/connect_error.html", context, status=400)


def _driver_message(result: CallbackResult) -> str:
    """Returns the message on the driver's portal."""
    if result.purpose == AuthorizationPurpose.SIGN_IN:
        message = _(
            "Thank you. You're signed in again for %(vehicles)s. %(fleet)s will start receiving data "
            "again shortly."
        )
    elif result.purpose == AuthorizationPurpose.BATTERY:
        message = _("Thank you. The battery size of %(vehicles)s was selected.")
    else:
        message = ngettext(
            "%(vehicles)s is connected to %(fleet)s. This is your private page. Save the link below.",
            "%(vehicles)s are connected to %(fleet)s. This is your private page. Save the link below.",
            len(result.connections),
        )
    return message % {"vehicles": _vehicles(result), "fleet": result.fleet}


def _member_message(result: CallbackResult) -> str:
    """Returns the message for a member on the page after the authorization."""
    if result.purpose == AuthorizationPurpose.SIGN_IN:
        message = _(
            "The driver's sign-in for %(vehicles)s was renewed. Data will arrive again within a few minutes."
        )
    elif result.purpose == AuthorizationPurpose.BATTERY:
        message = _(
            "The battery size of %(vehicles)s was selected. It appears with the vehicle's next report."
        )
    else:
        message = ngettext(
            "%(vehicles)s is connected. The first data arrives in about a minute.",
            "%(count)s vehicles are connected: %(vehicles)s. The first data arrives in about a minute.",
            len(result.connections),
        )
    return message % {"vehicles": _vehicles(result), "count": len(result.connections)}


def _target_missing_message(result: CallbackResult) -> str:
    message = _(
        "%(vehicle)s wasn't shared this time, or was shared from a different manufacturer "
        "account. If that was a mistake, start again and select it."
    )
    return message % {"vehicle": result.about and result.about.vehicle}


def _vehicles(result: CallbackResult) -> str:
    return ", ".join(str(connection.vehicle) for connection in result.connections)
