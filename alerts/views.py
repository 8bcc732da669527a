"""The fleet's page of notices, its settings, and the bell's fragments."""

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
from alerts import preferences, selectors, services
from alerts.forms import ChoiceForm, RulesForm
from alerts.notification_badge import bell_of
from alerts.selectors import DONE, OPEN
from alerts.types import Kind, may_acknowledge, seen_by

A_PAGE = 50
_NEWEST = 6


@never_cache
@login_required
@require_GET
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """The fleet's notices: those that wait first, then those in hand, then what is over."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    fleet, kinds = membership.fleet, seen_by(membership.role)
    state, kind = _filters(request.GET.get("state", ""), request.GET.get("kind", ""), kinds)
    found = selectors.notices_of(fleet=fleet, kinds=kinds, state=state, kind=kind)
    context = {
        "fleet": fleet,
        "page": Paginator(found, A_PAGE).get_page(request.GET.get("page")),
        "counts": selectors.counts_of(fleet=fleet, kinds=kinds),
        "state": state,
        "kind": kind,
        "kinds": [each for each in Kind if each in kinds],
        "query": urlencode({"state": state, "kind": kind}),
        "may_acknowledge": may_acknowledge(membership.role),
    }
    return render(request, "alerts/overview.html", context)


def _filters(state: str, kind: str, kinds: frozenset[Kind]) -> tuple[str, str]:
    """What was asked for, as far as there is such a thing."""
    return state if state in (OPEN, DONE) else "", kind if kind in kinds else ""


@login_required
@require_POST
def acknowledge(request: HttpRequest, slug: str) -> HttpResponse:
    """Somebody has a notice in hand (its id in `notice`), or all that wait, of one `kind` or of any."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    if not may_acknowledge(membership.role):
        raise PermissionDenied(
            _("Your role in this fleet only lets you see notices. An owner or manager takes them in hand.")
        )
    kinds = seen_by(membership.role)
    state, kind = _filters(request.POST.get("state", ""), request.POST.get("kind", ""), kinds)
    one = request.POST.get("notice", "")
    if one and not (one.isdecimal() and len(one) < 19):
        raise Http404("There is no such notice.")
    count = services.acknowledge(
        fleet=membership.fleet,
        kinds=[Kind(kind)] if kind and not one else kinds,
        user=membership.user,
        now=timezone.now(),
        notice_id=int(one) if one else None,
    )
    _say_acknowledged(request, count)
    return redirect(f"{reverse('notices:overview', args=[slug])}?{urlencode({'state': state, 'kind': kind})}")


def _say_acknowledged(request: HttpRequest, count: int) -> None:
    if not count:
        messages.success(
            request, _("Nothing was left to acknowledge: somebody did so before, or it is over.")
        )
        return
    told = ngettext(
        "%(n)s notice is acknowledged. It is done by itself once its cause is over.",
        "%(n)s notices are acknowledged. Each is done by itself once its cause is over.",
        count,
    )
    messages.success(request, told % {"n": count})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """What the member wants in the bell and by e-mail; and the fleet's rules, for those who may change them."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    if request.method != "POST":
        return _settings_page(request, membership)
    form = ChoiceForm(request.POST, kinds=seen_by(membership.role))
    if not form.is_valid():
        raise Http404("There is no such kind of notice.")
    preferences.choose(
        membership=membership,
        in_bell=[Kind(value) for value in form.cleaned_data["in_bell"]],
        by_mail=[Kind(value) for value in form.cleaned_data["by_mail"]],
    )
    messages.success(request, _("Saved. It holds from the next notice on."))
    return redirect("notices:settings", slug=slug)


@login_required
@require_POST
def rules(request: HttpRequest, slug: str) -> HttpResponse:
    """Sets what the fleet is told of, and when a battery is low."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    form = RulesForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, membership, form, status=400)
    preferences.set_rules(
        fleet=membership.fleet,
        low_battery=form.cleaned_data["low_battery"],
        kinds=[Kind(value) for value in form.cleaned_data["kinds"]],
        actor=membership.user,
    )
    messages.success(request, _("Saved. The fleet's cars are looked at anew within a few minutes."))
    return redirect("notices:settings", slug=slug)


def _settings_page(
    request: HttpRequest, membership: Membership, form: RulesForm | None = None, *, status: int = 200
) -> HttpResponse:
    current = preferences.rules_of(fleet=membership.fleet)
    in_bell, by_mail = preferences.wishes_of(membership, preferences.choice_of(membership))
    seen = seen_by(membership.role)
    watched = set(form["kinds"].value() or []) if form is not None else set(current.kinds)
    context: dict[str, Any] = {
        "fleet": membership.fleet,
        "mine": [(kind, kind in in_bell, kind in by_mail) for kind in Kind if kind in seen],
        "rules": current,
        "watched": [(kind, kind in watched) for kind in Kind],
        "form": form or RulesForm(initial={"low_battery": current.low_battery}),
        "may_rule": has_permission(membership=membership, right=Permission.CONNECT),
        "email_offered": site.EMAIL_ENABLED,
    }
    return render(request, "alerts/settings.html", context, status=status)


@never_cache
@login_required
@require_GET
def bell(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The bell's count, for the open page; 204 while it is `shown`."""
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW).fleet if slug else None
    current = bell_of(user=_user(request), fleet=fleet)
    if request.GET.get("shown") == str(current.count):
        return HttpResponse(status=204)
    return render(request, "alerts/badge_count.html", {"bell": current})


@never_cache
@login_required
@require_GET
def newest(request: HttpRequest, slug: str = "") -> HttpResponse:
    """The list that the bell opens."""
    if slug:
        memberships = [get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)]
    else:
        memberships = list(Membership.objects.filter(user=_user(request)).select_related("fleet"))
        memberships = [each for each in memberships if has_permission(membership=each, right=Permission.VIEW)]
    context = {
        "notices": selectors.due_of(memberships=memberships, limit=_NEWEST),
        "fleets": [each.fleet for each in memberships],
        "named": not slug,
    }
    return render(request, "alerts/recent.html", context)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required has seen to it
    return request.user
