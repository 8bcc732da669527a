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
from dashboard.vehicle_list.selectors import SILENT, STALE, VehicleRow
from vehicles.catalogue import FUEL_LEVEL, STATE_OF_CHARGE
from vehicles.makes import make_name
from vehicles.places.geocoding import ReverseGeocoder, coordinates, geocoder_for

_LIVE = timedelta(minutes=15)


class Freshness(StrEnum):
    """How long ago a vehicle reported."""

    LIVE = "live"
    RECENT = "recent"
    OLD = "old"
    SILENT = "silent"


@dataclass(frozen=True)
class Row:
    """One vehicle in the table. `place` is the text of its location; "" if there is none to show."""

    car: VehicleRow
    place: str
    place_hidden: bool
    now: datetime

    @cached_property
    def title(self) -> str:
        return self.car.name or self.description or gettext("New vehicle")

    @cached_property
    def description(self) -> str:
        """Make, model and year, as far as known."""
        car = self.car
        return " ".join(str(part) for part in (make_name(car.make), car.model, car.year) if part)

    @property
    def below(self) -> str:
        """The line below the vehicle's name."""
        return self.description if self.car.name else self.car.powertrain

    @property
    def level(self) -> float | None:
        """State of charge, or the fuel level of a vehicle without one."""
        return self.car.charge if self.car.charge is not None else self.car.fuel

    @property
    def fuel_only(self) -> bool:
        return self.car.charge is None and self.car.fuel is not None

    @property
    def level_at(self) -> datetime | None:
        return self.car.fuel_at if self.fuel_only else self.car.charge_at

    @property
    def level_old(self) -> bool:
        signal = FUEL_LEVEL if self.fuel_only else STATE_OF_CHARGE
        return _old(self.level_at, signal.staleness, self.now)

    @property
    def lock_old(self) -> bool:
        return _old(self.car.locked_at, STALE, self.now)

    @property
    def place_old(self) -> bool:
        return _old(self.car.place_at, STALE, self.now)

    @property
    def waiting(self) -> bool:
        """Whether the vehicle is connected, but hasn't reported yet."""
        return self.car.last_seen_at is None

    @property
    def freshness(self) -> Freshness:
        heard = self.car.last_seen_at
        age = self.now - heard if heard else None
        if age is None or age > SILENT:
            return Freshness.SILENT
        if age > STALE:
            return Freshness.OLD
        return Freshness.RECENT if age > _LIVE else Freshness.LIVE

    @property
    def connected(self) -> bool:
        return self.car.state == ConnectionState.ACTIVE

    @property
    def state_label(self) -> str:
        return str(ConnectionState(self.car.state).label)


def build_rows(*, fleet: Fleet, cars: Iterable[VehicleRow], now: datetime) -> list[Row]:
    """Returns the rows for these vehicles, with three queries for all of them."""
    found = list(cars)
    rules = privacy.privacy_for_vehicle(vehicle_ids=[car.id for car in found], now=now)
    names = geocoder_for(fleet=fleet)
    return [_row(car, names, hidden=rules.is_hidden(car.id, at=now), now=now) for car in found]


def _row(car: VehicleRow, names: ReverseGeocoder, *, hidden: bool, now: datetime) -> Row:
    place = ""
    if not hidden and car.latitude is not None and car.longitude is not None:
        named = names.get_name(car.latitude, car.longitude)
        place = named.text if named else coordinates(car.latitude, car.longitude)
    return Row(car=car, place=place, place_hidden=hidden, now=now)


def _old(at: datetime | None, good_for: timedelta | None, now: datetime) -> bool:
    return at is None or (good_for is not None and now - at > good_for)
