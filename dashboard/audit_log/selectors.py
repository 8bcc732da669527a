"""Filters and queries of the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date

from accounts.audit import AuditEvent, AuditObject
from accounts.models import AuditLogEntry, Fleet, User
from vehicles.models import Vehicle

# More digits than a key has; Python refuses to convert texts with thousands of them.
_KEY_DIGITS = 19


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """The selected filters; "" and None mean no filter. Days are in the active time zone, and both are included."""

    person: int | None = None
    event: str = ""
    vehicle: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def active(self) -> bool:
        return self != AuditFilters()

    @property
    def query(self) -> str:
        """The filters as a query string, without a leading question mark."""
        named = {
            "person": self.person,
            "event": self.event,
            "vehicle": self.vehicle,
            "from": self.since,
            "to": self.until,
        }
        return urlencode({name: str(value) for name, value in named.items() if value})


def parse_filters(parameters: Mapping[str, str]) -> AuditFilters:
    """Parses a query string. Invalid values are ignored."""
    person, event = parameters.get("person", ""), parameters.get("event", "")
    return AuditFilters(
        person=int(person) if person.isascii() and person.isdecimal() and len(person) < _KEY_DIGITS else None,
        event=event if event in AuditEvent.values else "",
        vehicle=parameters.get("vehicle", "").replace("\x00", "")[:64],
        since=_day(parameters.get("from", "")),
        until=_day(parameters.get("to", "")),
    )


def list_entries(*, fleet: Fleet, filters: AuditFilters) -> QuerySet[AuditLogEntry]:
    """Returns the fleet's matching entries, newest first, with their actors loaded."""
    entries = AuditLogEntry.objects.filter(fleet=fleet).select_related("actor")
    if filters.person is not None:
        entries = entries.filter(actor_id=filters.person)
    if filters.event:
        entries = entries.filter(event=filters.event)
    if filters.vehicle:
        entries = entries.filter(object_type=AuditObject.VEHICLE, object_id=filters.vehicle)
    if filters.since is not None:
        entries = entries.filter(at__gte=_midnight(filters.since))
    if filters.until is not None:
        entries = entries.filter(at__lt=_midnight(filters.until + timedelta(days=1)))
    return entries


def list_people(*, fleet: Fleet) -> QuerySet[User]:
    """Returns all users with an entry in the fleet's log, including former members."""
    actors = AuditLogEntry.objects.filter(fleet=fleet, actor__isnull=False).order_by()
    return User.objects.filter(pk__in=actors.values("actor")).order_by("email")


def vehicle_names(*, fleet: Fleet) -> dict[str, str]:
    """Returns the names of the fleet's vehicles by Smartcar ID, ordered by name."""
    vehicles = Vehicle.objects.filter(fleet=fleet).order_by("name", "make", "model", "pk")
    return {vehicle.smartcar_id: str(vehicle) for vehicle in vehicles}


def _day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    # Days next to the first and last possible date can't be compared in every time zone.
    return day if day is not None and date(1970, 1, 1) <= day < date(9999, 1, 1) else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
