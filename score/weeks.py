"""Reads weeks with known truth: `NAME.csv` with a row per moment, and `NAME.truth.json`.

The columns are `time` (ISO 8601, UTC), `latitude`, `longitude`, `speed_kmh`, `odometer_km`, `state_of_charge_percent`,
`plugged`, `charging`, `locked` (0 or 1) and `energy_added_kwh`; unknown values are blank. The truth lists `trips` with
`start`, `end`, `distance_km` and the `standstills` inside them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """What a vehicle's instruments showed at one moment, in epoch seconds."""

    time: int
    odometer_km: float
    latitude: float
    longitude: float
    speed_kmh: float
    state_of_charge: float | None
    plugged: bool
    charging: bool
    locked: bool
    energy_added_kwh: float | None


@dataclass(frozen=True, slots=True)
class TrueTrip:
    """A trip that really happened; `standstills` are pauses in traffic inside it, in epoch seconds."""

    start: float
    end: float
    distance_km: float
    odometer_start_km: float
    standstills: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Week:
    """One vehicle for some days, with its true trips in order of time."""

    name: str
    moments: tuple[Moment, ...]
    trips: tuple[TrueTrip, ...]


def load(folder: Path) -> list[Week]:
    """Returns the weeks in the folder by name. Raises `FileNotFoundError` if there are none."""
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise FileNotFoundError(f"There are no weeks (NAME.csv and NAME.truth.json) in {folder}.")
    return [_week(path) for path in paths]


def _week(path: Path) -> Week:
    with path.open(newline="") as lines:
        moments = tuple(_moment(row) for row in csv.DictReader(lines))
    truth = json.loads(path.with_name(f"{path.stem}.truth.json").read_text())
    return Week(path.stem, moments, tuple(_trip(trip) for trip in truth["trips"]))


def _moment(row: Mapping[str, str]) -> Moment:
    return Moment(
        time=int(_epoch(row["time"])),
        odometer_km=float(row["odometer_km"]),
        latitude=float(row["latitude"]),
        longitude=float(row["longitude"]),
        speed_kmh=float(row["speed_kmh"]),
        state_of_charge=_number(row["state_of_charge_percent"]),
        plugged=row["plugged"] == "1",
        charging=row["charging"] == "1",
        locked=row["locked"] == "1",
        energy_added_kwh=_number(row["energy_added_kwh"]),
    )


def _trip(entry: Mapping[str, Any]) -> TrueTrip:
    return TrueTrip(
        start=_epoch(entry["start"]),
        end=_epoch(entry["end"]),
        distance_km=entry["distance_km"],
        odometer_start_km=entry["odometer_start_km"],
        standstills=tuple((_epoch(pause["start"]), _epoch(pause["end"])) for pause in entry["standstills"]),
    )


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _number(text: str) -> float | None:
    return float(text) if text else None
