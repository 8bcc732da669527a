"""Stores what members did and what happened in the past: connections, commands and alerts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.audit import AuditEvent, AuditObject
from accounts.models import AuditLogEntry, Fleet, Role, User
from alerts import services as alerts
from alerts.models import Alert
from alerts.types import AlertType
from commands.messages import message_columns
from commands.models import AWAITING_SIGNAL, Command, CommandEvent, CommandState
from commands.types import EXPIRY, UNLOCKING
from connect.messages import StateEvidence, StateReason
from connect.models import Connection, ConnectionState, Transition
from core.message_codes import Message
from demo.seeding import derivation
from demo.seeding.derivation import PastCommand
from demo.seeding.plans import FleetPlan
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.encoding import decode
from vehicles.energy import PLUG_IN_HYBRID, WITHOUT_PLUG
from vehicles.models import Reading, Vehicle

Series = dict[int, list[tuple[datetime, Any]]]


def backdate_connections(fleet: Fleet, *, start: datetime) -> None:
    """Makes the fleet's connections and vehicles as old as their history."""
    first = dict(
        Reading.objects.filter(vehicle__fleet=fleet)
        .order_by("vehicle", "observed_at")
        .distinct("vehicle")
        .values_list("vehicle", "observed_at")
    )
    now = timezone.now()
    vehicles = list(Vehicle.objects.filter(fleet=fleet))
    connections = list(Connection.objects.filter(fleet=fleet))
    for vehicle in vehicles:
        vehicle.created_at = max(first.get(vehicle.pk, now), start)
    for connection in connections:
        connection.created_at = max(first.get(connection.vehicle_id, now), start)
        connection.subscribed_at = connection.created_at + timedelta(seconds=2)
        if connection.state == ConnectionState.ACTIVE:
            connection.state_since = connection.created_at + timedelta(seconds=9)
    Vehicle.objects.bulk_update(vehicles, ["created_at"], batch_size=500)
    Connection.objects.bulk_update(
        connections, ["created_at", "subscribed_at", "state_since"], batch_size=500
    )
    began = Transition.objects.filter(
        connection__fleet=fleet, to_state__in=(ConnectionState.PENDING, ConnectionState.ACTIVE)
    )
    transitions = list(began.select_related("connection"))
    for transition in transitions:
        later = timedelta(seconds=9 if transition.from_state else 0)
        transition.at = transition.connection.created_at + later
    Transition.objects.bulk_update(transitions, ["at"], batch_size=500)


def add_commands(fleet: Fleet, plan: FleetPlan, *, start: datetime, now: datetime) -> None:
    """Adds past commands: those that the vehicles' readings confirm, and some that ended otherwise."""
    rng = Random(f"{plan.slug}:commands")  # noqa: S311 - repeatable
    senders = _members(fleet, Role.OWNER, Role.MANAGER)
    locks, charging = _series(fleet, catalogue.IS_LOCKED), _series(fleet, catalogue.IS_CHARGING)
    limits = _series(fleet, catalogue.CHARGE_LIMITS)
    vehicle_ids = sorted({*locks, *charging})
    if not vehicle_ids or not senders:
        return
    past: list[PastCommand] = []
    for vehicle_id in vehicle_ids:
        past += derivation.confirmed_commands(
            rng,
            vehicle_id=vehicle_id,
            locks=list(derivation.changes(locks[vehicle_id])),
            charging=list(derivation.changes(charging[vehicle_id])),
            limit=_limit(limits[vehicle_id]),
        )
    past += derivation.other_commands(
        rng,
        vehicle_ids=vehicle_ids,
        electric_ids=sorted(charging),
        start=start,
        now=now,
        person=str(senders[0]),
    )
    _store_commands(fleet, plan, sorted(past, key=lambda each: each.requested_at), rng=rng, senders=senders)


def _limit(values: Sequence[tuple[datetime, Any]]) -> float | None:
    body = values[-1][1] if values else None
    limit = body.get("activeLimit") if isinstance(body, dict) else None
    return limit if isinstance(limit, int | float) else None


@transaction.atomic
def _store_commands(
    fleet: Fleet, plan: FleetPlan, past: Sequence[PastCommand], *, rng: Random, senders: Sequence[User]
) -> None:
    connections = {each.vehicle_id: each for each in Connection.objects.filter(fleet=fleet)}
    smartcar_ids = dict(Vehicle.objects.filter(fleet=fleet).values_list("pk", "smartcar_id"))
    rows = [
        _command(
            each, fleet=fleet, plan=plan, connection=connections[each.vehicle_id], rng=rng, senders=senders
        )
        for each in past
    ]
    Command.objects.bulk_create(rows)
    CommandEvent.objects.bulk_create(
        CommandEvent(
            command=row,
            state=state,
            at=at,
            **message_columns(each.message if state == row.state else Message()),
        )
        for row, each in zip(rows, past, strict=True)
        for state, at in each.changes
    )
    AuditLogEntry.objects.bulk_create(
        AuditLogEntry(
            fleet=fleet,
            actor_id=row.requested_by_id,
            event=AuditEvent.COMMAND_REQUESTED,
            object_type=AuditObject.VEHICLE,
            object_id=smartcar_ids[row.vehicle_id],
            data={"command": row.kind, "command_id": row.pk},
            at=row.requested_at,
        )
        for row in rows
    )


