"""The types of alerts, which roles see them, and for how long a resolved alert can be reopened. No tables."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.permissions import PERMISSIONS, Permission


class AlertType(models.TextChoices):
    """A condition that needs a person."""

    CONNECTION = "connection", _("Connection lost")
    TOKEN = "token", _("Access expiring soon")
    BATTERY = "battery", _("Low battery or fuel")


# An alert links to the vehicle or to its connection, so only members who can open that page see it.
_VISIBLE_WITH = {
    AlertType.CONNECTION: Permission.CONNECT,
    AlertType.TOKEN: Permission.CONNECT,
    AlertType.BATTERY: Permission.VIEW,
}
_ACKNOWLEDGE_WITH = (Permission.CONNECT, Permission.COMMAND)

# A condition that returns within this time after its end reopens the alert, so that flapping raises no new alerts.
REOPEN_WINDOW = {
    AlertType.CONNECTION: timedelta(hours=12),
    AlertType.TOKEN: timedelta(days=1),
    AlertType.BATTERY: timedelta(hours=3),
}


@dataclass(frozen=True, slots=True)
class AlertCondition:
    """A condition that exists now and needs a person.

    `subject_id` is the id of the vehicle (BATTERY), the connection (CONNECTION) or the token pair (TOKEN). `level`
    grows with urgency; an alert whose level rises is raised again. `payload` has the values for alerts.messages.
    """

    kind: AlertType
    fleet_id: int
    vehicle_id: int
    subject_id: int
    level: int = 0
    payload: dict[str, Any] = field(default_factory=dict)


def all_types() -> list[str]:
    """Every type, for a column's default."""
    return list(AlertType.values)


def visible_to(role: str) -> frozenset[AlertType]:
    """The types that a member with this role can see."""
    return frozenset(kind for kind, right in _VISIBLE_WITH.items() if right in PERMISSIONS[role])


def default_channels(role: str) -> tuple[frozenset[AlertType], frozenset[AlertType]]:
    """What a member without preferences gets in the app, and by email.

    Members who can act on an alert get all types on both channels; viewers see low batteries in the app only.
    """
    visible = visible_to(role)
    return visible, visible if can_acknowledge(role) else frozenset()


def selected_types(role: str, values: Iterable[str]) -> frozenset[AlertType]:
    """The selected types, without those that the role can't see."""
    return visible_to(role) & {AlertType(value) for value in values}


def can_acknowledge(role: str) -> bool:
    """Whether a member with this role can act on alerts, and so acknowledge them."""
    return role in Role.values and bool(PERMISSIONS[role] & set(_ACKNOWLEDGE_WITH))
