"""Hides a vehicle's location, during a driver's pause or outside working hours.

A hidden location is neither stored nor shown. Both the time of the reading and the current time are checked, so a late
delivery or a replay reveals nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet
from connect.driver_portal.models import DriverPortal, LocationPause, TrackingSchedule
from connect.models import Connection, ConnectionState
from vehicles.erasure import erase_latest_locations
from vehicles.location_privacy import reveals_location
from vehicles.services import ReceivedReading


@transaction.atomic
def pause(
    *, connection: Connection, duration: timedelta | None, now: datetime, page: DriverPortal | None = None
) -> None:
    """Hides the vehicle's location from now on, for this duration or until `resume`. `page` is for the audit log."""
    _end_pauses(connection, now=now)
    LocationPause.objects.create(
        connection=connection, began_at=now, ends_at=now + duration if duration else None
    )
    erase_latest_locations(vehicle_ids=[connection.vehicle_id])
    _log(connection, AuditEvent.DRIVER_LOCATION_HIDDEN, page)


def is_paused(*, connection: Connection) -> bool:
    """Returns whether the driver has paused sharing the location, and the pause hasn't ended."""
    current = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    return LocationPause.objects.filter(current, connection=connection).exists()


@transaction.atomic
def resume(*, connection: Connection, now: datetime, page: DriverPortal | None = None) -> None:
    """Shows the vehicle's location from now on. Locations during the pause stay hidden."""
    if _end_pauses(connection, now=now):
        _log(connection, AuditEvent.DRIVER_LOCATION_SHOWN, page)


@transaction.atomic
def set_hours(
    *,
    connection: Connection,
    starts: time,
    ends: time,
    weekdays_only: bool,
    now: datetime,
    page: DriverPortal | None = None,
) -> None:
    """Shows the location only in these hours."""
    zone = connection.fleet.time_zone
    hours = {"starts": starts, "ends": ends, "weekdays_only": weekdays_only, "time_zone": zone}
    TrackingSchedule.objects.update_or_create(connection=connection, defaults=hours)
    _log(connection, AuditEvent.DRIVER_SCHEDULE_SET, page)
    end_expired_pauses(now=now, vehicle_ids=[connection.vehicle_id])


@transaction.atomic
def clear_hours(*, connection: Connection, page: DriverPortal | None = None) -> None:
    """Shows the location at all hours."""
    if TrackingSchedule.objects.filter(connection=connection).delete()[0]:
        _log(connection, AuditEvent.DRIVER_SCHEDULE_CLEARED, page)


def end_expired_pauses(*, now: datetime, vehicle_ids: Iterable[int] | None = None) -> int:
    """Deletes the last known location of vehicles whose location is hidden now. Returns the number of rows."""
    restricted = Connection.objects.exclude(state=ConnectionState.REMOVED).filter(
        Q(working_hours__isnull=False)
        | Q(place_pauses__began_at__lte=now, place_pauses__ends_at=None)
        | Q(place_pauses__began_at__lte=now, place_pauses__ends_at__gt=now)
    )
    ids = set(restricted.values_list("vehicle_id", flat=True))
    ids = ids if vehicle_ids is None else ids & set(vehicle_ids)
    rules = privacy_for_vehicle(vehicle_ids=ids, now=now)
    return erase_latest_locations(vehicle_ids=[each for each in ids if rules.is_hidden(each, at=now)])


@dataclass(frozen=True, slots=True)
class LocationPrivacy:
    """The drivers' location pauses and working hours for some vehicles, as of `now`."""

    now: datetime
    pauses: dict[int, list[LocationPause]]
    hours: dict[int, list[tuple[TrackingSchedule, str]]]

    def is_hidden(self, vehicle_id: int, *, at: datetime) -> bool:
        """Returns whether the location at that time is hidden. One of several drivers is enough."""
        return any(
            pause.covers(moment) for pause in self.pauses.get(vehicle_id, ()) for moment in (at, self.now)
        ) or any(
            not hours.cover(moment, time_zone=time_zone)
            for hours, time_zone in self.hours.get(vehicle_id, ())
            for moment in (at, self.now)
        )

    def without_hidden(self, readings: Sequence[ReceivedReading]) -> list[ReceivedReading]:
        """Returns the readings that may be stored."""
        return [
            reading
            for reading in readings
            if reading.observation.body is None
            or not reveals_location(reading.observation.code, reading.observation.body)
            or not self.is_hidden(reading.vehicle_id, at=reading.observed_at)
        ]


def privacy_for_vehicle(*, vehicle_ids: Iterable[int], now: datetime) -> LocationPrivacy:
    """Loads the rules for these vehicles in two queries."""
    for_vehicles = Q(connection__vehicle_id__in=list(vehicle_ids))
    return _load_rules(pauses=for_vehicles, hours=for_vehicles, now=now)


def load_rules(vehicle_ids: Iterable[int], now: datetime) -> LocationPrivacy:
    """Loads the rules for vehicles.location_privacy."""
    return privacy_for_vehicle(vehicle_ids=vehicle_ids, now=now)


def privacy_for_fleet(*, fleet: Fleet, now: datetime) -> LocationPrivacy:
    """Loads the rules for all vehicles of a fleet in two queries. Valid only for the current time."""
    for_fleet = Q(connection__fleet=fleet)
    present = for_fleet & (Q(ends_at=None) | Q(ends_at__gt=now))
    return _load_rules(pauses=present, hours=for_fleet, now=now)


def _load_rules(*, pauses: Q, hours: Q, now: datetime) -> LocationPrivacy:
    rules = LocationPrivacy(now=now, pauses={}, hours={})
    for pause in LocationPause.objects.filter(pauses).select_related("connection"):
        rules.pauses.setdefault(pause.connection.vehicle_id, []).append(pause)
    alive = TrackingSchedule.objects.filter(hours).exclude(connection__state=ConnectionState.REMOVED)
    for each in alive.select_related("connection__fleet"):
        schedules = rules.hours.setdefault(each.connection.vehicle_id, [])
        schedules.append((each, each.time_zone or each.connection.fleet.time_zone))
    return rules


def _end_pauses(connection: Connection, *, now: datetime) -> int:
    """Ends pauses that haven't ended yet and returns their number. Past pauses are unchanged."""
    current = LocationPause.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), connection=connection)
    return current.update(ends_at=now)


def _log(connection: Connection, event: AuditEvent, page: DriverPortal | None) -> None:
    log_event(
        fleet=connection.fleet,
        actor=None,
        event=event,
        about=(AuditObject.VEHICLE, connection.vehicle.smartcar_id),
        data={"by_driver": True} if page is None else page.audit_data(),
    )
