from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Right, membership_for
from commands import asking, panel
from commands.kinds import Kind
from vehicles.selectors import vehicle_of


@login_required
@require_POST
def ask(request: HttpRequest, slug: str, smartcar_id: str, kind: str) -> HttpResponse:
    """Writes a command down, and answers with the car's panel (or its page, without htmx)."""
    membership = membership_for(user=request.user, slug=slug, right=Right.COMMAND)
    vehicle = vehicle_of(fleet=membership.fleet, smartcar_id=smartcar_id)
    if vehicle is None or kind not in Kind.values:
        raise Http404("There is no such car or command in this fleet.")
    problem = ""
    try:
        asking.request(vehicle=vehicle, kind=Kind(kind), user=membership.user, given=request.POST.dict())
    except asking.NotPossibleError as error:
        problem = str(error)
    if getattr(request, "htmx", False):
        return panel.render_panel(request, membership=membership, vehicle=vehicle, problem=problem)
    if problem:
        messages.error(request, problem)
    return redirect("fleet:vehicle", slug=slug, smartcar_id=smartcar_id)


@login_required
@require_GET
def show(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """The car's panel, for the page to keep it current."""
    membership = membership_for(user=request.user, slug=slug, right=Right.VIEW)
    vehicle = vehicle_of(fleet=membership.fleet, smartcar_id=smartcar_id)
    if vehicle is None:
        raise Http404("There is no such car in this fleet.")
    return panel.render_panel(request, membership=membership, vehicle=vehicle)
