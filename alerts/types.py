"""What notices are about, who may see which, and how long one is remembered. No tables."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.permissions import PERMISSIONS, Permission


class Kind(models.TextChoices):
    """A condition that needs a person."""

    CONNECTION = "connection", _("Connection lost")
    TOKEN = "token", _("Access about to end")
    BATTERY = "battery", _("Low battery or fuel")


# A notice leads to the car or to its connection: only who may open that page hears of it.
_SEEN_BY = {
    Kind.CONNECTION: Permission.CONNECT,
    Kind.TOKEN: Permission.CONNECT,
    Kind.BATTERY: Permission.VIEW,
}
ACKNOWLEDGED_BY = (Permission.CONNECT, Permission.COMMAND)

# What comes back so soon after its end is the same notice, which goes on: nobody is told twice of what flaps.
REMEMBERED = {
    Kind.CONNECTION: timedelta(hours=12),
    Kind.TOKEN: timedelta(days=1),
    Kind.BATTERY: timedelta(hours=3),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds now and needs a person.

    `subject` is the id of what it is about: the car's (BATTERY), the connection's (CONNECTION) or the token pair's
    (TOKEN). `level` grows with urgency: a higher one is news again. `facts` are for alerts.messages.
    """

    kind: Kind
    fleet_id: int
    vehicle_id: int
    subject: int
    level: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


def all_kinds() -> list[str]:
    """Every kind, for a column's default."""
    return list(Kind.values)


def seen_by(role: str) -> frozenset[Kind]:
    """The kinds that a member of this role may hear of."""
    return frozenset(kind for kind, right in _SEEN_BY.items() if right in PERMISSIONS[role])


def usual(role: str) -> tuple[frozenset[Kind], frozenset[Kind]]:
    """What a member of this role gets who has chosen nothing: in the bell, and by e-mail.

    Those who can do something about it get everything both ways; viewers only see low batteries.
    """
    seen = seen_by(role)
    return seen, seen if PERMISSIONS[role] & set(ACKNOWLEDGED_BY) else frozenset()


def chosen(role: str, values: Iterable[str]) -> frozenset[Kind]:
    """Of the kinds that a member chose those that the role lets them hear of."""
    return seen_by(role) & {Kind(value) for value in values}


def may_acknowledge(role: str) -> bool:
    """Whether a member of this role can do something about a notice, and so say that it is in hand."""
    return role in Role.values and bool(PERMISSIONS[role] & set(ACKNOWLEDGED_BY))
