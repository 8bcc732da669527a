"""The driver portal, which a signed link opens without an account; and the manager's list of driver portals."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from accounts.identity_check import ask_identity
from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404
from connect import emails
from connect.driver_language import is_supported, remember, signed_link_view, vehicle_for_driver
from connect.driver_portal import privacy, services
from connect.driver_portal.command_history import SentCommand, SharedPeriod, list_commands
from connect.driver_portal.forms import PAUSES, EraseForm, HoursForm, PauseForm
from connect.driver_portal.models import DriverPortal, LocationPause, TrackingSchedule, zone
from connect.emails import DriverNotice
from connect.models import Connection, ConnectionState
from connect.oauth_errors import AuthorizationFailedError
from connect.offboarding.models import ErasureScope
from connect.offboarding.selectors import DeletionReceipt, get_receipt, requests_for_connections
from connect.offboarding.services import NothingToOffboardError
from connect.scopes import PermissionScope, by_topic, with_reasons
from connect.session_binding import session_secret
from connect.virtual_key import KeyStatus, key_rows, key_status
from core import qr_code, time_zones
from vehicles.models import LatestSignal

_JUST_MADE = "driver_page_just_made"
_SHOWN = 500
_COMMANDS = 20


@dataclass(frozen=True, slots=True)
class PortalVehicle:
    """One vehicle in the driver portal."""

    connection: Connection
    scopes: list[PermissionScope]
    pause: LocationPause | None
    hours: TrackingSchedule | None
    hidden: bool
    commands: list[SentCommand]
    key: KeyStatus = KeyStatus.NOT_NEEDED
    key_row: LatestSignal | None = None

    @property
    def name(self) -> str:
        """Make, model and year."""
        return vehicle_for_driver(self.connection.vehicle)

    @property
    def topics(self) -> list[tuple[str, list[PermissionScope]]]:
        return by_topic(self.scopes)

    @property
    def withdrawn(self) -> bool:
        return self.connection.state == ConnectionState.REMOVED

    @property
    def shares_location(self) -> bool:
        return any(scope.name == "read_location" for scope in self.scopes)


@require_GET
@signed_link_view(DriverPortal.from_token)
def show(request: HttpRequest, page: DriverPortal) -> HttpResponse:
    """Shows the driver's vehicles, what is shared and with whom, and the available actions."""
    now = timezone.now()
    connections = page.connections.select_related("vehicle", "fleet", "working_hours")
    context = {
        "page": page,
        "sharing_with": page.fleet,
        "hours_zone": zone(page.fleet.time_zone).key,
        "command_limit": _COMMANDS,
        "qr_code": qr_code.as_svg(page.url, title=_("QR code of the link to your page")),
        "time_zone": timezone.get_current_timezone_name(),
        "time_zones": time_zones.names(),
        "vehicles": [_portal_vehicle(connection, now=now) for connection in connections],
        "key_url": settings.SMARTCAR_VIRTUAL_KEY_URL,
        "offboardings": [
            get_receipt(offboarding) for offboarding in requests_for_connections(page=page)[:20]
        ],
        "languages": settings.LANGUAGES,
        "language": get_language(),
    }
    return render(request, "connect/driver_portal/page.html", context)


def _portal_vehicle(connection: Connection, *, now: datetime) -> PortalVehicle:
    current = Q(ends_at=None) | Q(ends_at__gt=now)
    rules = privacy.privacy_for_vehicle(vehicle_ids=[connection.vehicle_id], now=now)
    key_row = key_rows([connection.vehicle]).get(connection.vehicle_id)
    return PortalVehicle(
        connection=connection,
        scopes=with_reasons(connection.scopes),
        pause=connection.place_pauses.filter(current, began_at__lte=now).first(),
        hours=getattr(connection, "working_hours", None),
        hidden=rules.is_hidden(connection.vehicle_id, at=now),
        key=key_status(connection.vehicle, key_row),
        key_row=key_row,
        commands=list_commands(period=SharedPeriod.of(connection), limit=_COMMANDS),
    )


