from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Fleet
from accounts.permissions import Permission, get_membership_or_404
from dashboard.onboarding import services
from dashboard.onboarding.steps import Checklist


@never_cache
@login_required
@require_GET
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the checklist on its own page."""
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT).fleet
    return render(
        request, "dashboard/onboarding/page.html", _context(fleet, services.get_progress(fleet=fleet))
    )


@never_cache
@login_required
@require_GET
def steps(request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the steps for an open page, with what has changed; 204 without changes."""
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT).fleet
    checklist = services.get_progress(fleet=fleet)
    shown = request.GET.get("version", "")
    if shown == checklist.version:
        return HttpResponse(status=204)
    news = {"news": checklist.completed_since(shown)}
    return render(request, "dashboard/onboarding/steps.html", _context(fleet, checklist) | news)


@login_required
@require_POST
def hide(request: HttpRequest, slug: str) -> HttpResponse:
    """Removes the checklist from the fleet page."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    services.hide(membership=membership)
    messages.success(request, _("Checklist hidden. You can open it again from the fleet's settings."))
    return redirect("dashboard:vehicles", slug=slug)


def _context(fleet: Fleet, checklist: Checklist) -> dict[str, Any]:
    return {"fleet": fleet, "onboarding": checklist}
