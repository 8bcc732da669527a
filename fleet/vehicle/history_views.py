"""The history tab: charts of the car's numbers."""

from dataclasses import asdict
from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from fleet.vehicle import history
from fleet.vehicle.frame import HISTORY, frame_of
from vehicles.catalogue import CATALOGUE, Shape
from vehicles.selectors import states_of


@login_required
@require_GET
def page(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """The car's numbers over time."""
    frame = frame_of(request, slug=slug, smartcar_id=smartcar_id)
    (state,) = states_of(vehicles=[frame.vehicle])
    context = frame.context(HISTORY) | {"charts": history.signals_of(state)}
    return render(request, "fleet/vehicle/history.html", context)


@login_required
@require_GET
def chart(request: HttpRequest, slug: str, smartcar_id: str, code: str) -> HttpResponse:
    """A number signal over the last `?hours=` (at most ten years), as JSON: a history.Chart."""
    frame = frame_of(request, slug=slug, smartcar_id=smartcar_id)
    signal = CATALOGUE.get(code)
    hours = request.GET.get("hours", "24")
    if signal is None or signal.shape is not Shape.NUMBER or not hours.isdecimal() or len(hours) > 6:
        raise Http404("There is no history of that.")
    end = timezone.now()
    start = end - min(timedelta(hours=int(hours)), history.LONGEST)
    drawn = history.chart_of(fleet=frame.fleet, vehicle=frame.vehicle, signal=signal, start=start, end=end)
    return JsonResponse(asdict(drawn))
