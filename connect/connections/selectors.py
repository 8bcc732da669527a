"""Connections as a manager's page shows them. Every query is of one fleet."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.utils.translation import gettext

from accounts.models import Fleet
from connect.connections.next_actions import Step, next_step
from connect.models import Connection, ConnectionState, DriverPage, Transition
from connect.scopes import FLEET_SCOPES, Scope, described
from connect.status.states import TROUBLED
from vehicles import catalogue
from vehicles.models import LatestSignal

TROUBLE = "trouble"
A_PAGE = 50
_TRANSITIONS = 100


@dataclass(frozen=True, slots=True)
class Driver:
    """Who shares a car: a name if it is known, and where letters go."""

    name: str = ""
    email: str = ""

    def __str__(self) -> str:
        return self.name or gettext("Driver without a name here")


@dataclass(frozen=True, slots=True)
class Row:
    """One connection. `shared_by` is how many drivers share this car with the fleet at present, `cars` how many
    cars its driver shares."""

    connection: Connection
    driver: Driver
    step: Step
    shared_by: int
    cars: int


def connections_of(*, fleet: Fleet, state: str = "", search: str = "") -> QuerySet[Connection]:
    """The fleet's connections, those in trouble first, then by car.

    `state` is one of ConnectionState or TROUBLE; "" is all but the removed.
    `search` is part of a car's name, plate, make or model, or of its driver's name.
    """
    found = Connection.objects.filter(fleet=fleet).select_related("vehicle")
    if state == TROUBLE:
        found = found.filter(state__in=TROUBLED)
    elif state in ConnectionState.values:
        found = found.filter(state=state)
    else:
        found = found.exclude(state=ConnectionState.REMOVED)
    if search:
        drivers = DriverPage.objects.filter(fleet=fleet, driver_name__icontains=search)
        words = Q(smartcar_user_id__in=drivers.values("smartcar_user_id"))
        for column in ("name", "plate", "make", "model"):
            words |= Q(**{f"vehicle__{column}__icontains": search})
        found = found.filter(words)
    in_trouble = Case(When(state__in=TROUBLED, then=Value(0)), default=Value(1))
    return found.order_by(in_trouble, "vehicle__name", "vehicle__make", "vehicle__model", "pk")


def counts_of(*, fleet: Fleet) -> dict[str, int]:
    """How many connections of the fleet are in each state; all of them but the removed, and those in trouble."""
    by_state = dict(
        Connection.objects.filter(fleet=fleet).order_by().values_list("state").annotate(Count("pk"))
    )
    counts = {state.value: by_state.get(state, 0) for state in ConnectionState}
    counts[""] = sum(counts.values()) - counts[ConnectionState.REMOVED]
    counts[TROUBLE] = sum(by_state.get(state, 0) for state in TROUBLED)
    return counts


def rows_of(*, fleet: Fleet, connections: Iterable[Connection], now: datetime) -> list[Row]:
    """These connections of the fleet with their drivers and next steps, in three queries."""
    shown = list(connections)
    users = {each.smartcar_user_id for each in shown}
    drivers = drivers_of(fleet=fleet, smartcar_user_ids=users)
    together = Connection.objects.filter(fleet=fleet).exclude(
        state__in=[ConnectionState.REMOVED, ConnectionState.REVOKED]
    )
    shared_by = _counted(together.filter(vehicle__in=[each.vehicle_id for each in shown]), "vehicle_id")
    cars = _counted(together.filter(smartcar_user_id__in=users), "smartcar_user_id")
    return [
        Row(
            connection=each,
            driver=drivers.get(each.smartcar_user_id, Driver()),
            step=next_step(each, now=now),
            shared_by=shared_by.get(each.vehicle_id, 0),
            cars=cars.get(each.smartcar_user_id, 0),
        )
        for each in shown
    ]


def _counted(connections: QuerySet[Connection], column: str) -> dict[int | str, int]:
    other = "smartcar_user_id" if column == "vehicle_id" else "vehicle_id"
    return dict(connections.order_by().values_list(column).annotate(Count(other, distinct=True)))


def drivers_of(*, fleet: Fleet, smartcar_user_ids: Iterable[str]) -> dict[str, Driver]:
    """The drivers by Smartcar user id, as far as the fleet knows their names; the newest page counts."""
    pages = DriverPage.objects.filter(fleet=fleet, smartcar_user_id__in=list(smartcar_user_ids))
    return {
        page.smartcar_user_id: Driver(page.driver_name, page.driver_email)
        for page in pages.order_by("created_at")
    }


def connection_of(*, fleet: Fleet, connection_id: int) -> Connection | None:
    """The fleet's connection of this id, or None."""
    found = Connection.objects.select_related("vehicle", "fleet", "tokens", "application")
    return found.filter(fleet=fleet, pk=connection_id).first()


def transitions_of(*, connection: Connection) -> list[Transition]:
    """The newest changes of its state, newest first."""
    return list(connection.transitions.all()[:_TRANSITIONS])


def relatives_of(*, connection: Connection) -> tuple[list[Connection], list[Connection]]:
    """Other drivers' connections to the same car, and other cars of the same driver, none of them removed."""
    others = (
        Connection.objects.filter(fleet_id=connection.fleet_id)
        .exclude(pk=connection.pk)
        .exclude(state=ConnectionState.REMOVED)
        .select_related("vehicle")
        .order_by("pk")
    )
    same_car = list(others.filter(vehicle_id=connection.vehicle_id))
    same_driver = others.filter(smartcar_user_id=connection.smartcar_user_id)
    return same_car, list(same_driver.exclude(vehicle_id=connection.vehicle_id))


def version_of(*, connection: Connection) -> str:
    """Changes when anything that its page tells of its state has changed."""
    told = (connection.state, connection.state_since, connection.subscription_error, connection.subscribed_at)
    suspected = sorted(connection.suspicions.values_list("state", flat=True))
    return f"{crc32(f'{told}{suspected}'.encode())}"


def missing_scopes(*, connection: Connection) -> list[Scope]:
    """What the fleet's pages could use and this driver did not grant; nothing where the scopes are not known."""
    if not connection.scopes:
        return []
    return described(name for name in FLEET_SCOPES if name not in connection.scopes)


def battery_unknown(*, connection: Connection) -> bool:
    """Whether the car offers several battery sizes and its driver has to choose ("User Selected Battery Capacity")."""
    row = LatestSignal.objects.filter(
        vehicle_id=connection.vehicle_id, code=catalogue.NOMINAL_CAPACITY.code
    ).first()
    body = row.body if row else None
    return bool(body and body.get("capacity") is None and body.get("availableCapacities"))
