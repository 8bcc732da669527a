"""A fleet's cars as its page shows them: one row per car, in a fixed number of queries."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zlib import crc32

from django.utils import timezone

from accounts.models import Fleet
from connect.driver import privacy
from connect.models import Connection, ConnectionState
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from vehicles.selectors import VehicleState, states_of, vehicles_of

LOW_BATTERY = 20
SILENCE = timedelta(hours=2)
SIGNALS = (
    catalogue.STATE_OF_CHARGE,
    catalogue.RANGE,
    catalogue.IS_CHARGING,
    catalogue.IS_LOCKED,
    catalogue.PRECISE_LOCATION,
    catalogue.FUEL_LEVEL,
    catalogue.FUEL_RANGE,
    catalogue.ODOMETER,
    catalogue.SPEED,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One car on the fleet page. Percentages are 0–100, distances in km, None where unknown."""

    state: VehicleState
    connection: Connection | None
    place_hidden: bool = False

    @property
    def vehicle(self) -> Vehicle:
        return self.state.vehicle

    @property
    def charge(self) -> LatestSignal | None:
        return self.state.signal(catalogue.STATE_OF_CHARGE)

    @property
    def fuel(self) -> LatestSignal | None:
        return self.state.signal(catalogue.FUEL_LEVEL)

    @property
    def level(self) -> LatestSignal | None:
        """State of charge, or the fuel level of a car without one."""
        return self.charge or self.fuel

    @property
    def range_km(self) -> Any:
        electric = self.state.value(catalogue.RANGE)
        return electric if electric is not None else self.state.value(catalogue.FUEL_RANGE)

    @property
    def charging(self) -> bool:
        return self.state.value(catalogue.IS_CHARGING) is True

    @property
    def lock(self) -> LatestSignal | None:
        return self.state.signal(catalogue.IS_LOCKED)

    @property
    def locked(self) -> Any:
        return self.state.value(catalogue.IS_LOCKED)

    @property
    def location(self) -> LatestSignal | None:
        return self.state.signal(catalogue.PRECISE_LOCATION)

    @property
    def moving(self) -> bool:
        return (self.state.value(catalogue.SPEED) or 0) > 0

    @property
    def low(self) -> bool:
        return self.level is not None and self.level.value < LOW_BATTERY

    @property
    def silent(self) -> bool:
        """Nothing was heard from it for longer than its lock or place should go unreported."""
        heard = self.vehicle.last_seen_at
        return heard is None or timezone.now() - heard > SILENCE

    @property
    def waiting(self) -> bool:
        """Connected, but nothing heard yet."""
        return self.vehicle.last_seen_at is None


@dataclass(frozen=True, slots=True)
class Overview:
    """The page's rows and the counts above them."""

    rows: list[Row]

    @property
    def charging(self) -> int:
        return sum(row.charging for row in self.rows)

    @property
    def unlocked(self) -> int:
        return sum(row.locked is False for row in self.rows)

    @property
    def low(self) -> int:
        return sum(row.low for row in self.rows)

    @property
    def troubled(self) -> int:
        """Cars whose connection needs a person."""
        return sum(row.connection is not None and row.connection.troubled for row in self.rows)

    @property
    def version(self) -> str:
        """Changes when anything that the page shows has changed."""
        heard = [row.vehicle.last_seen_at.timestamp() for row in self.rows if row.vehicle.last_seen_at]
        states = sorted(f"{row.vehicle.pk}{row.connection.state}" for row in self.rows if row.connection)
        # A driver may hide a place without anything new being heard.
        places = "".join(f"{int(row.location is not None)}{int(row.place_hidden)}" for row in self.rows)
        told = crc32(f"{places}{''.join(states)}".encode())
        return f"{len(self.rows)}-{max(heard, default=0)}-{sum(heard)}-{told}"


def overview_of(*, fleet: Fleet) -> Overview:
    """Cars with a connection that was not removed, by name."""
    connections: dict[int, Connection] = {}
    alive = (
        Connection.objects.filter(fleet=fleet).exclude(state=ConnectionState.REMOVED).order_by("created_at")
    )
    # Of several drivers' connections to a car, the one that serves it best; the newest among equals.
    for connection in sorted(alive, key=lambda each: each.rank, reverse=True):
        connections[connection.vehicle_id] = connection
    vehicles = [vehicle for vehicle in vehicles_of(fleet=fleet) if vehicle.pk in connections]
    states = states_of(vehicles=vehicles, signals=SIGNALS)
    now = timezone.now()
    rules = privacy.rules_of(vehicle_ids=connections, now=now)
    return Overview(
        [
            Row(
                state=state,
                connection=connections.get(state.vehicle.pk),
                place_hidden=rules.hide(state.vehicle.pk, at=now),
            )
            for state in states
        ]
    )
