"""What detection returns: rows that cover the time and the odometer line of a vehicle without hole or overlap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trips.bounds import Bound
from trips.cleaning import Place
from trips.odometer import Note


class Evidence(StrEnum):
    """What a row rests on."""

    ODOMETER = "odometer"
    COARSE_ODOMETER = "coarse_odometer"
    PLACES = "places"
    LOCK_OR_CABLE = "lock_or_cable"
    CHARGING = "charging"
    SLEEP = "sleep"
    SPEED = "speed"
    FIRST_READING = "first_reading"
    LAST_READING = "last_reading"


class Kind(StrEnum):
    """What a span of time is."""

    TRIP = "trip"
    PARKED = "parked"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class Row:
    """A span of time. Where one ends, the next starts, with the same bound.

    `odometer_start_km` and `odometer_end_km` are those of the line. They differ for trips, and for a span without data
    by the distance that can't be placed in time. `start_place` and `end_place` are where the vehicle was seen last
    before and first after.
    """

    kind: Kind
    start: Bound
    end: Bound
    odometer_start_km: float
    odometer_end_km: float
    evidence: tuple[Evidence, ...] = ()
    start_place: Place | None = None
    end_place: Place | None = None

    @property
    def distance_km(self) -> float:
        """How far the vehicle moved."""
        return self.odometer_end_km - self.odometer_start_km


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A distance that was driven at some time between two readings, nobody knows when."""

    earliest: float
    latest: float
    odometer_start_km: float
    odometer_end_km: float

    @property
    def distance_km(self) -> float:
        """How far the vehicle moved."""
        return self.odometer_end_km - self.odometer_start_km


@dataclass(frozen=True, slots=True)
class Detection:
    """All rows of a vehicle in order of time, and what was wrong with its odometer."""

    rows: tuple[Row, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def trips(self) -> tuple[Row, ...]:
        """The trips in order of time."""
        return tuple(row for row in self.rows if row.kind is Kind.TRIP)
