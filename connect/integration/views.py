from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from accounts.identity_check import ask_identity
from accounts.models import Fleet, Membership, SmartcarApiVersion
from accounts.permissions import Permission, get_membership_or_404, has_permission
from connect import applications
from connect.applications import application_migration, credential_check, setup_events
from connect.applications.application_migration import PendingDriver
from connect.applications.setup_events import SetupStep
from connect.business_fleet.selectors import get_adoption
from connect.models import Invitation
from connect.v2.api_migration import selectors, services
from connect.v2.api_migration.selectors import MigrationProgress

_JUST_MADE = "setup_link_just_made"


@never_cache
@login_required
@require_GET
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the fleet's application and API version, and the progress of its API migration."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    return render(request, "connect/integration/page.html", _page(request, membership))


@never_cache
@login_required
@require_POST
@sensitive_variables()
def check(request: HttpRequest, slug: str) -> HttpResponse:
    """Checks the credentials of the fleet's application with Smartcar."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    fleet = membership.fleet
    application = applications.for_fleet(fleet)
    findings = credential_check.check_credentials(application=application, api_version=fleet.api_version)
    if credential_check.verify_credentials(findings):
        setup_events.record(application_pk=application.pk, milestone=SetupStep.CREDENTIALS)
    results = {"findings": findings, "all_good": all(finding.good for finding in findings)}
    if request.headers.get("HX-Request"):
        return render(request, "connect/integration/findings.html", results | {"fleet": fleet})
    return render(request, "connect/integration/page.html", _page(request, membership) | results)


@never_cache
@login_required
@require_GET
def progress(request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the API migration's progress, or 204 if the page shows the current version."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    latest = selectors.latest_migration(fleet=membership.fleet)
    if latest is not None and request.GET.get("version") == latest.version:
        return HttpResponse(status=204)
    return render(request, "connect/integration/api_version.html", _target_version(membership, latest))


@sensitive_post_parameters("password", "credential")
@login_required
@require_POST
def migrate(request: HttpRequest, slug: str) -> HttpResponse:
    """Starts the fleet's migration to the other API version, or retries connections that couldn't be migrated."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.MOVE)
    to = request.POST.get("api_version", "")
    if to not in SmartcarApiVersion.values:
        messages.error(request, _("Choose v2 or v3."))
        return redirect("connect:integration", slug=slug)
    if to == SmartcarApiVersion.V2 and not settings.SMARTCAR_V2_OFFERED:
        messages.error(request, _("API v2 isn't available on this site. Use v3."))
        return redirect("connect:integration", slug=slug)
    back = reverse("connect:integration", args=[slug])
    if (asked := ask_identity(request, user=membership.user, back=back)) is not None:
        return asked
    try:
        services.start_migration(fleet=membership.fleet, to=to, actor=membership.user)
    except services.CannotStartError as error:
        messages.error(request, str(error))
    return redirect("connect:integration", slug=slug)


@login_required
@require_POST
def stop(request: HttpRequest, slug: str) -> HttpResponse:
    """Stops the API migration in progress."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.MOVE)
    if not services.stop_migration(fleet=membership.fleet, actor=membership.user):
        messages.error(request, _("No migration is in progress."))
    return redirect("connect:integration", slug=slug)


@login_required
@require_POST
def send_link(request: HttpRequest, slug: str, connection_id: int) -> HttpResponse:
    """Creates a driver's link for the fleet's new application, which is shown once or sent by email."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    pending = _pending_driver(membership.fleet, connection_id)
    by_email = "by_email" in request.POST and settings.EMAIL_ENABLED and bool(pending.driver.email)
    invitation = application_migration.invite_driver(
        pending=pending, user=membership.user, driver=pending.driver, by_email=by_email
    )
    request.session[_JUST_MADE] = invitation.pk
    return redirect("connect:integration", slug=slug)


@login_required
@require_POST
def send_all_links(request: HttpRequest, slug: str) -> HttpResponse:
    """Sends such a link to each driver with an email address and without an open link."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    if not settings.EMAIL_ENABLED:
        messages.error(
            request, _("This site doesn't send email. Create a link for each driver and share it yourself.")
        )
        return redirect("connect:integration", slug=slug)
    count = application_migration.invite_all(fleet=membership.fleet, user=membership.user)
    message = ngettext("Sending %(count)s link by email.", "Sending %(count)s links by email.", count)
    messages.success(request, message % {"count": count})
    return redirect("connect:integration", slug=slug)


def _pending_driver(fleet: Fleet, connection_id: int) -> PendingDriver:
    for pending in application_migration.pending_drivers(fleet=fleet):
        if connection_id in [connection.pk for connection in pending.connections]:
            return pending
    raise Http404(
        "The vehicle already uses the fleet's application, or there is no such vehicle in this fleet."
    )


def _page(request: HttpRequest, membership: Membership) -> dict[str, Any]:
    fleet = membership.fleet
    application = applications.for_fleet(fleet)
    just_made = request.session.pop(_JUST_MADE, None)
    invitations = Invitation.objects.filter(fleet=fleet)
    context = {
        "drivers": application_migration.pending_drivers(fleet=fleet),
        "mailable": len(application_migration.uninvited_drivers(fleet=fleet))
        if settings.EMAIL_ENABLED
        else 0,
        "just_made": invitations.filter(pk=just_made).first() if just_made else None,
        "email_offered": settings.EMAIL_ENABLED,
        "adoption": get_adoption(fleet=fleet),
        "application": application,
        "application_id": application.credentials.application_id,
        "own": application.row is None,
    }
    return context | _target_version(membership, selectors.latest_migration(fleet=fleet))


def _target_version(membership: Membership, latest: MigrationProgress | None) -> dict[str, Any]:
    fleet: Fleet = membership.fleet
    fleet.refresh_from_db(fields=["api_version"])
    counts = selectors.count_by_version(fleet=fleet)
    other = SmartcarApiVersion.V2 if fleet.api_version == SmartcarApiVersion.V3 else SmartcarApiVersion.V3
    on_v2 = counts.get(SmartcarApiVersion.V2, 0)
    return {
        "fleet": fleet,
        "progress": latest,
        "v2_shown": settings.SMARTCAR_V2_OFFERED or on_v2 > 0 or other == SmartcarApiVersion.V3,
        "may_target": settings.SMARTCAR_V2_OFFERED or other == SmartcarApiVersion.V3,
        "on_v2": on_v2,
        "on_v3": counts.get(SmartcarApiVersion.V3, 0),
        "left_behind": counts.get(other, 0),
        "other": other,
        "may_move": has_permission(membership=membership, right=Permission.MOVE),
    }
