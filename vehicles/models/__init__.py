"""Vehicles, the latest state of their signals, their history and its roll-ups."""

from vehicles.models.history import Reading, SignalCode
from vehicles.models.rollups import DayRollup, DayZone, DirtyDay, DirtyHour, HourRollup
from vehicles.models.snapshots import VehicleSnapshot
from vehicles.models.vehicles import LatestSignal, Vehicle
from vehicles.places.models import Place, PlaceKind

__all__ = [
    "DayRollup",
    "DayZone",
    "DirtyDay",
    "DirtyHour",
    "HourRollup",
    "LatestSignal",
    "Place",
    "PlaceKind",
    "Reading",
    "SignalCode",
    "Vehicle",
    "VehicleSnapshot",
]
