"""The vehicles page, its fragments, the map's data, and saved views."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

import orjson
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404
from commands.bulk.services import MAX_VEHICLES
from dashboard.onboarding.services import get_checklist
from dashboard.vehicle_list import new_vehicles as naming
from dashboard.vehicle_list import page, positions, saved_views, selectors
from dashboard.vehicle_list.filters import COLUMNS_COOKIE, Filters, parse_filters, visible_columns
from dashboard.vehicle_list.rows import build_rows
from dashboard.vehicle_list.saved_models import SavedView
from dashboard.vehicle_page.settings_views import DetailsForm
from vehicles import details

_ONE_YEAR = 365 * 86_400
_AGES = re.compile(rb"(<time [^>]*>)[^<]*")


@login_required
@require_GET
def fleet(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the fleet's vehicles in a table and on a map; only the list if an open page requests other filters."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    context = _context(request, membership)
    if _is_list_request(request):
        return render(request, "dashboard/vehicle_list/list.html", context)
    ids = naming.parse_ids(request.GET.get("new", ""))
    context["highlighted"] = ids or naming.parse_ids(request.GET.get("named", ""))
    forms = (
        naming.forms_for(fleet=membership.fleet, smartcar_ids=ids) if ids and context["may_connect"] else []
    )
    return _page(request, membership, context, forms)


@login_required
@require_GET
def vehicles_fragment(request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the list for a page without a live stream; 204 if the page already shows the current state."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    response = render(request, "dashboard/vehicle_list/list.html", _context(request, membership))
    # The stream offset and ages change constantly, so the version depends only on the content without them.
    content = _AGES.sub(rb"\1", response.content.partition(b"<!-- list -->")[2])
    version = f"{crc32(content):x}"
    if request.headers.get("X-Version") == version:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    response.headers["X-Version"] = version
    return response


@login_required
@require_POST
def new_vehicles(request: HttpRequest, slug: str) -> HttpResponse:
    """Stores name, plate, group and driver of vehicles that were just connected."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    ids = request.POST.getlist("vehicle")
    forms = naming.forms_for(fleet=membership.fleet, smartcar_ids=ids, data=request.POST)
    invalid = [form for form in forms if not form.is_valid()]
    if invalid:
        context = _context(request, membership) | {"highlighted": ids}
        return _page(request, membership, context, forms, status=400)
    naming.save(fleet=membership.fleet, forms=forms, user=membership.user)
    messages.success(request, _("Saved."))
    named = ",".join(form.instance.smartcar_id for form in forms)
    return redirect(page.address(slug=slug, query=urlencode({"named": named}, safe=",")))


def _page(
    request: HttpRequest,
    membership: Membership,
    context: dict[str, Any],
    forms: Sequence[DetailsForm],
    *,
    status: int = 200,
) -> HttpResponse:
    """Renders the whole page, with the forms of new vehicles above the list."""
    context["onboarding"] = get_checklist(membership=membership)
    if forms:
        context |= {
            "new_forms": forms,
            "groups": details.list_groups(fleet=membership.fleet),
            "drivers": details.list_drivers(fleet=membership.fleet),
        }
    return render(request, "dashboard/vehicle_list/page.html", context, status=status)


@login_required
@require_GET
def map_data(request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the locations of matching vehicles as JSON: `{"cars": [[id, longitude, latitude, heading, mark], …]}`."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    vehicles = positions.map_features(
        fleet=membership.fleet,
        filters=_filters(request),
        now=timezone.now(),
        vins=page.may_search_vins(membership),
    )
    return HttpResponse(orjson.dumps({"vehicles": vehicles}), content_type="application/json")


@login_required
@require_GET
def map_popup(request: HttpRequest, slug: str, vehicle_id: int) -> HttpResponse:
    """Returns one vehicle's popup for the map."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    now = timezone.now()
    found = selectors.get_vehicles(fleet=membership.fleet, vehicle_ids=[vehicle_id], now=now)
    if not found:
        raise Http404("No such vehicle in this fleet.")
    (row,) = build_rows(fleet=membership.fleet, vehicles=found, now=now)
    return render(request, "dashboard/vehicle_list/map_popup.html", {"fleet": membership.fleet, "row": row})


@login_required
@require_GET
def matching(request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the Smartcar IDs of matching vehicles for selecting all of them, at most MAX_VEHICLES."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.COMMAND)
    ids = selectors.matching_ids(
        fleet=membership.fleet,
        filters=_filters(request),
        now=timezone.now(),
        vins=page.may_search_vins(membership),
        most=MAX_VEHICLES,
    )
    return JsonResponse({"vehicles": ids})


@login_required
@require_POST
def columns(request: HttpRequest, slug: str) -> HttpResponse:
    """Stores which columns this browser shows."""
    get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    filters = parse_filters(QueryDict(request.POST.get("query", "")))
    chosen = visible_columns(request.POST.getlist("column"))
    response = redirect(page.address(slug=slug, query=filters.to(explicit_columns=False).query))
    response.set_cookie(
        COLUMNS_COOKIE,
        ",".join(chosen),
        max_age=_ONE_YEAR,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


@login_required
@require_POST
def save_view(request: HttpRequest, slug: str) -> HttpResponse:
    """Saves the page's filters and columns under a name. Asks before it replaces a view."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    remembered = request.COOKIES.get(COLUMNS_COOKIE, "")
    filters = parse_filters(QueryDict(request.POST.get("query", "")), remembered=remembered)
    query = filters.to(explicit_columns=True).query
    name = " ".join(request.POST.get("name", "").split())
    if not name or len(name) > 60:
        messages.error(request, _("Couldn't save the view. Enter a name of up to 60 characters."))
        return redirect(page.address(slug=slug, query=filters.query))
    shared, replace = "shared" in request.POST, "replace" in request.POST
    try:
        saved_views.save(membership=membership, name=name, query=query, shared=shared, replace=replace)
    except saved_views.ExistsError:
        question = {"fleet": membership.fleet, "name": name, "query": query, "shared": shared}
        return render(request, "dashboard/vehicle_list/replace_view.html", question)
    except saved_views.TooManyError:
        messages.error(
            request,
            _("You've reached the maximum of %(number)d views. Delete one first.")
            % {"number": saved_views.MAX_VIEWS},
        )
        return redirect(page.address(slug=slug, query=filters.query))
    text = _("View “%(name)s” updated.") if replace else _("View “%(name)s” saved.")
    messages.success(request, text % {"name": name})
    return redirect(page.address(slug=slug, query=query))


@login_required
@require_POST
def delete_view(request: HttpRequest, slug: str, view_id: int) -> HttpResponse:
    """Deletes a saved view. Returns 404 if the member can't see the view."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    view = get_object_or_404(saved_views.list_views(membership=membership), pk=view_id)
    if not saved_views.can_delete(membership=membership, view=view):
        messages.error(
            request, _("%(person)s shared this view. Only they can delete it.") % {"person": view.user}
        )
    else:
        SavedView.objects.filter(pk=view.pk).delete()
        messages.success(request, _("View “%(name)s” deleted.") % {"name": view.name})
    return redirect("dashboard:vehicles", slug=slug)


def _context(request: HttpRequest, membership: Membership) -> dict[str, Any]:
    return page.page_context(membership=membership, filters=_filters(request), now=timezone.now())


def _filters(request: HttpRequest) -> Filters:
    return parse_filters(request.GET, remembered=request.COOKIES.get(COLUMNS_COOKIE, ""))


def _is_list_request(request: HttpRequest) -> bool:
    whole = request.headers.get("HX-History-Restore-Request") == "true"
    return request.headers.get("HX-Request") == "true" and not whole
