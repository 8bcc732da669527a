"""The manager's pages about connections: the list, and one connection with its log and actions."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404
from connect import oauth
from connect.connections import selectors, services
from connect.connections.forms import LinkForm
from connect.connections.missing_permissions import missing_permissions
from connect.connections.next_actions import next_action
from connect.connections.selectors import NEEDS_ATTENTION, Driver
from connect.models import Connection, ConnectionState, Invitation
from connect.permission_settings.selectors import requested_scopes
from connect.scopes import with_reasons
from connect.session_binding import session_secret
from connect.status.states import AuthorizationPurpose
from connect.virtual_key import key_rows, key_status

_JUST_MADE = "connection_link_just_made"
DASHBOARD = "https://dashboard.smartcar.com"


@never_cache
@login_required
@require_GET
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the fleet's connections, in one state or all, with the next action for each."""
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT).fleet
    state, search = request.GET.get("state", ""), request.GET.get("q", "").strip()[:80]
    found = selectors.list_connections(fleet=fleet, state=state, search=search)
    page = Paginator(found, selectors.PAGE_SIZE).get_page(request.GET.get("page"))
    counts = selectors.count_by_status(fleet=fleet)
    context = {
        "fleet": fleet,
        "rows": selectors.connection_rows(fleet=fleet, connections=page.object_list, now=timezone.now()),
        "page": page,
        "state": state if state in counts else "",
        "search": search,
        "total": counts[""],
        "filters": _filters(counts, state),
        "dashboard": DASHBOARD,
    }
    return render(request, "connect/connections/overview.html", context)


def _filters(counts: dict[str, int], selected: str) -> list[tuple[str, str, int]]:
    """Returns value, label and count of each filter with results, and of the selected one."""
    offered = [
        ("", pgettext("connections", "All")),
        (NEEDS_ATTENTION, _("Needs fixing")),
        *ConnectionState.choices,
    ]
    return [
        (value, str(label), counts[value])
        for value, label in offered
        if value in ("", NEEDS_ATTENTION, selected) or counts[value]
    ]


@never_cache
@login_required
@require_GET
def detail(request: HttpRequest, slug: str, connection_id: int) -> HttpResponse:
    """Shows one connection: its state and reason, next action, permissions and transitions."""
    membership, connection = _connection(request, slug, connection_id)
    just_made = request.session.pop(_JUST_MADE, None)
    return render(
        request, "connect/connections/detail.html", _page(membership, connection, None, just_made=just_made)
    )


def _page(
    membership: Membership, connection: Connection, form: LinkForm | None, *, just_made: int | None = None
) -> dict[str, Any]:
    driver = _driver(connection)
    same_vehicle, same_driver = selectors.related_connections(connection=connection)
    invitations = Invitation.objects.filter(fleet=membership.fleet, connection=connection)
    scopes = with_reasons(connection.scopes)
    key_row = key_rows([connection.vehicle]).get(connection.vehicle_id)
    return {
        "fleet": membership.fleet,
        "connection": connection,
        "driver": driver,
        "step": next_action(connection, now=timezone.now()),
        "form": form,
        "just_made": invitations.filter(pk=just_made).first() if just_made else None,
        "links": [each for each in invitations[:5] if each.open],
        "scopes": scopes,
        "others": len(connection.scopes) - len(scopes),
        "missing": missing_permissions(
            connection=connection, requested=requested_scopes(fleet=membership.fleet)
        ),
        "outdated": selectors.is_platform_outdated(connection=connection),
        "battery_unknown": selectors.battery_unknown(connection=connection),
        "key": key_status(connection.vehicle, key_row),
        "key_row": key_row,
        "key_url": settings.SMARTCAR_VIRTUAL_KEY_URL,
        "transitions": selectors.list_transitions(connection=connection),
        "pending_issues": [
            ConnectionState(each.state).label
            for each in connection.pending_issues.all()
            if connection.granted
        ],
        "same_vehicle": _with_drivers(connection, same_vehicle),
        "same_driver": same_driver,
        "version": selectors.page_version(connection=connection),
        "email_offered": settings.EMAIL_ENABLED,
        "dashboard": DASHBOARD,
    }


@never_cache
@login_required
@require_GET
def poll(request: HttpRequest, slug: str, connection_id: int) -> HttpResponse:
    """Polled by the open page: 204 if the page is current, else the page is reloaded."""
    _, connection = _connection(request, slug, connection_id)
    if request.GET.get("version") == selectors.page_version(connection=connection):
        return HttpResponse(status=204)
    return HttpResponseClientRefresh()


def _with_drivers(connection: Connection, same_vehicle: list[Connection]) -> list[tuple[Connection, Driver]]:
    drivers = selectors.list_drivers(
        fleet=connection.fleet, smartcar_user_ids=[each.smartcar_user_id for each in same_vehicle]
    )
    return [(each, drivers.get(each.smartcar_user_id, Driver())) for each in same_vehicle]


@login_required
@require_POST
def link(request: HttpRequest, slug: str, connection_id: int) -> HttpResponse:
    """Creates a new link for the driver, which is shown once on the connection's page or sent by email."""
    membership, connection = _connection(request, slug, connection_id)
    form = LinkForm(request.POST)
    if not form.is_valid():
        return render(
            request, "connect/connections/detail.html", _page(membership, connection, form), status=400
        )
    cleaned = form.cleaned_data
    invitation = services.create_link(
        connection=connection,
        user=membership.user,
        purpose=AuthorizationPurpose(cleaned["purpose"]),
        driver=Driver(cleaned["driver_name"], cleaned["driver_email"]),
        by_email=cleaned["by_email"],
    )
    request.session[_JUST_MADE] = invitation.pk
    return redirect("connections:detail", slug=slug, connection_id=connection_id)


@login_required
@require_POST
def check(request: HttpRequest, slug: str, connection_id: int) -> HttpResponse:
    """Checks the connection by reading the vehicle."""
    membership, connection = _connection(request, slug, connection_id)
    if not connection.granted:
        messages.error(
            request,
            _("The driver's authorization has ended, so there's nothing to check. Invite the driver again."),
        )
    else:
        services.check_connection(connection=connection, user=membership.user)
        messages.success(request, _("Checking the vehicle. The result appears here within a minute."))
    return redirect("connections:detail", slug=slug, connection_id=connection_id)


@never_cache
@login_required
@require_GET
@sensitive_variables()
def start_auth(request: HttpRequest, slug: str, connection_id: int, purpose: str) -> HttpResponse:
    """Redirects the member's browser to Connect for this connection, for use with the driver present."""
    membership, connection = _connection(request, slug, connection_id)
    if purpose not in AuthorizationPurpose.values:
        raise Http404("No such authorization.")
    return redirect(
        oauth.start_for_connection(
            connection=connection,
            purpose=purpose,
            user=membership.user,
            session_secret=session_secret(request),
        )
    )


def _driver(connection: Connection) -> Driver:
    user_id = connection.smartcar_user_id
    return selectors.list_drivers(fleet=connection.fleet, smartcar_user_ids=[user_id]).get(user_id, Driver())


def _connection(request: HttpRequest, slug: str, connection_id: int) -> tuple[Membership, Connection]:
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    connection = selectors.get_connection(fleet=membership.fleet, connection_id=connection_id)
    if connection is None:
        raise Http404("There is no such connection in this fleet.")
    return membership, connection
