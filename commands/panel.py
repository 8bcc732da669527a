"""The command panel of a vehicle's page: lock state, buttons, and recent commands with their results."""

from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any
from zlib import crc32

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import Membership
from accounts.permissions import Permission, has_permission
from commands import parameters, preconditions
from commands.models import CommandState
from commands.preconditions import PreconditionResult
from commands.schedules import reported_schedules, types_for
from commands.selectors import incapable_command_types, list_recent_commands
from commands.types import CHARGING, LOCKING, CommandType
from connect import health
from connect.models import Connection
from vehicles import catalogue
from vehicles.charge_limits import active_limit
from vehicles.models import Vehicle
from vehicles.selectors import VehicleState, list_states


def panel_context(
    *,
    membership: Membership,
    vehicle: Vehicle,
    problem: str = "",
    state: VehicleState | None = None,
    connections: Sequence[Connection] | None = None,
) -> dict[str, Any]:
    """Returns the context of commands/panel.html. `busy` is set while a command is being sent to the vehicle.

    `locked` is the signal with the last known lock status, `lock_now` the current one (vehicles.current_state), or None
    if it is unknown. `verdicts` has an entry for each supported command type. `state` and `connections` (newest first)
    can be passed in if they are already loaded.
    """
    commands = list_recent_commands(vehicle=vehicle, limit=3)
    if state is None:
        (state,) = list_states(
            vehicles=[vehicle], signals=(*preconditions.SIGNALS, catalogue.PRECISE_LOCATION)
        )
    now = timezone.now()
    locked = state.signal(catalogue.IS_LOCKED)
    lock_now = state.current_value(catalogue.IS_LOCKED, now=now)
    lock = locked and locked.observed_at, lock_now
    states = [f"{command.pk}:{command.state}" for command in commands]
    connection = (
        health.best_connection(vehicle_id=vehicle.pk)
        if connections is None
        else _best_connection(connections)
    )
    verdicts = _preconditions(state, connection)
    limit = _charge_limit(state)
    schedules = reported_schedules(state)
    place = state.signal(catalogue.PRECISE_LOCATION)
    shown = f"{states}{lock}{verdicts}{limit}{schedules}{connection and connection.state}"
    return {
        "panel_version": crc32(shown.encode()),
        "fleet": membership.fleet,
        "vehicle": vehicle,
        "locked": locked,
        "lock_now": lock_now,
        "commands": commands,
        "busy": any(command.state in (CommandState.REQUESTED, CommandState.SENDING) for command in commands),
        "may_command": has_permission(membership=membership, right=Permission.COMMAND),
        "connected": connection is not None,
        "verdicts": verdicts,
        "charging_commands": any(kind in verdicts for kind in CHARGING),
        "charging_refusal": _common_refusal(verdicts),
        "locking_words": _join_messages(verdicts, LOCKING),
        "connection_warning": preconditions.connection_warning(connection) if connection is not None else "",
        "charge_limit": limit,
        "least_limit": parameters.LEAST_LIMIT,
        "most_limit": parameters.MOST_LIMIT,
        "schedules": schedules,
        "schedules_mark": crc32(str(schedules).encode()),
        "schedule_types": types_for(vehicle.make),
        "place": place.body if place else None,
        "problem": problem,
    }


def _best_connection(connections: Sequence[Connection]) -> Connection | None:
    """Returns the connection that health.best_connection would, as the newest comes first."""
    return min((each for each in connections if each.alive), key=attrgetter("rank"), default=None)


def _preconditions(state: VehicleState, connection: Connection | None) -> dict[str, PreconditionResult]:
    if connection is None:
        return {}
    incapable = incapable_command_types(vehicle=state.vehicle, now=timezone.now())
    return {
        kind.value: preconditions.check(kind=kind, state=state, connection=connection, incapable=incapable)
        for kind in CommandType
        if preconditions.is_supported(kind=kind, state=state, connection=connection)
    }


def _join_messages(verdicts: dict[str, PreconditionResult], kinds: Collection[str]) -> str:
    """Joins all refusals and hints of these commands, without duplicates."""
    texts = [verdict.refusal or verdict.hint for kind, verdict in verdicts.items() if kind in kinds]
    return " ".join(dict.fromkeys(filter(None, texts)))


def _common_refusal(verdicts: dict[str, PreconditionResult]) -> str:
    """Returns the refusal that all charging commands share, to be shown once; else ""."""
    refusals = {verdict.refusal for kind, verdict in verdicts.items() if kind in CHARGING}
    return refusals.pop() if len(refusals) == 1 else ""


def _charge_limit(state: VehicleState) -> int | None:
    """Returns the active limit in whole percent if it is known and can be set."""
    active = active_limit(state.signal(catalogue.CHARGE_LIMITS))
    if active is None or not parameters.LEAST_LIMIT <= active <= parameters.MOST_LIMIT:
        return None
    return round(active)


def render_panel(
    request: HttpRequest, *, membership: Membership, vehicle: Vehicle, problem: str = ""
) -> HttpResponse:
    """Renders the panel as a fragment, or returns 204 if the page already shows it (`?version=`)."""
    context = panel_context(membership=membership, vehicle=vehicle, problem=problem)
    if request.GET.get("version") == str(context["panel_version"]):
        return HttpResponse(status=204)
    return render(request, "commands/panel.html", context)
