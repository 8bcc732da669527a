from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import Fleet, User
from accounts.permissions import Permission, get_membership_or_404
from connect import callback_pages, earlier_callbacks, oauth, oauth_errors
from connect.driver_language import activate, language_for, vehicle_for_driver
from connect.driver_portal import services as driver
from connect.invitations.forms import OwnVehicleForm
from connect.make_hints import all_hints
from connect.models import DriverPortal, Invitation
from connect.oauth import CallbackResult
from connect.oauth_errors import AuthorizationFailedError
from connect.session_binding import known_session_secret, session_secret
from connect.status.states import AuthorizationPurpose


@never_cache
@login_required
@require_GET
def own_vehicle(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the choice of make and country for a member's own vehicle, and what the makes require."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    return _own_vehicle_page(request, membership.fleet, OwnVehicleForm())


@never_cache
@login_required
@require_GET
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Sends the browser to Smartcar Connect, for the make and country in the query, which are optional."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    form = OwnVehicleForm(request.GET)
    if not form.is_valid():
        return _own_vehicle_page(request, membership.fleet, form, status=400)
    return redirect(
        oauth.start(
            fleet=membership.fleet,
            user=membership.user,
            session_secret=session_secret(request),
            make=form.cleaned_data["make"],
            country=form.cleaned_data["country"],
        )
    )


def _own_vehicle_page(
    request: HttpRequest, fleet: Fleet, form: OwnVehicleForm, *, status: int = 200
) -> HttpResponse:
    context = {"fleet": fleet, "form": form, "every_make": all_hints()}
    return render(request, "connect/own_vehicle.html", context, status=status)


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Handles the redirect from Connect, for members and for invited drivers without an account."""
    params, session_secret = request.GET.dict(), known_session_secret(request)
    user = request.user if isinstance(request.user, User) else None
    try:
        result = oauth.handle_callback(params=params, user=user, session_secret=session_secret)
    except AuthorizationFailedError as failure:
        if failure.error is oauth_errors.UNKNOWN_STATE:
            earlier = earlier_callbacks.find(params=params, session_secret=session_secret, now=timezone.now())
            if earlier is not None:
                return callback_pages.show_earlier(request, earlier)
        return callback_pages.show_error(request, failure)
    if result.invitation is not None and not result.proves_driver:
        return _thanks(request, result, result.invitation)
    if result.invitation is not None:
        return redirect(_driver_portal(request, result, result.invitation).path)
    if result.target_missing:
        messages.error(request, _target_missing_message(result))
    messages.success(request, _member_message(result))
    if result.about is None:
        return redirect(callback_pages.new_vehicles_path(result.fleet, result.connections))
    return redirect(callback_pages.member_path(result.fleet, result.about))


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


def _thanks(request: HttpRequest, result: CallbackResult, invitation: Invitation) -> HttpResponse:
    """Thanks a driver without opening the portal, whose link is only for the driver."""
    with activate(language_for(request, chosen=invitation.language)):
        context = {"message": _driver_message(result), "sharing_with": result.fleet}
        return render(request, "connect/invitations/thanks.html", context)


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
    return message % {
        "vehicles": callback_pages.vehicles_for_driver(result.connections),
        "fleet": result.fleet,
    }


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
    vehicle = result.about.vehicle if result.about is not None else ""
    if result.invitation is not None and result.about is not None:
        vehicle = vehicle_for_driver(result.about.vehicle)
    return message % {"vehicle": vehicle}


def _vehicles(result: CallbackResult) -> str:
    return ", ".join(str(connection.vehicle) for connection in result.connections)
