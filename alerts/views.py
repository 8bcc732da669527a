"""The fleet's page of alerts, the settings, and the fragments of the notification badge."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings as site
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Membership, User
from accounts.permissions import Permission, get_membership_or_404, has_permission
from alerts import emails, preferences, selectors, services
from alerts.forms import AlertSettingsForm, NotificationPreferenceForm
from alerts.notification_badge import badge_for
from alerts.selectors import OPEN, RESOLVED
from alerts.types import AlertType, can_acknowledge, visible_to

PAGE_SIZE = 50
_RECENT = 6
# Values of the state filter in links of version 0.1.
_FORMER_STATES = {"done": RESOLVED}


@never_cache
@login_required
@require_GET
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """The fleet's alerts: unacknowledged ones first, then acknowledged ones, then resolved ones."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    fleet, kinds = membership.fleet, visible_to(membership.role)
    state, kind = _filters(request.GET.get("state", ""), request.GET.get("kind", ""), kinds)
    found = selectors.list_alerts(fleet=fleet, kinds=kinds, state=state, kind=kind)
    context = {
        "fleet": fleet,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "counts": selectors.count_alerts(fleet=fleet, kinds=kinds),
        "state": state,
        "kind": kind,
        "kinds": [each for each in AlertType if each in kinds],
        "query": urlencode({"state": state, "kind": kind}),
        "can_acknowledge": can_acknowledge(membership.role),
    }
    return render(request, "alerts/overview.html", context)


def _filters(state: str, kind: str, kinds: frozenset[AlertType]) -> tuple[str, str]:
    """The filters of the request, without unknown values."""
    state = _FORMER_STATES.get(state, state)
    return state if state in (OPEN, RESOLVED) else "", kind if kind in kinds else ""


@login_required
@require_POST
def acknowledge(request: HttpRequest, slug: str) -> HttpResponse:
    """Acknowledges one alert (its id in `alert`), or all unacknowledged ones, of one `kind` or of any."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    if not can_acknowledge(membership.role):
        raise PermissionDenied(
            _("Your role in this fleet only lets you view alerts. Owners and managers can acknowledge them.")
        )
    kinds = visible_to(membership.role)
    state, kind = _filters(request.POST.get("state", ""), request.POST.get("kind", ""), kinds)
    one = request.POST.get("alert", "")
    if one and not (one.isdecimal() and len(one) < 19):
        raise Http404("No such alert.")
    count = services.acknowledge(
        fleet=membership.fleet,
        kinds=[AlertType(kind)] if kind and not one else kinds,
        user=membership.user,
        now=timezone.now(),
        alert_id=int(one) if one else None,
    )
    _report_acknowledged(request, count)
    return redirect(f"{reverse('alerts:overview', args=[slug])}?{urlencode({'state': state, 'kind': kind})}")


def _report_acknowledged(request: HttpRequest, count: int) -> None:
    if not count:
        messages.success(
            request, _("Nothing to acknowledge. The alert was already acknowledged or resolved.")
        )
        return
    text = ngettext(
        "%(n)s alert acknowledged. It resolves automatically when the cause is gone.",
        "%(n)s alerts acknowledged. Each resolves automatically when its cause is gone.",
        count,
    )
    messages.success(request, text % {"n": count})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """The member's notification preferences, and the fleet's alert settings for those who can change them."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    if request.method != "POST":
        return _settings_page(request, membership)
    form = NotificationPreferenceForm(request.POST, kinds=visible_to(membership.role))
    if not form.is_valid():
        raise Http404("No such type of alert.")
    preferences.set_preferences(
        membership=membership,
        in_app=[AlertType(value) for value in form.cleaned_data["in_app"]],
        by_email=[AlertType(value) for value in form.cleaned_data["by_email"]],
    )
    messages.success(request, _("Saved. Applies to future alerts."))
    return redirect("alerts:settings", slug=slug)


@login_required
@require_POST
def fleet_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Sets the fleet's types of alerts and the low-battery threshold."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    form = AlertSettingsForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, membership, form, status=400)
    preferences.update_settings(
        fleet=membership.fleet,
        low_battery=form.cleaned_data["low_battery"],
        kinds=[AlertType(value) for value in form.cleaned_data["kinds"]],
        actor=membership.user,
    )
    messages.success(request, _("Saved. The fleet's vehicles will be checked again within a few minutes."))
    return redirect("alerts:settings", slug=slug)


def _settings_page(
    request: HttpRequest, membership: Membership, form: AlertSettingsForm | None = None, *, status: int = 200
) -> HttpResponse:
    current = preferences.get_settings(fleet=membership.fleet)
    in_app, by_email = preferences.effective_preferences(membership, preferences.get_preferences(membership))
    visible = visible_to(membership.role)
    enabled = set(form["kinds"].value() or []) if form is not None else set(current.kinds)
    context: dict[str, Any] = {
        "fleet": membership.fleet,
        "mine": [(kind, kind in in_app, kind in by_email) for kind in AlertType if kind in visible],
        "fleet_settings": current,
        "enabled": [(kind, kind in enabled) for kind in AlertType],
        "form": form or AlertSettingsForm(initial={"low_battery": current.low_battery}),
        "can_edit_settings": has_permission(membership=membership, right=Permission.CONNECT),
        "email_enabled": site.EMAIL_ENABLED,
        "latest_digest": emails.latest_digest(membership),
    }
    return render(request, "alerts/settings.html", context, status=status)


@never_cache
@login_required
@require_GET
def badge(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The badge of an open page; 204 while its count is still the one `shown`."""
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW).fleet if slug else None
    current = badge_for(user=_user(request), fleet=fleet)
    if request.GET.get("shown") == str(current.count):
        return HttpResponse(status=204)
    return render(request, "alerts/badge_count.html", {"badge": current})


@never_cache
@login_required
@require_GET
def recent(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The list of recent alerts under the badge."""
    if slug:
        memberships = [get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)]
    else:
        memberships = list(Membership.objects.filter(user=_user(request)).select_related("fleet"))
        memberships = [each for each in memberships if has_permission(membership=each, right=Permission.VIEW)]
    context = {
        "alerts": selectors.recent_unacknowledged(memberships=memberships, limit=_RECENT),
        "fleets": [each.fleet for each in memberships],
        "named": not slug,
    }
    return render(request, "alerts/recent.html", context)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required has seen to it
    return request.user