@require_POST
@signed_link_view(DriverPortal.from_token)
def perform_action(request: HttpRequest, page: DriverPortal, connection_id: int, action: str) -> HttpResponse:
    """Performs one of the driver's actions on one of their vehicles, then redirects to the portal."""
    connections = page.connections.select_related("vehicle", "fleet", "tokens").filter(pk=connection_id)
    if action not in _CONFIRMATIONS:
        connections = connections.exclude(state=ConnectionState.REMOVED)
    connection = connections.first()
    if connection is None or action not in (*_ACTIONS, _SIGN_IN):
        raise Http404("No such car on this page.")
    if action == _SIGN_IN:
        return _sign_in(request, page, connection)
    if services.is_proof_needed(page=page, connection=connection, action=action):
        message = _("Nothing was changed. %(fleet)s has seen the link of this page, so sign in first.")
        messages.error(request, message % {"fleet": page.fleet})
    else:
        _ACTIONS[action](request, page, connection)
    return redirect(page.path)


def _sign_in(request: HttpRequest, page: DriverPortal, connection: Connection) -> HttpResponse:
    """Redirects the driver to Smartcar, to prove who they are."""
    remember(request, page.language)
    try:
        secret = session_secret(request)
        return redirect(services.sign_in_url(page=page, connection=connection, session_secret=secret))
    except AuthorizationFailedError as failure:
        messages.error(request, failure.error.title)
        return redirect(page.path)


@require_GET
@signed_link_view(DriverPortal.from_token)
def receipt(request: HttpRequest, page: DriverPortal, offboarding_id: int) -> HttpResponse:
    """Shows the deletion receipt to the driver."""
    context = {"page": page, "sharing_with": page.fleet, "receipt": _receipt(page, offboarding_id)}
    return render(request, "connect/offboarding/receipt.html", context)


@require_GET
@signed_link_view(DriverPortal.from_token)
def progress(request: HttpRequest, page: DriverPortal, offboarding_id: int) -> HttpResponse:
    """Returns the receipt's fragment for the open page, or 204 if the page is current."""
    found = _receipt(page, offboarding_id)
    if request.GET.get("version") == found.version:
        return HttpResponse(status=204)
    return render(request, "connect/offboarding/state.html", {"page": page, "receipt": found})


def _receipt(page: DriverPortal, offboarding_id: int) -> DeletionReceipt:
    offboarding = requests_for_connections(page=page).filter(pk=offboarding_id).first()
    if offboarding is None:
        raise Http404("No such receipt on this page.")
    return get_receipt(offboarding)


@require_POST
@signed_link_view(DriverPortal.from_token)
def close(request: HttpRequest, page: DriverPortal) -> HttpResponse:
    """Closes the portal, so that its link no longer works."""
    services.close(page=page)
    return render(request, "connect/driver_portal/closed.html", {"sharing_with": page.fleet})


@require_POST
@signed_link_view(DriverPortal.from_token)
def set_language(request: HttpRequest, page: DriverPortal) -> HttpResponse:
    """Sets the language of the portal and its emails."""
    language = request.POST.get("language", "")
    if not is_supported(language):
        return HttpResponseBadRequest()
    services.choose_language(page=page, language=language)
    return redirect(page.path)


@require_POST
@signed_link_view(DriverPortal.from_token)
def set_time_zone(request: HttpRequest, page: DriverPortal) -> HttpResponse:
    """Sets the time zone of the portal; an empty one is the browser's."""
    time_zone = request.POST.get("time_zone", "")
    if time_zone and not time_zones.is_time_zone(time_zone):
        return HttpResponseBadRequest()
    services.choose_time_zone(page=page, time_zone=time_zone)
    return redirect(page.path)


