"""The page where a fleet chooses which permissions it requests from drivers."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import Fleet
from accounts.permissions import Permission, get_membership_or_404
from connect.bulk_requests.selectors import drivers_to_ask
from connect.permission_settings import selectors, services
from connect.permission_settings.forms import PermissionsForm
from connect.permission_settings.reports import get_report
from connect.scopes import NEEDED, SCOPES, by_topic
from connect.status.states import AuthorizationPurpose


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def permissions(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows what the fleet requests and for which reports. A POST saves a choice, or adds a report's permissions."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    fleet = membership.fleet
    if request.method != "POST":
        return render(request, "connect/permission_settings/page.html", _page(fleet))
    scopes = _chosen(request, fleet)
    if scopes is None:
        messages.error(request, _("Nothing was changed. Choose permissions from the list."))
    elif services.choose_scopes(fleet=fleet, scopes=scopes, actor=membership.user):
        messages.success(request, _("Saved. New invitations request these permissions."))
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("connections:permissions", slug=slug)


def _chosen(request: HttpRequest, fleet: Fleet) -> set[str] | None:
    """Returns the permissions to request; None if the form is invalid."""
    if "report" in request.POST:
        report = get_report(request.POST["report"])
        return None if report is None else {*selectors.requested_scopes(fleet=fleet), *report.permissions}
    form = PermissionsForm(request.POST)
    return set(form.cleaned_data["scopes"]) if form.is_valid() else None


def _page(fleet: Fleet) -> dict[str, Any]:
    requested = selectors.requested_scopes(fleet=fleet)
    return {
        "fleet": fleet,
        "topics": by_topic(SCOPES),
        "needed": NEEDED,
        "chosen": requested,
        "reports": selectors.report_requests(requested=requested),
        "grants": selectors.count_grants(fleet=fleet),
        "to_ask": len(drivers_to_ask(fleet=fleet, purpose=AuthorizationPurpose.PERMISSIONS)),
    }
