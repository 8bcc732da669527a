"""The fleet's command history, newest first, and its command policy."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.audit import AuditEvent, log_event
from accounts.permissions import Permission, get_membership_or_404, has_permission
from commands.models import CommandPolicy, CommandState, ReasonRequirement
from commands.selectors import list_commands
from commands.services import get_policy
from commands.types import CommandType

PER_PAGE = 50


@login_required
@require_GET
def history(request: HttpRequest, slug: str) -> HttpResponse:
    """Lists the fleet's commands with member, reason and result, filtered by state and type."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    state, kind = request.GET.get("state", ""), request.GET.get("kind", "")
    rows = list_commands(fleet=membership.fleet, state=state, kind=kind)
    context = {
        "fleet": membership.fleet,
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page", "1")),
        "states": CommandState.choices,
        "kinds": CommandType.choices,
        "state": state,
        "kind": kind,
        "filters": urlencode({"state": state, "kind": kind}),
        "may_command": has_permission(membership=membership, right=Permission.COMMAND),
    }
    return render(request, "commands/history.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def rules(request: HttpRequest, slug: str) -> HttpResponse:
    """Sets whether commands need a reason. For the fleet's owners."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.ADMINISTER)
    fleet = membership.fleet
    chosen = request.POST.get("reason_for", "")
    if request.method == "POST" and chosen in ReasonRequirement.values:
        CommandPolicy.objects.update_or_create(fleet=fleet, defaults={"reason_for": chosen})
        log_event(
            fleet=fleet,
            actor=membership.user,
            event=AuditEvent.COMMAND_POLICY_CHANGED,
            data={"to": chosen},
        )
        messages.success(request, _("Saved. Applies from the next command."))
        return redirect("commands:policy", slug=slug)
    context = {"fleet": fleet, "policy": get_policy(fleet=fleet), "choices": ReasonRequirement.choices}
    return render(request, "commands/rules.html", context)