@never_cache
@login_required
@require_GET
def manage(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the fleet's drivers with an open portal."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    pages = DriverPortal.objects.filter(fleet=membership.fleet, revoked_at=None)
    just_made = pages.filter(pk=request.session.pop(_JUST_MADE, None)).first()
    context = {
        "fleet": membership.fleet,
        "pages": services.portals_with_vehicles(pages[:_SHOWN]),
        "just_made": just_made,
        "just_made_emailed": just_made is not None and services.link_is_emailed(just_made),
    }
    return render(request, "connect/driver_portal/manage.html", context)


@login_required
@require_POST
def revoke(request: HttpRequest, slug: str, page_id: int) -> HttpResponse:
    """Closes a driver's portal: its link no longer works."""
    membership, page = _managed(request, slug, page_id)
    services.close_for_manager(page=page, user=membership.user)
    message = _("The page of %(driver)s is closed. Its link no longer works.")
    messages.success(request, message % {"driver": page.driver_name})
    return redirect("connect:drivers", slug=slug)


@sensitive_post_parameters("password", "credential")
@login_required
@require_POST
def renew(request: HttpRequest, slug: str, page_id: int) -> HttpResponse:
    """Closes a driver's portal and creates a new one with a new link."""
    membership, page = _managed(request, slug, page_id)
    back = reverse("connect:drivers", args=[slug])
    if (asked := ask_identity(request, user=membership.user, back=back)) is not None:
        return asked
    renewed = services.renew(page=page, user=membership.user)
    request.session[_JUST_MADE] = renewed.pk
    return redirect("connect:drivers", slug=slug)


@login_required
@require_POST
def retry_email(request: HttpRequest, slug: str, page_id: int) -> HttpResponse:
    """Sends the failed email with the driver portal's link again."""
    _, page = _managed(request, slug, page_id)
    emails.retry_with_message(request, kind=emails.DRIVER_PORTAL, object_id=page.pk)
    return redirect("connect:drivers", slug=slug)


def _managed(request: HttpRequest, slug: str, page_id: int) -> tuple[Membership, DriverPortal]:
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    page = DriverPortal.objects.filter(fleet=membership.fleet, pk=page_id, revoked_at=None).first()
    if page is None:
        raise Http404("There is no such open page in this fleet.")
    return membership, page


def _pause(request: HttpRequest, page: DriverPortal, connection: Connection) -> None:
    form = PauseForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose how long to hide the location."))
        return
    duration = PAUSES[form.cleaned_data["lasts"]]
    privacy.pause(connection=connection, duration=duration, now=timezone.now(), page=page)
    messages.success(
        request,
        _("The location of %(vehicle)s is hidden.") % {"vehicle": vehicle_for_driver(connection.vehicle)},
    )


def _resume(request: HttpRequest, page: DriverPortal, connection: Connection) -> None:
    privacy.resume(connection=connection, now=timezone.now(), page=page)
    emails.queue_notice(page=page, notice=DriverNotice.LOCATION_SHOWN)
    messages.success(request, _("Location sharing resumed. Locations during the pause were not recorded."))


def _set_hours(request: HttpRequest, page: DriverPortal, connection: Connection) -> None:
    form = HoursForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Enter two different times for working hours, such as 08:00 and 17:00."))
        return
    privacy.set_hours(connection=connection, now=timezone.now(), page=page, **form.cleaned_data)
    emails.queue_notice(page=page, notice=DriverNotice.LOCATION_SHOWN)
    message = _("%(fleet)s can see the location of %(vehicle)s only during these hours.")
    messages.success(
        request, message % {"fleet": connection.fleet, "vehicle": vehicle_for_driver(connection.vehicle)}
    )


def _clear_hours(request: HttpRequest, page: DriverPortal, connection: Connection) -> None:
    privacy.clear_hours(connection=connection, page=page)
    emails.queue_notice(page=page, notice=DriverNotice.LOCATION_SHOWN)
    message = _("%(fleet)s can see the location of %(vehicle)s at all times.")
    messages.success(
        request, message % {"fleet": connection.fleet, "vehicle": vehicle_for_driver(connection.vehicle)}
    )


def _withdraw(request: HttpRequest, page: DriverPortal, connection: Connection) -> None:
    form = EraseForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was changed. Choose what data to delete."))
        return
    try:
        extent = ErasureScope(form.cleaned_data["extent"])
        services.withdraw(connection=connection, extent=extent, page=page)
    except NothingToOffboardError as error:
        messages.error(request, str(error))
        return
    emails.queue_notice(page=page, notice=DriverNotice.SHARING_ENDED)
    message = _("%(fleet)s no longer has access to %(vehicle)s. You can follow the progress below.")
    vehicle = vehicle_for_driver(connection.vehicle)
    messages.success(request, message % {"fleet": connection.fleet, "vehicle": vehicle})


_SIGN_IN = "sign-in"
_ACTIONS: dict[str, Callable[[HttpRequest, DriverPortal, Connection], None]] = {
    "pause": _pause,
    "resume": _resume,
    "hours": _set_hours,
    "all-hours": _clear_hours,
    "withdraw": _withdraw,
    "erase": _withdraw,
}
# Actions that are available after sharing has ended.
_CONFIRMATIONS = ("erase", _SIGN_IN)
