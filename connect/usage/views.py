"""The manager's page about API usage: calls per vehicle, the request budget, and token lifetimes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Fleet
from accounts.permissions import Permission, get_membership_or_404
from connect import applications
from connect.usage import quota
from connect.usage.forms import MonthlyLimitForm
from connect.usage.models import FleetAllowance
from connect.usage.quota import UsageRow
from connect.v2 import token_refresh
from smartcar_api.ratelimit import health
from smartcar_api.ratelimit.middleware import bucket_id

PAGE_SIZE = 100

_ORDERS: dict[str, Callable[[UsageRow], Any]] = {
    "vehicle": lambda row: str(row.vehicle).casefold(),
    "command": lambda row: -row.command,
    "person": lambda row: -row.person,
    "background": lambda row: -row.background,
    "total": lambda row: -row.total,
}
_COLUMNS = (
    ("vehicle", _("Vehicle")),
    ("command", _("Commands")),
    ("person", _("Manual")),
    ("background", _("Automatic")),
    ("total", _("Total")),
)


@never_cache
@login_required
@require_GET
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the month's calls per vehicle, the current request budget, and token lifetimes."""
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.BUDGET).fleet
    return render(
        request, "connect/usage/overview.html", _page(request, fleet, MonthlyLimitForm(_initial(fleet)))
    )


@login_required
@require_POST
def set_limit(request: HttpRequest, slug: str) -> HttpResponse:
    """Sets the fleet's monthly limit per vehicle."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.BUDGET)
    form = MonthlyLimitForm(request.POST)
    if not form.is_valid():
        context = _page(request, membership.fleet, form) | {"mistaken": True}
        return render(request, "connect/usage/overview.html", context, status=400)
    quota.set_monthly_limit(fleet=membership.fleet, calls=form.cleaned_data["calls"], actor=membership.user)
    messages.success(request, gettext("Monthly limit saved. Applies from the next API call."))
    return redirect("usage:overview", slug=slug)


def _initial(fleet: Fleet) -> dict[str, Any]:
    return {"calls": FleetAllowance.objects.filter(fleet=fleet).values_list("calls", flat=True).first()}


def _page(request: HttpRequest, fleet: Fleet, form: MonthlyLimitForm) -> dict[str, Any]:
    now = timezone.now()
    month = _month(request.GET.get("month", ""), now)
    order = request.GET.get("sort", "total")
    rows = quota.usage_by_vehicle(fleet=fleet, month=month)
    rows.sort(key=_ORDERS.get(order, _ORDERS["total"]))
    this_month = quota.billing_month(now)
    return {
        "fleet": fleet,
        "form": form,
        "month": month,
        "current": month == this_month,
        "last_month": (this_month - timedelta(days=1)).replace(day=1),
        "turns": quota.next_month(now),
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "columns": _COLUMNS,
        "order": order if order in _ORDERS else "total",
        "calls": sum(row.total for row in rows),
        "over": [row for row in rows if row.over],
        "near": [row for row in rows if row.near],
        "allowance": quota.monthly_limit(fleet_id=fleet.pk),
        "default_allowance": settings.SMARTCAR_MONTHLY_LIMIT,
        "capacity": health.capacity(application=bucket_id(applications.for_fleet(fleet).credentials)),
        "hosts_down": health.hosts_down(),
        **_tokens(fleet, now),
    }


def _month(text: str, now: datetime) -> date:
    """Returns the month of a text such as "2026-10", or the current month."""
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        return quota.billing_month(now)


def _tokens(fleet: Fleet, now: datetime) -> dict[str, Any]:
    found = token_refresh.expiry_histogram(now=now, fleet=fleet)
    everywhere = token_refresh.expiry_histogram(now=now).pairs
    return {
        "lifetimes": found,
        "v2_offered": settings.SMARTCAR_V2_OFFERED,
        "every": token_refresh.interval(pairs=everywhere).days,
        "ending": sum(found.days[: token_refresh.WARN_AT_DAYS[-1]]),
    }
