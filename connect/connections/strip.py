"""What a car's page says of its connections: nothing while one works, else what is wrong and the next step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connect.connections.selectors import drivers_of
from connect.connections.steps import Kind, next_step
from connect.models import Connection, ConnectionState
from vehicles.models import Vehicle


@dataclass(frozen=True, slots=True)
class Trouble:
    """One line: `tone` is warning or info, `action` the words of the link to the connection."""

    connection_id: int
    title: str
    text: str
    tone: str
    action: str


@dataclass(frozen=True, slots=True)
class Strip:
    """`ended`: no connection is left. `may_connect`: whoever looks may do something about it."""

    troubles: Sequence[Trouble]
    ended: bool
    may_connect: bool


def strip_of(
    *, vehicle: Vehicle, connections: Sequence[Connection], may_connect: bool, now: datetime
) -> Strip:
    """The strip for a car and its connections that were not removed.

    Where several drivers share the car, each is named.
    """
    named = {}
    if len(connections) > 1:
        users = [each.smartcar_user_id for each in connections]
        named = drivers_of(fleet=vehicle.fleet, smartcar_user_ids=users)
    troubles = []
    for each in connections:
        trouble = _trouble(each, now=now)
        if trouble is None:
            continue
        driver = named.get(each.smartcar_user_id)
        if driver is not None and driver.name:
            title = f"{trouble.title} ({driver.name})"
            trouble = Trouble(each.pk, title, trouble.text, trouble.tone, trouble.action)
        troubles.append(trouble)
    return Strip(troubles=troubles, ended=not connections, may_connect=may_connect)


def _trouble(connection: Connection, *, now: datetime) -> Trouble | None:
    if connection.alive and connection.subscription_error and connection.subscribed_at is None:
        text = f"{connection.subscription_error} We try again every minute."
        return Trouble(connection.pk, "Not subscribed to the webhook yet", text, "warning", "Connection")
    if connection.state == ConnectionState.ACTIVE:
        return None
    label = ConnectionState(connection.state).label
    step = next_step(connection, now=now)
    if connection.state == ConnectionState.PENDING and step.kind is Kind.NONE:
        return Trouble(
            connection.pk, "Connected", "The first data arrives within a minute or so.", "info", "Connection"
        )
    return Trouble(connection.pk, label, connection.state_cause, "warning", step.label or "Connection")
