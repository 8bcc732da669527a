"""The status of a vehicle's connections on its page: nothing while they work, else the issue and next action."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from connect.connections.next_actions import NextActionType, next_action
from connect.connections.selectors import list_drivers
from connect.models import Connection, ConnectionState
from vehicles.models import Vehicle


@dataclass(frozen=True, slots=True)
class ConnectionIssue:
    """One line: `tone` is warning or info, `action` the text of the link to the connection."""

    connection_id: int
    title: str
    text: str
    tone: str
    action: str


@dataclass(frozen=True, slots=True)
class StatusBanner:
    """`ended`: no connection is left. `may_connect`: the user has the permission to act on it."""

    issues: Sequence[ConnectionIssue]
    ended: bool
    may_connect: bool


def status_banner(
    *, vehicle: Vehicle, connections: Sequence[Connection], may_connect: bool, now: datetime
) -> StatusBanner:
    """Returns the banner for a vehicle and its connections, which must not include removed ones.

    If several drivers share the vehicle, each issue names its driver.
    """
    drivers = {}
    if len(connections) > 1:
        users = [each.smartcar_user_id for each in connections]
        drivers = list_drivers(fleet=vehicle.fleet, smartcar_user_ids=users)
    issues = []
    for each in connections:
        issue = _issue(each, now=now)
        if issue is None:
            continue
        driver = drivers.get(each.smartcar_user_id)
        if driver is not None and driver.name:
            title = f"{issue.title} ({driver.name})"
            issue = ConnectionIssue(each.pk, title, issue.text, issue.tone, issue.action)
        issues.append(issue)
    return StatusBanner(issues=issues, ended=not connections, may_connect=may_connect)


def _issue(connection: Connection, *, now: datetime) -> ConnectionIssue | None:
    if connection.alive and connection.subscription_error and connection.subscribed_at is None:
        text = f"{connection.subscription_error} {_('We retry every minute.')}"
        return ConnectionIssue(
            connection.pk, _("Not subscribed to the webhook yet"), text, "warning", _("Connection")
        )
    if connection.state == ConnectionState.ACTIVE:
        return None
    step = next_action(connection, now=now)
    if connection.state == ConnectionState.PENDING and step.kind is NextActionType.NONE:
        text = _("The first data arrives in about a minute.")
        return ConnectionIssue(connection.pk, _("Connected"), text, "info", _("Connection"))
    label = connection.get_state_display()
    return ConnectionIssue(
        connection.pk, label, connection.state_reason, "warning", str(step.label) or _("Connection")
    )
