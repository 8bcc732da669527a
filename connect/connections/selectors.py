"""Connections as a manager's page shows them. Each query is limited to one fleet."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.utils.translation import gettext

from accounts.models import Fleet
from connect.connections.next_actions import NextAction, next_action
from connect.models import Connection, ConnectionState, DriverPortal, Transition
from connect.scopes import PermissionScope, with_reasons
from connect.status.states import DEGRADED, HEALTHY
from connect.virtual_key import KeyStatus, key_rows, key_status
from vehicles import catalogue
from vehicles.models import LatestSignal

NEEDS_ATTENTION = "trouble"
PAGE_SIZE = 50
_TRANSITIONS = 100


@dataclass(frozen=True, slots=True)
class Driver:
    """The driver who shares a vehicle: name and email address, as far as they are known."""

    name: str = ""
    email: str = ""

    def __str__(self) -> str:
        return self.name or gettext("Unknown driver")


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """One connection. `shared_by` is the number of drivers who share the vehicle with the fleet now, `vehicles` the
    number of vehicles that its driver shares. `key_missing`: a Tesla reports that it has no virtual key."""

    connection: Connection
    driver: Driver
    step: NextAction
    shared_by: int
    vehicles: int
    key_missing: bool = False


def list_connections(*, fleet: Fleet, state: str = "", search: str = "") -> QuerySet[Connection]:
    """Returns the fleet's connections, degraded ones first, then by vehicle.

    `state` is one of ConnectionState or NEEDS_ATTENTION; "" means all except removed ones.
    `search` is part of a vehicle's name, plate, make or model, or of its driver's name.
    """
    found = Connection.objects.filter(fleet=fleet).select_related("vehicle")
    if state == NEEDS_ATTENTION:
        found = found.filter(state__in=DEGRADED)
    elif state in ConnectionState.values:
        found = found.filter(state=state)
    else:
        found = found.exclude(state=ConnectionState.REMOVED)
    if search:
        drivers = DriverPortal.objects.filter(fleet=fleet, driver_name__icontains=search)
        words = Q(smartcar_user_id__in=drivers.values("smartcar_user_id"))
        for column in ("name", "plate", "make", "model"):
            words |= Q(**{f"vehicle__{column}__icontains": search})
        found = found.filter(words)
    degraded_first = Case(When(state__in=DEGRADED, then=Value(0)), default=Value(1))
    return found.order_by(degraded_first, "vehicle__name", "vehicle__make", "vehicle__model", "pk")


def count_by_status(*, fleet: Fleet) -> dict[str, int]:
    """Returns the number of connections by state; "" counts all except removed ones, NEEDS_ATTENTION degraded ones."""
    by_state = dict(
        Connection.objects.filter(fleet=fleet).order_by().values_list("state").annotate(Count("pk"))
    )
    counts = {state.value: by_state.get(state, 0) for state in ConnectionState}
    counts[""] = sum(counts.values()) - counts[ConnectionState.REMOVED]
    counts[NEEDS_ATTENTION] = sum(by_state.get(state, 0) for state in DEGRADED)
    return counts


def count_healthy_and_degraded(*, fleet: Fleet) -> tuple[int, int]:
    """Returns the numbers of the fleet's healthy and degraded connections, without removed ones, in one query."""
    counts = Connection.objects.filter(fleet=fleet).aggregate(
        healthy=Count("pk", filter=Q(state__in=HEALTHY)), degraded=Count("pk", filter=Q(state__in=DEGRADED))
    )
    return counts["healthy"], counts["degraded"]


