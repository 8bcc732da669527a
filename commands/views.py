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
from accounts.permissions import Permission, get_membership_or_404
from commands import confirmation_dialog, destination, panel, services
from commands.models import Command
from commands.types import CommandType
from vehicles.models import Vehicle
from vehicles.selectors import get_vehicle

# The value of the form field `from` in the panel beside the list of vehicles.
SIDE_PANEL = "side-panel"


@sensitive_post_parameters("password", "credential")
@login_required
@require_POST
def create(request: HttpRequest, slug: str, smartcar_id: str, kind: str) -> HttpResponse:
    """Creates a command, after the dialog if needed. Responds with the vehicle's command panel or page."""
    membership, vehicle = _vehicle(request, slug, smartcar_id, Permission.COMMAND)
    if kind not in CommandType.values:
        raise Http404("There is no such command.")
    prompt = confirmation_dialog.prompt_for(
        request=request, user=membership.user, fleet=membership.fleet, kind=CommandType(kind)
    )
    if prompt.required and "asked" not in request.POST:
        return confirmation_dialog.render_dialog(
            request, prompt=prompt, fleet=membership.fleet, vehicle=vehicle
        )
    if prompt.ways is not None:
        try:
            reauthentication.verify_from_post(request=request, user=membership.user)
        except reauthentication.ReauthenticationRequiredError as error:
            if not request.user.is_authenticated:
                return redirect("accounts:sign_in")
            return confirmation_dialog.render_dialog(
                request, prompt=prompt, fleet=membership.fleet, vehicle=vehicle, problem=str(error)
            )
    return _response(request, membership, vehicle, _create(request, membership, vehicle, CommandType(kind)))


def _create(request: HttpRequest, membership: Membership, vehicle: Vehicle, kind: CommandType) -> str:
    """Creates the command. Returns why it was rejected, or ""."""
    try:
        data = request.POST.dict()
        if kind == CommandType.SET_DESTINATION:
            data = destination.resolve(fleet=membership.fleet, data=data)
        services.create_command(
            vehicle=vehicle,
            kind=kind,
            user=membership.user,
            data=data,
            reason=request.POST.get("reason", ""),
            anyway="anyway" in request.POST,
        )
    except services.CommandRejectedError as error:
        return str(error)
    return ""


@login_required
@require_POST
def cancel(request: HttpRequest, slug: str, smartcar_id: str, command_id: int) -> HttpResponse:
    """Cancels a command that wasn't sent yet."""
    membership, vehicle = _vehicle(request, slug, smartcar_id, Permission.COMMAND)
    command = get_object_or_404(Command, pk=command_id, vehicle=vehicle)
    cancelled = services.cancel_command(command=command, user=membership.user)
    too_late = _("Too late to cancel: the command is already being sent or is complete.")
    return _response(request, membership, vehicle, "" if cancelled else too_late)


@login_required
@require_POST
def when_online(request: HttpRequest, slug: str, smartcar_id: str, command_id: int) -> HttpResponse:
    """Repeats a command that a sleeping vehicle rejected, to be sent as soon as the vehicle reports."""
    membership, vehicle = _vehicle(request, slug, smartcar_id, Permission.COMMAND)
    rejected = get_object_or_404(Command, pk=command_id, vehicle=vehicle)
    problem = ""
    try:
        services.retry_when_online(command=rejected, user=membership.user)
    except services.CommandRejectedError as error:
        problem = str(error)
    return _response(request, membership, vehicle, problem)


@login_required
@require_GET
def show(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Returns the vehicle's command panel, for polling."""
    membership, vehicle = _vehicle(request, slug, smartcar_id, Permission.VIEW)
    return panel.render_panel(request, membership=membership, vehicle=vehicle)


def _vehicle(
    request: HttpRequest, slug: str, smartcar_id: str, right: Permission
) -> tuple[Membership, Vehicle]:
    membership = get_membership_or_404(user=request.user, slug=slug, right=right)
    vehicle = get_vehicle(fleet=membership.fleet, smartcar_id=smartcar_id)
    if vehicle is None:
        raise Http404("No such vehicle in this fleet.")
    return membership, vehicle


def _response(request: HttpRequest, membership: Membership, vehicle: Vehicle, problem: str) -> HttpResponse:
    if getattr(request, "htmx", False) and request.POST.get("from") == SIDE_PANEL:
        # That panel loads itself again, and shows why a command was rejected.
        return trigger_client_event(HttpResponse(status=204), "command:created", {"problem": problem})
    if getattr(request, "htmx", False):
        response = panel.render_panel(request, membership=membership, vehicle=vehicle, problem=problem)
        return trigger_client_event(response, "command:created")
    if problem:
        messages.error(request, problem)
    return redirect("dashboard:vehicle", slug=membership.fleet.slug, smartcar_id=vehicle.smartcar_id)
