"""The panel beside the list on the vehicles page: one vehicle's state, its likely commands, and today's events."""

from collections.abc import Mapping
from datetime import datetime
from zlib import crc32

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.permissions import Permission
from commands import preconditions
from commands.panel import panel_context
from commands.preconditions import PreconditionResult
from commands.types import CommandType
from dashboard.vehicle_list.rows import Row, build_rows
from dashboard.vehicle_list.selectors import get_vehicles
from dashboard.vehicle_page.base import VehicleContext
from dashboard.vehicle_page.events import EventType, TimelineEvent, list_events
from vehicles import catalogue
from vehicles.selectors import list_states

_MAX_EVENTS = 6
# Without deliveries, of which a vehicle has hundreds a day.
_EVENT_TYPES = (EventType.ERROR, EventType.COMMAND, EventType.CONNECTION, EventType.SETTINGS)
_ICONS = {
    CommandType.LOCK: "lock",
    CommandType.UNLOCK: "lock-open",
    CommandType.START_CHARGE: "bolt",
    CommandType.STOP_CHARGE: "plug-x",
}


def render_side_panel(request: HttpRequest, *, frame: VehicleContext) -> HttpResponse:
    """Renders the panel; 204 if the page already shows it (`?version=`).

    The number of queries depends neither on the fleet nor on the vehicle's history.
    """
    now = timezone.now()
    found = get_vehicles(fleet=frame.fleet, vehicle_ids=[frame.vehicle.pk], now=now)
    row = next(iter(build_rows(fleet=frame.fleet, vehicles=found, now=now)), None)
    (state,) = list_states(vehicles=[frame.vehicle], signals=preconditions.SIGNALS)
    panel = panel_context(membership=frame.membership, vehicle=frame.vehicle, state=state)
    events = _today(frame, now)
    plugged = state.current_value(catalogue.CABLE_CONNECTED, now=now) is True
    version = _version(row, panel["panel_version"], events)
    if request.GET.get("version") == version:
        return HttpResponse(status=204)
    context = panel | {
        "row": row,
        "likely": _likely_commands(row, panel["verdicts"], plugged) if row and panel["may_command"] else [],
        "events": events[:_MAX_EVENTS],
        "more_events": len(events) > _MAX_EVENTS,
        "may_connect": frame.can(Permission.CONNECT),
        "version": version,
    }
    return render(request, "dashboard/vehicle_page/side_panel.html", context)


def _today(frame: VehicleContext, now: datetime) -> list[TimelineEvent]:
    """Returns today's events in the fleet's time zone, newest first."""
    since = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return [each for each in list_events(frame, kinds=_EVENT_TYPES).entries if each.at >= since]


def _likely_commands(
    row: Row, verdicts: Mapping[str, PreconditionResult], plugged: bool
) -> list[tuple[CommandType, str, bool]]:
    """Returns the commands that change something now, with their icons, and whether it is the one to suggest.

    That is locking an unlocked vehicle. If the lock status is unknown, both directions are offered. Charging is started
    only in a vehicle that is plugged in.
    """
    locked = row.vehicle.locked
    kinds = [
        *([CommandType.LOCK] if locked is not True else []),
        *([CommandType.UNLOCK] if locked is not False else []),
        *([CommandType.STOP_CHARGE] if row.vehicle.charging else []),
        *([CommandType.START_CHARGE] if plugged and not row.vehicle.charging else []),
    ]
    return [
        (kind, _ICONS[kind], kind is CommandType.LOCK and locked is False)
        for kind in kinds
        if kind in verdicts and not verdicts[kind].refusal
    ]


def _version(row: Row | None, panel_version: int, events: list[TimelineEvent]) -> str:
    shown = (
        (row.vehicle, row.place, row.place_hidden, row.freshness, row.level_old, row.lock_old)
        if row
        else None
    )
    listed = [(str(each.position), each.badge) for each in events]
    return str(crc32(f"{shown}{panel_version}{listed}".encode()))