def _command(
    past: PastCommand,
    *,
    fleet: Fleet,
    plan: FleetPlan,
    connection: Connection,
    rng: Random,
    senders: Sequence[User],
) -> Command:
    times = dict(past.changes)
    ends_at = past.changes[-1][1]
    sent_at = times.get(CommandState.SENDING)
    return Command(
        fleet=fleet,
        vehicle_id=past.vehicle_id,
        connection=connection,
        kind=past.kind,
        parameters=dict(past.parameters),
        api_version=fleet.api_version,
        state=past.state,
        requested_by=rng.choice(senders),
        reason=rng.choice(plan.reasons) if past.kind in UNLOCKING and plan.reasons else "",
        requested_at=past.requested_at,
        expires_at=past.requested_at + EXPIRY[past.kind],
        claimed_at=sent_at,
        sent_at=sent_at,
        attempts=1 if sent_at else 0,
        accepted_at=times.get(CommandState.ACCEPTED),
        settled_at=None
        if past.state in AWAITING_SIGNAL and past.state != CommandState.UNCONFIRMED
        else ends_at,
        changed_at=ends_at,
        error_type=past.error[0],
        error_code=past.error[1],
        **message_columns(past.message),
    )


def add_alerts(fleet: Fleet, plan: FleetPlan, *, now: datetime) -> None:
    """Adds the alerts that low batteries and tanks raised in the past, with who acknowledged them."""
    rng = Random(f"{plan.slug}:alerts")  # noqa: S311 - repeatable
    people = _members(fleet, Role.OWNER, Role.MANAGER)
    charge, fuel = _series(fleet, catalogue.STATE_OF_CHARGE), _series(fleet, catalogue.FUEL_LEVEL)
    rows = []
    for pk, powertrain in Vehicle.objects.filter(fleet=fleet).order_by("pk").values_list("pk", "powertrain"):
        on_fuel = powertrain in WITHOUT_PLUG | PLUG_IN_HYBRID
        levels = (fuel if on_fuel else charge)[pk]
        for low in derivation.low_periods(levels, threshold=plan.low_battery):
            alert = _alert(fleet, pk, low, threshold=plan.low_battery, on_fuel=on_fuel)
            if low.end is not None and people and rng.random() < 0.6:
                share = rng.uniform(0.1, 0.9)
                alert.acknowledged_at = low.start + (low.end - low.start) * share
                alert.acknowledged_by = rng.choice(people)
            rows.append(alert)
    # One that is open already was raised by what the vehicle reported meanwhile.
    Alert.objects.bulk_create(rows, ignore_conflicts=True)
    Alert.objects.filter(fleet=fleet, emailed_at=None, last_raised_at__lt=now - timedelta(hours=1)).update(
        emailed_at=F("last_raised_at")
    )


def _alert(
    fleet: Fleet, vehicle_id: int, low: derivation.LowPeriod, *, threshold: int, on_fuel: bool
) -> Alert:
    return Alert(
        fleet=fleet,
        kind=AlertType.BATTERY,
        vehicle_id=vehicle_id,
        subject_id=vehicle_id,
        payload={"level": round(low.level, 1), "threshold": threshold, "fuel": on_fuel},
        opened_at=low.start,
        last_raised_at=low.start,
        resolved_at=low.end,
    )


def end_access(connections: Iterable[Connection], *, now: datetime) -> None:
    """Records that these drivers must sign in again, as the simulator's errors confirm. One alert is acknowledged."""
    acknowledged = False
    for connection in connections:
        connection.move_to(
            ConnectionState.NEEDS_REAUTHENTICATION,
            now=now,
            reason=StateReason.AUTHENTICATION_FAILED.message(),
            error="CONNECTED_SERVICES_ACCOUNT:AUTHENTICATION_FAILED",
            evidence=StateEvidence.REQUEST.message(request="demo"),
        )
        people = _members(connection.fleet, Role.MANAGER)
        alert = Alert.objects.filter(kind=AlertType.CONNECTION, subject_id=connection.pk).first()
        if alert is not None and people and not acknowledged:
            alerts.acknowledge(
                fleet=connection.fleet,
                kinds=[AlertType.CONNECTION],
                user=people[0],
                now=now,
                alert_id=alert.pk,
            )
            acknowledged = True


def _members(fleet: Fleet, *roles: Role) -> list[User]:
    return list(User.objects.filter(memberships__fleet=fleet, memberships__role__in=roles).order_by("pk"))


def _series(fleet: Fleet, signal: Signal) -> Series:
    """Returns the readings of a signal by vehicle, oldest first."""
    found: Series = defaultdict(list)
    rows = Reading.objects.filter(vehicle__fleet=fleet, signal__code=signal.code)
    columns = rows.order_by("vehicle", "observed_at").values_list("vehicle", "observed_at", "value", "rest")
    for vehicle_id, at, value, rest in columns.iterator():
        body = decode(signal.code, value=value, rest=rest)
        found[vehicle_id].append((at, body.get("value", body)))
    return found
