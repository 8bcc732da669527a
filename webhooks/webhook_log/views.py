"""The webhook log: of a fleet for its managers, of the whole site for staff."""

from typing import Any
from zlib import crc32

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.permissions import Permission, get_membership_or_404
from vehicles.selectors import get_vehicle, list_vehicles
from webhooks.models import EntryState, InboxEntry
from webhooks.replay import replay
from webhooks.webhook_log.payloads import payload_for
from webhooks.webhook_log.queries import Filters, event_label, list_deliveries
from webhooks.webhook_log.stats import get_stats
from webhooks.webhook_log.visibility import LogScope, log_vin_view

_VEHICLES_OFFERED = 500
# What staff need in order to see the deliveries of all fleets, and to have them processed again.
_STAFF_RIGHT = "webhooks.view_inboxentry"
_STAFF_RIGHT_TO_REPROCESS = "webhooks.change_inboxentry"


@never_cache
@login_required
@require_GET
def webhook_log(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Shows the deliveries with statistics and filters."""
    scope = _scope(request, slug)
    context = _context(request, scope)
    context["vehicles"] = list_vehicles(fleet=scope.fleet)[:_VEHICLES_OFFERED] if scope.fleet else []
    return render(request, "webhooks/webhook_log.html", context)


@never_cache
@login_required
@require_GET
def entries(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Returns the statistics and the list, to update an open page; 204 if they haven't changed."""
    context = _context(request, _scope(request, slug))
    if request.GET.get("version") == str(context["version"]):
        return HttpResponse(status=204)
    return render(request, "webhooks/entries.html", context)


@never_cache
@login_required
@require_GET
def delivery(request: HttpRequest, entry_id: int, slug: str = "") -> HttpResponse:
    """Shows one delivery with its result and body."""
    scope = _scope(request, slug)
    entry = _entry(scope, entry_id)
    context = _delivery_context(request, scope, entry) | {"body": payload_for(entry=entry, scope=scope)}
    return render(request, "webhooks/delivery.html", context)


@never_cache
@login_required
@require_POST
@sensitive_variables()
def show_vin(request: HttpRequest, slug: str, entry_id: int) -> HttpResponse:
    """Shows one delivery with its VINs to the fleet's members, and records that in the audit log."""
    scope = _scope(request, slug)
    entry = _entry(scope, entry_id)
    log_vin_view(entry=entry, scope=scope, actor=request.user)  # type: ignore[arg-type]
    body = payload_for(entry=entry, scope=scope, with_vin=True)
    return render(
        request, "webhooks/delivery.html", _delivery_context(request, scope, entry) | {"body": body}
    )


@never_cache
@login_required
@require_GET
def outcome(request: HttpRequest, entry_id: int, slug: str = "") -> HttpResponse:
    """Returns the result of a delivery, to update its open page; 204 if it hasn't changed."""
    scope = _scope(request, slug)
    context = _delivery_context(request, scope, _entry(scope, entry_id))
    if request.GET.get("version") == str(context["version"]):
        return HttpResponse(status=204)
    return render(request, "webhooks/outcome.html", context)


@login_required
@require_POST
def process_again(request: HttpRequest, entry_id: int, slug: str = "") -> HttpResponse:
    """Queues a delivery for reprocessing."""
    scope = _scope(request, slug)
    entry = _entry(scope, entry_id)
    if scope.fleet is None and not request.user.has_perm(_STAFF_RIGHT_TO_REPROCESS):
        raise PermissionDenied(
            _("Your permissions on this site let you view deliveries, not reprocess them.")
        )
    if replay(entries=InboxEntry.objects.filter(pk=entry.pk)):
        log_event(
            fleet=scope.fleet,
            actor=request.user,  # type: ignore[arg-type]
            event=AuditEvent.DELIVERY_REPROCESSED,
            about=(AuditObject.DELIVERY, entry.pk),
        )
        message = _("Reprocessing requested. Data already recorded won't be recorded again.")
        messages.success(request, message)
    else:
        messages.error(request, _why_not(entry))
    return redirect(_address("delivery", scope, entry.pk))


def _why_not(entry: InboxEntry) -> str:
    if entry.state == EntryState.WAITING:
        return _("This delivery is already queued for processing.")
    return _("The body wasn't stored, so this delivery can't be reprocessed.")


def _scope(request: HttpRequest, slug: str) -> LogScope:
    if slug:
        return LogScope(get_membership_or_404(user=request.user, slug=slug, right=Permission.INSPECT).fleet)
    if not (request.user.is_authenticated and request.user.is_staff and request.user.has_perm(_STAFF_RIGHT)):
        raise PermissionDenied(_("Only site administrators can view deliveries for all fleets."))
    return LogScope(None)


def _entry(scope: LogScope, entry_id: int) -> InboxEntry:
    entry = scope.entries().filter(pk=entry_id).first()
    if entry is None:
        raise Http404("There is no such message among those that you may see.")
    return entry


def _address(view: str, scope: LogScope, *args: int) -> str:
    if scope.fleet is None:
        return reverse(f"webhooks:site_{view}", args=args)
    return reverse(f"webhooks:{view}", args=[scope.fleet.slug, *args])


def _context(request: HttpRequest, scope: LogScope) -> dict[str, Any]:
    filters = Filters(request.GET)
    stats = get_stats(scope=scope)
    page = list_deliveries(scope=scope, filters=filters)
    listed = [(row.entry.pk, row.entry.state, row.entry.attempts, row.vehicle) for row in page.rows]
    query = {name: value for name, value in filters.chosen.items() if value}
    return {
        "fleet": scope.fleet,
        "filters": filters,
        "question": query,
        "overview": stats,
        "page": page,
        "inbox_url": _address("log", scope),
        "entries_url": _address("entries", scope),
        "version": crc32(f"{stats}{listed}{query}".encode()),
    }


def _delivery_context(request: HttpRequest, scope: LogScope, entry: InboxEntry) -> dict[str, Any]:
    seconds = (entry.processed_at - entry.received_at).total_seconds() if entry.processed_at else None
    shown = (entry.state, entry.attempts, entry.note_code, entry.processed_at, entry.next_try_at)
    vehicle = get_vehicle(fleet=scope.fleet, smartcar_id=entry.smartcar_vehicle_id) if scope.fleet else None
    return {
        "fleet": scope.fleet,
        "entry": entry,
        "kind": event_label(entry),
        "vehicle": vehicle,
        "took": seconds,
        "is_waiting": entry.state == EntryState.WAITING,
        "may_replay": entry.state != EntryState.WAITING and bool(entry.body),
        "traceback": entry.traceback if request.user.is_staff else "",
        "inbox_url": _address("log", scope),
        "outcome_url": _address("outcome", scope, entry.pk),
        "replay_url": _address("reprocess", scope, entry.pk),
        "vin_url": _address("vin", scope, entry.pk) if scope.fleet is not None else "",
        "version": crc32(repr(shown).encode()),
    }
