"""The command panel of a vehicle's page: lock state, buttons, and recent commands with their results."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from zlib import crc32

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Fleet, Membership
from accounts.permissions import Permission, has_permission
from commands import parameters, preconditions
from commands.models import CommandState
from commands.preconditions import PreconditionResult
from commands.scheduled.selectors import list_for_vehicle
from commands.scheduled.wording import timing_words
from commands.schedules import reported_schedules, types_for
from commands.selectors import incapable_command_types, list_recent_commands
from commands.types import CHARGING, LOCKING, CommandType
from connect import health
from connect.models import Connection
from vehicles import catalogue
from vehicles.charge_limits import limit_in_effect, limits_by_current, limits_span
from vehicles.formatting import with_symbol
from vehicles.models import Place, Vehicle
from vehicles.places.selectors import list_places
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
    if it is unknown. `verdicts` has an entry for each supported command type, and `likely` those to suggest. `state`
    and `connections` (newest first) can be passed in if they are already loaded.
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
    may_command = has_permission(membership=membership, right=Permission.COMMAND)
    likely = _likely(verdicts, state, now)
    scheduled = [(each, timing_words(each)) for each in list_for_vehicle(vehicle=vehicle)]
    planned = [(each.pk, each.paused_at) for each, _words in scheduled]
    shown = f"{planned}{states}{sorted(likely)}{lock}{verdicts}{limit}{schedules}{connection and connection.state}"
    return {
        "panel_version": crc32(shown.encode()),
        "fleet": membership.fleet,
        "vehicle": vehicle,
        "locked": locked,
        "lock_now": lock_now,
        "commands": commands,
        "busy": any(command.state in (CommandState.REQUESTED, CommandState.SENDING) for command in commands),
        "may_command": may_command,
        "connected": connection is not None,
        "verdicts": verdicts,
        "likely": likely,
        "scheduled": scheduled,
        "charging_commands": any(kind in verdicts for kind in CHARGING),
        "charging_refusal": _common_refusal(verdicts),
        "locking_anyway": _sendable_anyway(verdicts, LOCKING),
        "charging_anyway": _sendable_anyway(verdicts, CHARGING),
        "locking_words": _join_messages(verdicts, LOCKING),
        "connection_warning": preconditions.connection_warning(connection) if connection is not None else "",
        "charge_limit": limit,
        "least_limit": parameters.LEAST_LIMIT,
        "most_limit": parameters.MOST_LIMIT,
        "schedules": schedules,
        "schedules_mark": crc32(str(schedules).encode()),
        "schedule_types": types_for(vehicle.make),
        "place": place.body if place else None,
        "places": _places(verdicts, membership.fleet) if may_command else [],
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
    texts = [verdict.reason or verdict.hint for kind, verdict in verdicts.items() if kind in kinds]
    return " ".join(dict.fromkeys(filter(None, texts)))


def _places(verdicts: Mapping[str, PreconditionResult], fleet: Fleet) -> list[Place]:
    """Returns the places to send as a destination, unless the vehicle takes none."""
    verdict = verdicts.get(CommandType.SET_DESTINATION)
    return [] if verdict is None or verdict.refusal else list(list_places(fleet=fleet))


def _sendable_anyway(
    verdicts: Mapping[str, PreconditionResult], kinds: Collection[CommandType]
) -> list[CommandType]:
    """Returns the commands that only an obstacle prevents, in the order of the buttons."""
    return [
        kind
        for kind in CommandType
        if kind in kinds and (found := verdicts.get(kind)) and found.obstacle and not found.refusal
    ]


def _common_refusal(verdicts: dict[str, PreconditionResult]) -> str:
    """Returns the refusal that all charging commands share, to be shown once; else ""."""
    refusals = {verdict.refusal for kind, verdict in verdicts.items() if kind in CHARGING}
    return refusals.pop() if len(refusals) == 1 else ""


@dataclass(frozen=True, slots=True)
class ChargeLimit:
    """The vehicle's own limits as text, and the one to start from in whole percent, if one is known and can be set."""

    words: str = ""
    percent: int | None = None


def _charge_limit(state: VehicleState) -> ChargeLimit:
    row = state.signal(catalogue.CHARGE_LIMITS)
    if row is None or row.body is None:
        return ChargeLimit()
    if (active := limit_in_effect(row.body)) is not None:
        return ChargeLimit(
            _("The vehicle's limit: %(limit)s") % {"limit": _percent(active)}, _settable(active)
        )
    if by_current := limits_by_current(row.body):
        limits = ", ".join(f"{current} {_percent(limit)}" for current, limit in by_current.items())
        # A manager sets the limit for the depot's chargers, which are AC.
        first = next(iter(by_current.values()))
        return ChargeLimit(_("The vehicle's limits: %(limits)s") % {"limits": limits}, _settable(first))
    if span := limits_span(row.body):
        limits = f"{_percent(span[0])} – {_percent(span[1])}"
        return ChargeLimit(_("The vehicle's limits, by location: %(limits)s") % {"limits": limits})
    return ChargeLimit()


def _percent(limit: float) -> str:
    return with_symbol(f"{limit:.0f}", "%")


def _settable(limit: float) -> int | None:
    return round(limit) if parameters.LEAST_LIMIT <= limit <= parameters.MOST_LIMIT else None


def _likely(verdicts: Mapping[str, PreconditionResult], state: VehicleState, now: datetime) -> set[str]:
    """Returns the commands that are likely wanted next: locking what is unlocked, and charging what is plugged in.

    A state that is unknown suggests nothing, and unlocking is never suggested.
    """
    wanted = set()
    if state.current_value(catalogue.IS_LOCKED, now=now) is False:
        wanted.add(CommandType.LOCK.value)
    plugged = state.current_value(catalogue.CABLE_CONNECTED, now=now) is True
    if plugged and state.current_value(catalogue.IS_CHARGING, now=now) is False:
        wanted.add(CommandType.START_CHARGE.value)
    return {kind for kind in wanted if kind in verdicts and not verdicts[kind].reason}


def render_panel(
    request: HttpRequest, *, membership: Membership, vehicle: Vehicle, problem: str = ""
) -> HttpResponse:
    """Renders the panel as a fragment, or returns 204 if the page already shows it (`?version=`)."""
    context = panel_context(membership=membership, vehicle=vehicle, problem=problem)
    if request.GET.get("version") == str(context["panel_version"]):
        return HttpResponse(status=204)
    return render(request, "commands/panel.html", context)
