"""The pages of scheduled commands: the list, a new one, and pausing and deleting."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import reauthentication
from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404, has_permission
from commands.scheduled import selectors, services
from commands.scheduled.forms import WORKDAYS, ScheduleForm
from commands.scheduled.models import ScheduledCommand
from commands.scheduled.services import SCHEDULED_TYPES
from commands.scheduled.wording import timing_words
from commands.services import CommandRejectedError, get_policy
from commands.types import CommandType
from vehicles.models import Vehicle
from vehicles.selectors import list_vehicles


@login_required
@require_GET
def listing(request: HttpRequest, slug: str) -> HttpResponse:
    """Lists the fleet's scheduled commands, next ones first."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    schedules = selectors.list_schedules(fleet=membership.fleet)
    context = {
        "fleet": membership.fleet,
        "membership": membership,
        "rows": [(schedule, timing_words(schedule)) for schedule in schedules],
        "may_command": has_permission(membership=membership, right=Permission.COMMAND),
    }
    return render(request, "commands/scheduled/list.html", context)


@sensitive_post_parameters("password", "credential")
@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the form for the chosen vehicles, which the vehicles page posts, and stores the schedule."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.COMMAND)
    vehicles = _chosen(request, membership)
    if not vehicles:
        messages.info(request, _("Select the vehicles first, then choose “Schedule”."))
        return redirect("dashboard:vehicles", slug=slug)
    if "at" not in request.POST:
        kind = request.POST.get("kind", "")
        known = kind if kind in {each.value for each in SCHEDULED_TYPES} else CommandType.LOCK.value
        initial = {"kind": known, "repeats": "weekly", "weekdays": WORKDAYS, "at": "20:00", "percent": 80}
        return _form_page(request, membership, vehicles, ScheduleForm(initial=initial))
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        return _form_page(request, membership, vehicles, form)
    if not reauthentication.is_recent(request):
        try:
            reauthentication.verify_from_post(request=request, user=membership.user)
        except reauthentication.ReauthenticationRequiredError as error:
            if not request.user.is_authenticated:
                return redirect("accounts:sign_in")
            return _form_page(request, membership, vehicles, form, problem=str(error))
    try:
        services.create_schedule(
            fleet=membership.fleet,
            user=membership.user,
            vehicles=vehicles,
            kind=CommandType(form.cleaned_data["kind"]),
            data={"percent": form.cleaned_data["percent"]},
            timing=form.timing,
            reason=form.cleaned_data["reason"],
        )
    except CommandRejectedError as error:
        return _form_page(request, membership, vehicles, form, problem=str(error))
    messages.success(request, _("Scheduled."))
    return redirect("commands:scheduled", slug=slug)


@login_required
@require_POST
def pause(request: HttpRequest, slug: str, schedule_id: int) -> HttpResponse:
    """Pauses the schedule, or resumes a paused one."""
    membership, schedule = _schedule(request, slug, schedule_id)
    if schedule.paused_at is None:
        services.pause_schedule(schedule=schedule, user=membership.user)
    elif not services.resume_schedule(schedule=schedule, user=membership.user):
        messages.info(request, _("This time has passed, so nothing will be sent."))
    return redirect("commands:scheduled", slug=slug)


@login_required
@require_POST
def delete(request: HttpRequest, slug: str, schedule_id: int) -> HttpResponse:
    """Deletes the schedule."""
    membership, schedule = _schedule(request, slug, schedule_id)
    services.delete_schedule(schedule=schedule, user=membership.user)
    messages.success(request, _("Deleted. Nothing more will be sent."))
    return redirect("commands:scheduled", slug=slug)


def _form_page(
    request: HttpRequest,
    membership: Membership,
    vehicles: list[Vehicle],
    form: ScheduleForm,
    problem: str = "",
) -> HttpResponse:
    known = reauthentication.is_recent(request)
    context: dict[str, Any] = {
        "fleet": membership.fleet,
        "membership": membership,
        "form": form,
        "chosen_days": [str(day) for day in form["weekdays"].value() or []],
        "problem": problem,
        "vehicles": vehicles,
        "vehicle_ids": " ".join(vehicle.smartcar_id for vehicle in vehicles),
        "needs_reason": get_policy(fleet=membership.fleet).needs_reason(CommandType.LOCK),
        "ways": None if known else reauthentication.available_methods(user=membership.user),
    }
    return render(request, "commands/scheduled/new.html", context)


def _chosen(request: HttpRequest, membership: Membership) -> list[Vehicle]:
    """Returns the chosen vehicles of the fleet. IDs of other vehicles are ignored."""
    ids = {
        *request.GET.getlist("vehicle"),
        *request.POST.getlist("vehicle"),
        *request.POST.get("vehicles", "").split(),
    }
    return list(list_vehicles(fleet=membership.fleet).filter(smartcar_id__in=ids)) if ids else []


def _schedule(request: HttpRequest, slug: str, schedule_id: int) -> tuple[Membership, ScheduledCommand]:
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.COMMAND)
    schedule = selectors.get_schedule(fleet=membership.fleet, pk=schedule_id)
    if schedule is None:
        raise Http404("There is no such scheduled command in this fleet.")
    return membership, schedule
