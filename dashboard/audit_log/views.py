"""A fleet's audit log as a page and as CSV."""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry
from accounts.permissions import Permission, get_membership_or_404
from core.csv_files import CsvLayout, layout_for
from dashboard.audit_log.selectors import list_entries, list_people, parse_filters, vehicle_names
from dashboard.audit_log.wording import entry_details, event_label, object_label

PAGE_SIZE = 50
HEAD = ("time", "person", "event", "object_type", "object_id", "object", "details")


@never_cache
@login_required
@require_GET
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Lists the entries that match the filters, newest first."""
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.AUDIT).fleet
    filters = parse_filters(request.GET)
    found = Paginator(list_entries(fleet=fleet, filters=filters), PAGE_SIZE).get_page(request.GET.get("page"))
    vehicles = vehicle_names(fleet=fleet)
    context = {
        "fleet": fleet,
        "page": found,
        "rows": [
            {
                "entry": entry,
                "event": event_label(entry),
                "vehicle": vehicles.get(entry.object_id, "") if entry.object_type == "vehicle" else "",
                "object": object_label(entry),
                "details": entry_details(entry),
            }
            for entry in found
        ],
        "filters": filters,
        "events": sorted(AuditEvent.choices, key=lambda choice: str(choice[1])),
        "people": list_people(fleet=fleet),
        "vehicles": sorted(vehicles.items(), key=lambda item: item[1].casefold()),
    }
    return render(request, "dashboard/audit_log/page.html", context)


@never_cache
@login_required
@require_GET
def export(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Streams all matching entries as CSV, with `format=excel` for Excel.

    Times are in the fleet's time zone, with offset.
    """
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.AUDIT).fleet
    entries = list_entries(fleet=fleet, filters=parse_filters(request.GET))
    # The rows are generated after the middleware has reset time zone and language.
    language = translation.get_language() or settings.LANGUAGE_CODE
    rows = _rows(entries.iterator(chunk_size=500), timezone.get_current_timezone_name(), language)
    layout = layout_for(form=request.GET.get("format", ""), language=language)
    answer = StreamingHttpResponse(_lines(rows, layout), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="audit-log-{fleet.slug}.csv"'
    return answer


def _rows(entries: Iterable[AuditLogEntry], zone: str, language: str) -> Iterator[tuple[str, ...]]:
    yield HEAD
    for entry in entries:
        with timezone.override(zone), translation.override(language):
            yield (
                timezone.localtime(entry.at).isoformat(timespec="seconds"),
                entry.actor.email if entry.actor is not None else "",
                event_label(entry),
                entry.object_type,
                entry.object_id,
                object_label(entry),
                "; ".join(entry_details(entry)),
            )


def _lines(rows: Iterable[tuple[str, ...]], layout: CsvLayout) -> Iterator[str]:
    yield layout.start
    for row in rows:
        yield layout.lines([row])
