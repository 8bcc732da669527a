"""The page of a fleet's settings, and the page for creating a fleet."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.identity_check import ask_identity
from accounts.models import Fleet, Membership, User
from accounts.permissions import Permission, get_membership_or_404, has_permission
from core.time_zones import zones
from dashboard.fleet_settings import services
from dashboard.fleet_settings.forms import FleetForm, SettingsForm
from dashboard.onboarding.selectors import build_checklist


@never_cache
@sensitive_post_parameters("password", "credential")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows name, units, time zone and retention. Owners can change them; deleting data requires reauthentication."""
    right = Permission.ADMINISTER if request.method == "POST" else Permission.CONNECT
    membership = get_membership_or_404(user=request.user, slug=slug, right=right)
    if request.method != "POST":
        return _page(request, membership, SettingsForm(instance=membership.fleet))
    # The form changes its instance, and the page's header must show the stored values.
    form = SettingsForm(request.POST, instance=Fleet.objects.get(pk=membership.fleet.pk))
    if not form.is_valid() or form.needs_confirmation:
        return _page(request, membership, form, status=400)
    back = reverse("dashboard:settings", args=[slug])
    if form.losses and (asked := ask_identity(request, user=membership.user, back=back)) is not None:
        return asked
    values = {name: form.cleaned_data[name] for name in form.Meta.fields}
    if services.update_settings(fleet=membership.fleet, values=values, actor=membership.user):
        messages.success(request, _("Saved."))
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("dashboard:settings", slug=slug)


def _page(
    request: HttpRequest, membership: Membership, form: SettingsForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "fleet": membership.fleet,
        "form": form,
        "may_change": has_permission(membership=membership, right=Permission.ADMINISTER),
        "may_make": services.can_create_fleet(membership.user),
        "onboarding": build_checklist(fleet=membership.fleet),
    }
    return render(request, "dashboard/fleet_settings/page.html", context | _zones(), status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_fleet(request: HttpRequest) -> HttpResponse:
    """Creates a fleet that the user owns."""
    user = request.user
    if not isinstance(user, User) or not services.can_create_fleet(user):
        raise PermissionDenied(_("Only fleet owners and site administrators can create fleets."))
    form = FleetForm(request.POST or None, initial={"unit_system": "metric", "time_zone": "UTC"})
    if request.method != "POST" or not form.is_valid():
        status = 200 if request.method != "POST" else 400
        return render(request, "dashboard/fleet_settings/new.html", {"form": form} | _zones(), status=status)
    fleet = services.create_fleet(values=form.cleaned_data, owner=user)
    messages.success(request, _("%(fleet)s created. You're its owner.") % {"fleet": fleet})
    return redirect("dashboard:vehicles", slug=fleet.slug)


def _zones() -> dict[str, Any]:
    return {"zones": zones(now=timezone.now())}