def connection_rows(*, fleet: Fleet, connections: Iterable[Connection], now: datetime) -> list[ConnectionRow]:
    """Returns these connections of the fleet with their drivers and next actions, in three or (Tesla) four queries."""
    shown = list(connections)
    keys = key_rows(each.vehicle for each in shown)
    users = {each.smartcar_user_id for each in shown}
    drivers = list_drivers(fleet=fleet, smartcar_user_ids=users)
    current = Connection.objects.filter(fleet=fleet).exclude(
        state__in=[ConnectionState.REMOVED, ConnectionState.REVOKED]
    )
    shared_by = _count_by(current.filter(vehicle__in=[each.vehicle_id for each in shown]), "vehicle_id")
    vehicles = _count_by(current.filter(smartcar_user_id__in=users), "smartcar_user_id")
    return [
        ConnectionRow(
            connection=each,
            driver=drivers.get(each.smartcar_user_id, Driver()),
            step=next_action(each, now=now),
            shared_by=shared_by.get(each.vehicle_id, 0),
            vehicles=vehicles.get(each.smartcar_user_id, 0),
            key_missing=key_status(each.vehicle, keys.get(each.vehicle_id)) is KeyStatus.MISSING,
        )
        for each in shown
    ]


def _count_by(connections: QuerySet[Connection], column: str) -> dict[int | str, int]:
    other = "smartcar_user_id" if column == "vehicle_id" else "vehicle_id"
    return dict(connections.order_by().values_list(column).annotate(Count(other, distinct=True)))


def list_drivers(*, fleet: Fleet, smartcar_user_ids: Iterable[str]) -> dict[str, Driver]:
    """Returns the known drivers by Smartcar user ID. The latest driver portal takes precedence."""
    pages = DriverPortal.objects.filter(fleet=fleet, smartcar_user_id__in=list(smartcar_user_ids))
    return {
        page.smartcar_user_id: Driver(page.driver_name, page.driver_email)
        for page in pages.order_by("created_at")
    }


def get_connection(*, fleet: Fleet, connection_id: int) -> Connection | None:
    """Returns the fleet's connection with this ID, or None."""
    found = Connection.objects.select_related("vehicle", "fleet", "tokens", "application")
    return found.filter(fleet=fleet, pk=connection_id).first()


def list_transitions(*, connection: Connection) -> list[Transition]:
    """Returns the latest changes of the connection's state, newest first."""
    return list(connection.transitions.all()[:_TRANSITIONS])


def related_connections(*, connection: Connection) -> tuple[list[Connection], list[Connection]]:
    """Returns other drivers' connections to the vehicle, and the driver's other vehicles, without removed ones."""
    others = (
        Connection.objects.filter(fleet_id=connection.fleet_id)
        .exclude(pk=connection.pk)
        .exclude(state=ConnectionState.REMOVED)
        .select_related("vehicle")
        .order_by("pk")
    )
    same_vehicle = list(others.filter(vehicle_id=connection.vehicle_id))
    same_driver = others.filter(smartcar_user_id=connection.smartcar_user_id)
    return same_vehicle, list(same_driver.exclude(vehicle_id=connection.vehicle_id))


def page_version(*, connection: Connection) -> str:
    """Returns a version that changes with the connection's state as its page shows it."""
    displayed = (
        connection.state,
        connection.state_since,
        connection.subscription_error,
        connection.subscribed_at,
    )
    pending_issues = sorted(connection.pending_issues.values_list("state", flat=True))
    return f"{crc32(f'{displayed}{pending_issues}'.encode())}"


def missing_scopes(*, connection: Connection, requested: Iterable[str]) -> list[PermissionScope]:
    """Returns the requested scopes that the driver didn't grant; none if the granted scopes are unknown."""
    if not connection.scopes:
        return []
    return with_reasons(name for name in requested if name not in connection.scopes)


def battery_unknown(*, connection: Connection) -> bool:
    """Returns whether the driver has to select one of several battery sizes ("User Selected Battery Capacity")."""
    row = LatestSignal.objects.filter(
        vehicle_id=connection.vehicle_id, code=catalogue.NOMINAL_CAPACITY.code
    ).first()
    body = row.body if row else None
    return bool(body and body.get("capacity") is None and body.get("availableCapacities"))


def is_platform_outdated(*, connection: Connection) -> bool:
    """Returns whether Smartcar reports that the manufacturer's interface of this connection doesn't support some data.

    A new sign-in moves the vehicle to the current interface ("PLATFORM_NOT_CAPABLE").
    """
    return LatestSignal.objects.filter(
        vehicle_id=connection.vehicle_id,
        error_code="PLATFORM_NOT_CAPABLE",
        reported_at__gt=connection.state_since,
    ).exists()
