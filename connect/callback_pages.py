"""What the callback page shows if it can't lead on: an error, or what is true about an earlier callback."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Fleet, User
from accounts.permissions import Permission, fleets_for
from connect.driver_language import activate, language_for, vehicle_for_driver
from connect.driver_portal.services import portal_after
from connect.earlier_callbacks import EarlierCallback
from connect.models import AuthorizationRequest, Connection
from connect.oauth_errors import IN_PROGRESS, UNKNOWN_STATE, AuthorizationFailedError, ConnectError


@dataclass(frozen=True, slots=True)
class Action:
    """A button: its label, in the active language, and its address."""

    label: str
    url: str


def member_path(fleet: Fleet, about: Connection | None) -> str:
    """Returns the page to which a member returns: of the connection that it was about, or the fleet's vehicles."""
    if about is not None:
        return reverse("connections:detail", args=[fleet.slug, about.pk])
    return reverse("dashboard:vehicles", args=[fleet.slug])


def new_vehicles_path(fleet: Fleet, connections: Iterable[Connection]) -> str:
    """Returns the fleet's vehicles, where those without a name of the fleet's own get one."""
    unnamed = [each.vehicle.smartcar_id for each in connections if not each.vehicle.name_entered]
    path = reverse("dashboard:vehicles", args=[fleet.slug])
    return f"{path}?{urlencode({'new': ','.join(unnamed)}, safe=',')}" if unnamed else path


def vehicles_for_driver(connections: Iterable[Connection]) -> str:
    """Returns make, model and year of these vehicles, for their driver."""
    return ", ".join(vehicle_for_driver(connection.vehicle) for connection in connections)


def show_error(request: HttpRequest, failure: AuthorizationFailedError) -> HttpResponse:
    """Shows what happened and the next step, in texts for drivers if the user is invited or unknown."""
    authorization, invitation = failure.authorization, failure.invitation
    if invitation is None and request.user.is_authenticated:
        return _error_page(request, failure.error, _member_actions(authorization))
    with activate(language_for(request, chosen=invitation.language if invitation is not None else "")):
        if invitation is not None and invitation.open:
            actions = [Action(_("Try again"), invitation.path)]
        else:
            actions = _lost_actions()
        return _error_page(
            request,
            failure.error,
            actions,
            for_driver=True,
            asking=invitation.fleet if invitation is not None else None,
        )


def show_earlier(request: HttpRequest, earlier: EarlierCallback) -> HttpResponse:
    """Shows the result of the authorization again; in the browser where it was started, leads on to its page."""
    if earlier.request.invitation is None:
        return _earlier_of_member(request, earlier)
    with activate(language_for(request, chosen=earlier.request.invitation.language)):
        return _earlier_of_driver(request, earlier)


def _earlier_of_member(request: HttpRequest, earlier: EarlierCallback) -> HttpResponse:
    authorization = earlier.request
    user = authorization.started_by
    if user is None or request.user != user or not _may_connect(user, authorization.fleet):
        # For another person, a former member, or a visitor: the address alone must not reveal the fleet.
        error = UNKNOWN_STATE if earlier.error is None else earlier.error
        return _error_page(request, error, [Action(_("Go to your fleet"), reverse("home"))])
    if earlier.error is not None:
        return _error_page(request, earlier.error, _actions_after(earlier.error, request, authorization))
    count = len(earlier.connections)
    message = ngettext(
        "%(vehicles)s is already connected.", "%(count)s vehicles are already connected: %(vehicles)s.", count
    )
    vehicles = ", ".join(str(connection.vehicle) for connection in earlier.connections)
    messages.info(request, message % {"vehicles": vehicles, "count": count})
    return redirect(member_path(authorization.fleet, authorization.connection))


def _may_connect(user: User, fleet: Fleet) -> bool:
    return fleets_for(user=user, right=Permission.CONNECT).filter(pk=fleet.pk).exists()


def _earlier_of_driver(request: HttpRequest, earlier: EarlierCallback) -> HttpResponse:
    authorization = earlier.request
    invitation = authorization.invitation
    if earlier.error is not None:
        if earlier.error is IN_PROGRESS:
            actions = [_check_again(request)]
        elif earlier.same_browser and invitation is not None and invitation.open:
            actions = [Action(_("Try again"), invitation.path)]
        else:
            actions = [_send_link()]
        return _error_page(request, earlier.error, actions, for_driver=True, asking=authorization.fleet)
    values = {"vehicles": vehicles_for_driver(earlier.connections), "fleet": authorization.fleet}
    connected = ngettext(
        "%(vehicles)s is already connected to %(fleet)s.",
        "%(vehicles)s are already connected to %(fleet)s.",
        len(earlier.connections),
    )
    page = portal_after(authorization) if earlier.same_browser else None
    if page is not None:
        messages.info(request, connected % values)
        return redirect(page.path)
    context = {
        "title": connected % values,
        "text": _(
            "Your own page shows what you share and lets you hide your location or stop sharing. For "
            "your security, it opens only with your private link."
        ),
        "connected": True,
        "asking": authorization.fleet,
        "actions": [_send_link()],
    }
    return render(request, "connect/callback_status.html", context)


def _error_page(
    request: HttpRequest,
    error: ConnectError,
    actions: list[Action],
    *,
    for_driver: bool = False,
    asking: Fleet | None = None,
) -> HttpResponse:
    context = {
        "title": error.title,
        "text": _(error.for_driver if for_driver else error.text),
        "vehicle": error.vehicle,
        "smartcar_message": error.smartcar_message,
        "actions": actions,
        "asking": asking,
    }
    return render(request, "connect/callback_status.html", context, status=400)


def _actions_after(
    error: ConnectError, request: HttpRequest, authorization: AuthorizationRequest
) -> list[Action]:
    return [_check_again(request)] if error is IN_PROGRESS else _member_actions(authorization)


def _member_actions(authorization: AuthorizationRequest | None) -> list[Action]:
    if authorization is None:
        return [Action(_("Back to fleet"), reverse("home"))]
    slug = authorization.fleet.slug
    if authorization.connection_id is not None:
        url = reverse("connections:detail", args=[slug, authorization.connection_id])
        return [Action(_("Back to connection"), url)]
    return [
        Action(_("Start again"), reverse("connect:start", args=[slug])),
        Action(_("Choose make and country"), reverse("connect:own_vehicle", args=[slug])),
        Action(_("Back to fleet"), reverse("dashboard:vehicles", args=[slug])),
    ]


def _lost_actions() -> list[Action]:
    """Next steps for an unidentified user: an invited driver, or a member who isn't signed in."""
    return [_send_link(), Action(_("Sign in to your fleet"), reverse("home"))]


def _send_link() -> Action:
    return Action(_("Send me my link"), reverse("connect:link_request"))


def _check_again(request: HttpRequest) -> Action:
    return Action(_("Check again"), request.get_full_path())
