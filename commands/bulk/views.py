"""Reviewing, sending and following bulk commands."""

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import reauthentication
from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404, has_permission
from commands import parameters
from commands.bulk import progress, selectors, services
from commands.bulk.models import BulkCommand
from commands.bulk.services import BulkReview
from commands.bulk.summary import skipped_text
from commands.preconditions import SkipReason
from commands.services import CommandRejectedError, get_policy
from commands.types import UNLOCKING, CommandType
from vehicles.models import Vehicle
from vehicles.selectors import list_vehicles


@login_required
@require_http_methods(["GET", "POST"])
def bulk(request: HttpRequest, slug: str) -> HttpResponse:
    """Lists the fleet's bulk commands. A POST with vehicles and a command shows the review of what would be sent."""
    if request.method == "POST":
        membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.COMMAND)
        return _review(request, membership)
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    recent = selectors.list_recent(fleet=membership.fleet)
    return render(request, "commands/bulk/list.html", {"fleet": membership.fleet, "recent": recent})


@sensitive_post_parameters("password", "credential")
@login_required
@require_POST
def send(request: HttpRequest, slug: str) -> HttpResponse:
    """Sends the reviewed command after reauthentication."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.COMMAND)
    if not reauthentication.is_recent(request):
        try:
            reauthentication.verify_from_post(request=request, user=membership.user)
        except reauthentication.ReauthenticationRequiredError as error:
            if not request.user.is_authenticated:
                return redirect("accounts:sign_in")
            return _review(request, membership, problem=str(error))
    try:
        created = services.create_bulk_command(
            fleet=membership.fleet,
            user=membership.user,
            vehicles=_selected_vehicles(request, membership),
            others=_vehicles(membership, request.POST.get("others", "").split()),
            with_already="with_already" in request.POST,
            kind=_kind(request),
            data=request.POST.dict(),
            reason=request.POST.get("reason", ""),
        )
    except CommandRejectedError as error:
        return _review(request, membership, problem=str(error))
    return redirect("commands:bulk_progress", slug=slug, bulk_id=created.pk)


@login_required
@require_GET
def follow(request: HttpRequest, slug: str, bulk_id: int) -> HttpResponse:
    """Shows the progress for each vehicle: as a page, as a fragment for an open page, or 204 if that is up to date."""
    membership, created = _bulk(request, slug, bulk_id, Permission.VIEW)
    found = progress.get_progress(bulk=created, now=timezone.now())
    if request.GET.get("version") == found.version:
        return HttpResponse(status=204)
    group = request.GET.get("group", "")
    context = {
        "fleet": membership.fleet,
        "bulk": created,
        "progress": found,
        "group": group if group in progress.GROUPS else "",
        "page": progress.list_commands(bulk=created, group=group, page=request.GET.get("page", "1")),
        "may_command": has_permission(membership=membership, right=Permission.COMMAND),
    }
    fragment = "version" in request.GET
    return render(
        request, "commands/bulk/progress.html" if fragment else "commands/bulk/progress_page.html", context
    )


@login_required
@require_POST
def cancel(request: HttpRequest, slug: str, bulk_id: int) -> HttpResponse:
    """Cancels what wasn't sent yet."""
    membership, created = _bulk(request, slug, bulk_id, Permission.COMMAND)
    count = services.cancel_bulk_command(bulk=created, user=membership.user)
    text = ngettext("%(count)d unsent command canceled.", "%(count)d unsent commands canceled.", count)
    nothing = _("Nothing to cancel: all commands have already been sent or completed.")
    messages.success(request, text % {"count": count} if count else nothing)
    return redirect("commands:bulk_progress", slug=slug, bulk_id=bulk_id)


def _review(request: HttpRequest, membership: Membership, problem: str = "") -> HttpResponse:
    fleet, kind, vehicles = membership.fleet, _kind(request), _selected_vehicles(request, membership)
    try:
        found = services.review_bulk_command(
            fleet=fleet,
            vehicles=vehicles,
            kind=kind,
            data=request.POST.dict(),
            now=timezone.now(),
            others=_vehicles(membership, request.POST.get("others", "").split()),
            with_already="with_already" in request.POST,
        )
    except CommandRejectedError as error:
        messages.error(request, problem or str(error))
        return redirect("dashboard:vehicles", slug=fleet.slug)
    context = _questions(request, membership, found) | {"problem": problem}
    return render(request, "commands/bulk/review.html", context)


def _questions(request: HttpRequest, membership: Membership, found: BulkReview) -> dict[str, Any]:
    kind = found.kind
    return {
        "fleet": membership.fleet,
        "review": found,
        "opens": kind in UNLOCKING,
        "too_many": services.too_many(found) if found.too_many else "",
        "words": f"{kind.label} {parameters.describe_parameters(kind, found.params)}".rstrip(),
        "carried": found.params.items(),
        "vehicles": " ".join(candidate.vehicle.smartcar_id for candidate in found.eligible),
        "others": " ".join(candidate.vehicle.smartcar_id for candidate in found.ineligible),
        "skipped": [
            skipped_text(kind=kind, reason=reason, count=count) for reason, count in found.skipped.items()
        ],
        "already": sum(candidate.skip is SkipReason.ALREADY for candidate in found.ineligible),
        "with_already": "with_already" in request.POST,
        "reason": request.POST.get("reason", ""),
        "needs_reason": get_policy(fleet=membership.fleet).needs_reason(kind),
        "ways": None
        if reauthentication.is_recent(request)
        else reauthentication.available_methods(user=membership.user),
    }


def _kind(request: HttpRequest) -> CommandType:
    try:
        return CommandType(request.POST.get("kind", ""))
    except ValueError:
        raise Http404("There is no such command.") from None


def _selected_vehicles(request: HttpRequest, membership: Membership) -> list[Vehicle]:
    """Returns the selected vehicles of the fleet, or (`retry`) those for which a bulk command has failed.

    IDs of other vehicles are ignored.
    """
    ids = {*request.POST.getlist("vehicle"), *request.POST.get("vehicles", "").split()}
    retried = request.POST.get("retry", "")
    if retried.isdecimal() and len(retried) < 19:
        ids |= selectors.failed_vehicle_ids(fleet=membership.fleet, bulk_id=int(retried))
    return _vehicles(membership, ids)


def _vehicles(membership: Membership, ids: Collection[str]) -> list[Vehicle]:
    return list(list_vehicles(fleet=membership.fleet).filter(smartcar_id__in=ids)) if ids else []


def _bulk(request: HttpRequest, slug: str, bulk_id: int, right: Permission) -> tuple[Membership, BulkCommand]:
    membership = get_membership_or_404(user=request.user, slug=slug, right=right)
    created = selectors.get_bulk_command(fleet=membership.fleet, pk=bulk_id)
    if created is None:
        raise Http404("There is no such bulk command in this fleet.")
    return membership, created
