"""The pages about requests to several drivers at once: what can be asked, and the progress of each request."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404, has_permission
from connect.bulk_requests import selectors, services
from connect.bulk_requests.forms import BulkRequestForm
from connect.models import BulkRequest, Invitation
from connect.reminders.selectors import get_reminder_settings
from connect.status.states import AuthorizationPurpose

_JUST_MADE = "bulk_request_just_made"


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows what can be asked of drivers and the latest requests. A POST asks."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    fleet = membership.fleet
    if request.method == "POST":
        return _ask(request, membership)
    context = {
        "fleet": fleet,
        "makes": selectors.count_by_make(fleet=fleet),
        "lacking": selectors.drivers_to_ask(fleet=fleet, purpose=AuthorizationPurpose.PERMISSIONS),
        "requests": selectors.list_requests(fleet=fleet),
        "email_offered": settings.EMAIL_ENABLED,
        "reminders": get_reminder_settings(fleet=fleet),
        "may_change": has_permission(membership=membership, right=Permission.ADMINISTER),
    }
    return render(request, "connect/bulk_requests/overview.html", context)


def _ask(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = BulkRequestForm(request.POST)
    slug = membership.fleet.slug
    if not form.is_valid():
        messages.error(request, _("Nobody was asked. Choose a make from the list."))
        return redirect("connections:requests", slug=slug)
    try:
        asked = services.ask_drivers(
            fleet=membership.fleet,
            purpose=AuthorizationPurpose(form.cleaned_data["purpose"]),
            make=form.cleaned_data["make"],
            user=membership.user,
        )
    except services.NobodyToAskError:
        messages.info(request, _("Nobody was asked, because no driver needs to do this."))
        return redirect("connections:requests", slug=slug)
    request.session[_JUST_MADE] = list(asked.invitations.filter(by_email=False).values_list("pk", flat=True))
    return redirect("connections:request", slug=slug, request_id=asked.pk)


@never_cache
@login_required
@require_GET
def show(request: HttpRequest, slug: str, request_id: int) -> HttpResponse:
    """Shows the progress of one request, and once the links that couldn't be sent by email."""
    membership, asked = _request(request, slug, request_id)
    just_made = asked.invitations.filter(pk__in=request.session.pop(_JUST_MADE, []))
    context = _progress(membership, asked) | {"just_made": [each for each in just_made if each.open]}
    return render(request, "connect/bulk_requests/show.html", context)


@never_cache
@login_required
@require_GET
def progress(request: HttpRequest, slug: str, request_id: int) -> HttpResponse:
    """Returns the progress's fragment for the open page, or 204 if the page is current."""
    membership, asked = _request(request, slug, request_id)
    context = _progress(membership, asked)
    if request.GET.get("version") == context["progress"].version:
        return HttpResponse(status=204)
    return render(request, "connect/bulk_requests/progress.html", context)


@login_required
@require_POST
def renew(request: HttpRequest, slug: str, request_id: int, invitation_id: int) -> HttpResponse:
    """Creates a new link for one driver of the request, which is sent by email or shown once."""
    membership, asked = _request(request, slug, request_id)
    invitation = asked.invitations.filter(pk=invitation_id, used_at=None).first()
    if invitation is None:
        raise Http404("There is no such unused link in this request.")
    renewed: Invitation = services.renew_link(invitation=invitation, user=membership.user)
    if renewed.by_email:
        messages.success(
            request, _("We're sending a new link to %(address)s.") % {"address": renewed.driver_email}
        )
    else:
        request.session[_JUST_MADE] = [renewed.pk]
    return redirect("connections:request", slug=slug, request_id=request_id)


def _progress(membership: Membership, asked: BulkRequest) -> dict[str, Any]:
    return {"fleet": membership.fleet, "progress": selectors.get_progress(asked)}


def _request(request: HttpRequest, slug: str, request_id: int) -> tuple[Membership, BulkRequest]:
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    asked = selectors.get_request(fleet=membership.fleet, request_id=request_id)
    if asked is None:
        raise Http404("There is no such request in this fleet.")
    return membership, asked
