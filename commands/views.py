from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from accounts import reauthentication
from accounts.models import Membership
from accounts.permissions import Right, membership_for
from commands import confirmation_dialog, panel, services
from commands.models import Command
from commands.types import Kind
from vehicles.models import Vehicle
from vehicles.selectors import vehicle_of


@sensitive_post_parameters("password", "credential")
@login_required
@require_POST
def ask(request: HttpRequest, slug: str, smartcar_id: str, kind: str) -> HttpResponse:
    """Writes a command down, after what the person has to answer first; answers with the car's panel (or page)."""
    membership, vehicle = _car(request, slug, smartcar_id, Right.COMMAND)
    if kind not in Kind.values:
        raise Http404("There is no such command.")
    question = confirmation_dialog.question_for(
        request=request, user=membership.user, fleet=membership.fleet, kind=Kind(kind)
    )
    if question.comes_first and "asked" not in request.POST:
        return confirmation_dialog.render_dialog(
            request, question=question, fleet=membership.fleet, vehicle=vehicle
        )
    if question.ways is not None:
        try:
            reauthentication.confirm_posted(request=request, user=membership.user)
        except reauthentication.NotConfirmedError as error:
            if not request.user.is_authenticated:
                return redirect("accounts:sign_in")
            return confirmation_dialog.render_dialog(
                request, question=question, fleet=membership.fleet, vehicle=vehicle, problem=str(error)
            )
    return _answer(request, membership, vehicle, _asked(request, membership, vehicle, Kind(kind)))


def _asked(request: HttpRequest, membership: Membership, vehicle: Vehicle, kind: Kind) -> str:
    """Why it was not written down; empty if it was."""
    try:
        services.request(
            vehicle=vehicle,
            kind=kind,
            user=membership.user,
            given=request.POST.dict(),
            reason=request.POST.get("reason", ""),
        )
    except services.NotPossibleError as error:
        return str(error)
    return ""


@login_required
@require_POST
def cancel(request: HttpRequest, slug: str, smartcar_id: str, command_id: int) -> HttpResponse:
    """Takes a command back that has not been sent."""
    membership, vehicle = _car(request, slug, smartcar_id, Right.COMMAND)
    command = get_object_or_404(Command, pk=command_id, vehicle=vehicle)
    cancelled = services.cancel(command=command, user=membership.user)
    too_late = _("It was too late to cancel: the command is on its way to the car or has ended.")
    return _answer(request, membership, vehicle, "" if cancelled else too_late)


@login_required
@require_POST
def when_awake(request: HttpRequest, slug: str, smartcar_id: str, command_id: int) -> HttpResponse:
    """Asks once more for what a sleeping car refused, to be sent with its next sign of life."""
    membership, vehicle = _car(request, slug, smartcar_id, Right.COMMAND)
    refused = get_object_or_404(Command, pk=command_id, vehicle=vehicle)
    problem = ""
    try:
        services.again_when_awake(command=refused, user=membership.user)
    except services.NotPossibleError as error:
        problem = str(error)
    return _answer(request, membership, vehicle, problem)


@login_required
@require_GET
def show(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """The car's panel, for the page to keep it current."""
    membership, vehicle = _car(request, slug, smartcar_id, Right.VIEW)
    return panel.render_panel(request, membership=membership, vehicle=vehicle)


def _car(request: HttpRequest, slug: str, smartcar_id: str, right: Right) -> tuple[Membership, Vehicle]:
    membership = membership_for(user=request.user, slug=slug, right=right)
    vehicle = vehicle_of(fleet=membership.fleet, smartcar_id=smartcar_id)
    if vehicle is None:
        raise Http404("There is no such car in this fleet.")
    return membership, vehicle


def _answer(request: HttpRequest, membership: Membership, vehicle: Vehicle, problem: str) -> HttpResponse:
    if getattr(request, "htmx", False):
        answer = panel.render_panel(request, membership=membership, vehicle=vehicle, problem=problem)
        return trigger_client_event(answer, "command-asked")
    if problem:
        messages.error(request, problem)
    return redirect("fleet:vehicle", slug=membership.fleet.slug, smartcar_id=vehicle.smartcar_id)
