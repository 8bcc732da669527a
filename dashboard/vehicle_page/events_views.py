"""The events tab: the vehicle's event timeline."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from dashboard.vehicle_page.base import EVENTS, vehicle_context
from dashboard.vehicle_page.events import LABELS, EventType, TimelineEvent, list_events, visible_types
from dashboard.vehicle_page.timeline import Page, TimelinePosition


@never_cache
@login_required
@require_GET
def page(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Shows the newest events, or those before `?before=`, of the selected kinds; for htmx only the entries."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id)
    visible = visible_types(frame)
    chosen = [kind for kind in visible if kind in request.GET.getlist("kind")]
    before = TimelinePosition.read(request.GET.get("before", ""))
    found = list_events(frame, kinds=chosen or visible, before=before)
    context: dict[str, Any] = {
        "days": _by_day(found, before),
        "older": _query(chosen, found.older) if found.older else "",
        "newest": _query(chosen, None),
        "before": before,
        "narrowed": bool(chosen),
    }
    if request.headers.get("HX-Target") == "older":
        return render(request, "dashboard/vehicle_page/events_list.html", context)
    context |= frame.context(EVENTS)
    context["kinds"] = [(kind.value, LABELS[kind], kind in chosen) for kind in visible]
    return render(request, "dashboard/vehicle_page/events.html", context)


def _query(chosen: list[EventType], before: TimelinePosition | None) -> str:
    params: list[tuple[str, Any]] = [("kind", kind.value) for kind in chosen]
    return urlencode([*params, ("before", before)] if before else params)


def _by_day(
    found: Page[TimelineEvent], before: TimelinePosition | None
) -> list[tuple[str, list[TimelineEvent]]]:
    """Groups events by day in the fleet's time zone. The day that the previous page ended with has "" as its label."""
    days: list[tuple[str, list[TimelineEvent]]] = []
    last = timezone.localdate(before.at) if before else None
    for event in found.entries:
        day = timezone.localdate(event.at)
        if day != last or not days:
            days.append(("" if day == last else _named(day), []))
        days[-1][1].append(event)
        last = day
    return days


def _named(day: date) -> str:
    return f"{date_format(day, 'l')}, {date_format(day, 'DATE_FORMAT')}"
