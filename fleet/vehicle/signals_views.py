"""The signals tab: everything that the car has told."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from fleet.vehicle.frame import SIGNALS, Frame, frame_of
from vehicles.catalogue import CATALOGUE
from vehicles.models import LatestSignal
from vehicles.selectors import states_of


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled signal."""

    label: str
    row: LatestSignal


@login_required
@require_GET
def page(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Every signal of the car."""
    frame = frame_of(request, slug=slug, smartcar_id=smartcar_id)
    return render(request, "fleet/vehicle/signals.html", frame.context(SIGNALS) | _context(frame))


@login_required
@require_GET
def table(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """The table of the signals alone."""
    frame = frame_of(request, slug=slug, smartcar_id=smartcar_id)
    return render(request, "fleet/vehicle/signals_table.html", _context(frame))


def _context(frame: Frame) -> dict[str, Any]:
    (state,) = states_of(vehicles=[frame.vehicle])
    labelled = [
        Item(str(CATALOGUE[code].label) if code in CATALOGUE else code, row)
        for code, row in state.signals.items()
    ]
    return {"fleet": frame.fleet, "all_signals": sorted(labelled, key=lambda item: item.label.lower())}
