"""Table rows of the vehicles page, ready for the template: without hidden locations, and with place names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.functional import cached_property
from django.utils.translation import gettext

from accounts.models import Fleet
from connect.driver_portal import privacy
from connect.status.states import ConnectionState
from dashboard.vehicle_list.attention import BATTERY, CONNECTION, order_reasons, reason_label
from dashboard.vehicle_list.selectors import NO_RECENT_DATA, STALE, VehicleRow
from vehicles.catalogue import FUEL_LEVEL, STATE_OF_CHARGE
from vehicles.makes import make_name
from vehicles.places.geocoding import ReverseGeocoder, coordinates, geocoder_for

_LIVE = timedelta(minutes=15)


class Freshness(StrEnum):
    """How long ago a vehicle reported."""

    LIVE = "live"
    RECENT = "recent"
    OLD = "old"
    NO_RECENT_DATA = "silent"


@dataclass(frozen=True)
class Row:
    """One vehicle in the table. `place` is the text of its location; "" if there is none to show."""

    vehicle: VehicleRow
    place: str
    place_hidden: bool
    now: datetime

    @cached_property
    def title(self) -> str:
        return self.vehicle.name or self.description or gettext("New vehicle")

    @cached_property
    def description(self) -> str:
        """Make, model and year, as far as known."""
        vehicle = self.vehicle
        return " ".join(str(part) for part in (make_name(vehicle.make), vehicle.model, vehicle.year) if part)

    @property
    def below(self) -> str:
        """The line below the vehicle's name."""
        return self.description if self.vehicle.name else self.vehicle.powertrain

    @property
    def level(self) -> float | None:
        """The level of what the vehicle drives on, in percent."""
        return self.vehicle.level

    @property
    def fuel_only(self) -> bool:
        return self.vehicle.on_fuel

    @property
    def fuel_liters(self) -> float | None:
        """The fuel of a vehicle that reports liters and no level."""
        return self.vehicle.fuel_liters if self.vehicle.on_fuel and self.vehicle.level is None else None

    @property
    def has_energy(self) -> bool:
        return self.level is not None or self.fuel_liters is not None

    @property
    def level_at(self) -> datetime | None:
        if self.fuel_liters is not None:
            return self.vehicle.fuel_liters_at
        return self.vehicle.fuel_at if self.fuel_only else self.vehicle.charge_at

    @cached_property
    def common_age_at(self) -> datetime | None:
        """When the old values were observed if they share a time, so that it is shown once; None if they don't."""
        times = [
            at
            for old, at in (
                (self.level_old, self.level_at),
                (self.lock_old, self.vehicle.locked_at),
                (self.place_old and bool(self.place), self.vehicle.place_at),
            )
            if old and at is not None
        ]
        return max(times) if len(times) > 1 and max(times) - min(times) <= _LIVE else None

    @property
    def level_old(self) -> bool:
        signal = FUEL_LEVEL if self.fuel_only else STATE_OF_CHARGE
        return self._exceptional(self.level_at, signal.staleness)

    @property
    def lock_old(self) -> bool:
        """Whether to show the age of the lock state: it is old, or only the last known one."""
        known = self.vehicle.last_locked is not None
        return known and (self.vehicle.locked is None or self._exceptional(self.vehicle.locked_at, STALE))

    @property
    def place_old(self) -> bool:
        return self._exceptional(self.vehicle.place_at, STALE)

    def _exceptional(self, at: datetime | None, good_for: timedelta | None) -> bool:
        """Whether to show a value's own age: the value is old, and older than the last update, which has the age of
        all others."""
        last = self.vehicle.last_seen_at
        return _old(at, good_for, self.now) and (at is None or last is None or last - at > _LIVE)

    @property
    def waiting(self) -> bool:
        """Whether the vehicle is connected, but hasn't reported yet."""
        return self.vehicle.last_seen_at is None

    @property
    def freshness(self) -> Freshness:
        last_seen_at = self.vehicle.last_seen_at
        age = self.now - last_seen_at if last_seen_at else None
        if age is None or age > NO_RECENT_DATA:
            return Freshness.NO_RECENT_DATA
        if age > STALE:
            return Freshness.OLD
        return Freshness.RECENT if age > _LIVE else Freshness.LIVE

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Why the vehicle needs attention: codes with texts, the most urgent first."""
        return [(code, self._reason(code)) for code in order_reasons(self.vehicle.reasons)]

    def _reason(self, code: str) -> str:
        if code == CONNECTION and self.vehicle.degraded:
            return self.state_label
        if code == BATTERY:
            return gettext("Low fuel") if self.fuel_only else gettext("Low battery")
        return reason_label(code)

    @property
    def connected(self) -> bool:
        return self.vehicle.state == ConnectionState.ACTIVE

    @property
    def state_label(self) -> str:
        return str(ConnectionState(self.vehicle.state).label)


def build_rows(*, fleet: Fleet, vehicles: Iterable[VehicleRow], now: datetime) -> list[Row]:
    """Returns the rows for these vehicles, with three queries for all of them."""
    found = list(vehicles)
    location_privacy = privacy.privacy_for_vehicle(vehicle_ids=[vehicle.id for vehicle in found], now=now)
    names = geocoder_for(fleet=fleet)
    return [
        _row(vehicle, names, hidden=location_privacy.is_hidden(vehicle.id, at=now), now=now)
        for vehicle in found
    ]


def _row(vehicle: VehicleRow, names: ReverseGeocoder, *, hidden: bool, now: datetime) -> Row:
    place = ""
    if not hidden and vehicle.latitude is not None and vehicle.longitude is not None:
        nearest = names.get_name(vehicle.latitude, vehicle.longitude)
        place = nearest.text if nearest else coordinates(vehicle.latitude, vehicle.longitude)
    return Row(vehicle=vehicle, place=place, place_hidden=hidden, now=now)


def _old(at: datetime | None, good_for: timedelta | None, now: datetime) -> bool:
    return at is None or (good_for is not None and now - at > good_for)
