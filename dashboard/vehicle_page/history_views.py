"""The history tab: charts of the vehicle's signals, their data, and CSV export."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from core.csv_files import layout_for
from dashboard.vehicle_page.base import HISTORY, VehicleContext, vehicle_context
from dashboard.vehicle_page.chart_summaries import summarize_chart
from dashboard.vehicle_page.charts import build_charts, is_number, plan
from dashboard.vehicle_page.history import (
    LONGEST,
    MAX_SIGNALS,
    RANGES,
    HistoryQuery,
    InvalidQueryError,
    chartable_signals,
    default_signals,
    parse_query,
)
from dashboard.vehicle_page.history_csv import csv_chunks
from dashboard.vehicle_page.signal_groups import grouped
from vehicles.catalogue import Signal
from vehicles.selectors import list_states


@login_required
@require_GET
def page(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Shows the selection and placeholders for the charts, which static/js/history.js loads."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id)
    signals = _chartable(frame)
    problem = ""
    try:
        history_query = _parse(request, signals)
    except InvalidQueryError as error:
        problem = str(error)
        history_query = parse_query(
            {}, codes=(), now=timezone.now(), zone=_zone(), default=default_signals(signals)
        )
    context = frame.context(HISTORY) | _choices(request, history_query, signals)
    context |= {"problem": problem, "zone": timezone.get_current_timezone_name()}
    return render(request, "dashboard/vehicle_page/history.html", context, status=400 if problem else 200)


def _choices(request: HttpRequest, history_query: HistoryQuery, signals: list[Signal]) -> dict[str, Any]:
    """Returns the options, the selected ones, and the entered values."""
    return {
        "groups": grouped(signals, group=lambda signal: signal.group),
        "chosen": {signal.code for signal in history_query.signals},
        "question": history_query,
        "ranges": RANGES,
        "most": MAX_SIGNALS,
        "longest_days": LONGEST.days,
        "typed_from": request.GET.get("from", "")[:40],
        "typed_to": request.GET.get("to", "")[:40],
        # The same number and heights as the charts that will be loaded, so that the layout doesn't shift.
        "placeholders": [
            "lines" if is_number(group[0]) else "band"
            for group in plan(history_query.signals, units="metric")
        ],
    }


@never_cache
@login_required
@require_GET
def data(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Returns the requested charts as JSON; 400 with a message in `error` for an invalid query."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id)
    try:
        history_query = _parse(request, [])
    except InvalidQueryError as error:
        return JsonResponse({"error": str(error)}, status=400)
    charts = build_charts(
        vehicle=frame.vehicle, signals=history_query.signals, start=history_query.start, end=history_query.end
    )
    chart_data = [
        chart.as_dict()
        | {"summary": summarize_chart(chart, start=history_query.start, end=history_query.end)}
        for chart in charts
    ]
    times = {"start": history_query.start.timestamp(), "end": history_query.end.timestamp()}
    return JsonResponse({**times, "query": history_query.query, "charts": chart_data})


@login_required
@require_GET
def file(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponseBase:
    """Streams the charts' points as CSV, with `format=excel` for Excel."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id)
    try:
        history_query = _parse(request, _chartable(frame))
    except InvalidQueryError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    language = translation.get_language() or settings.LANGUAGE_CODE
    parts = csv_chunks(
        vehicle=frame.vehicle,
        signals=history_query.signals,
        start=history_query.start,
        end=history_query.end,
        zone=_zone(),
        language=language,
        layout=layout_for(form=request.GET.get("format", ""), language=language),
    )
    response = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="history-{history_query.end:%Y-%m-%d}.csv"'
    )
    return response


def _chartable(frame: VehicleContext) -> list[Signal]:
    (state,) = list_states(vehicles=[frame.vehicle])
    return chartable_signals(state)


def _parse(request: HttpRequest, signals: list[Signal]) -> HistoryQuery:
    return parse_query(
        request.GET.dict(),
        codes=[str(code) for code in request.GET.getlist("signals")],
        now=timezone.now(),
        zone=_zone(),
        default=default_signals(signals),
    )


def _zone() -> ZoneInfo:
    """Returns the fleet's time zone, as set by the middleware."""
    return ZoneInfo(timezone.get_current_timezone_name())
