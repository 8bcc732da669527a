"""Incidents: a vehicle left unlocked, a door or window left open, a warning light, a tire that loses air.

Drawn for each vehicle and day (closures) or fortnight (health), from the seed alone.
"""

from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Final

from simulator.vehicles.models import Model

FORTNIGHT: Final = 14

# System, trouble code, and for which drive it exists.
_FAULTS: Final = (
    ("MIL", "P0420", "combustion"),
    ("Emissions", "P0455", "combustion"),
    ("OilPressure", "P0520", "combustion"),
    ("OilTemperature", "P0196", "combustion"),
    ("Transmission", "P0700", "combustion"),
    ("WaterInFuel", "P2269", "combustion"),
    ("EVBatteryConditioning", "P0C32", "electric"),
    ("EVCharging", "P0D27", "electric"),
    ("EVDriveUnit", "P0A3F", "electric"),
    ("EVHVBattery", "P0A80", "electric"),
    ("ABS", "C0035", ""),
    ("ActiveSafety", "C1A67", ""),
    ("Airbag", "B0012", ""),
    ("BrakeFluid", "C1214", ""),
    ("DriverAssistance", "C1A60", ""),
    ("Lighting", "B2575", ""),
    ("Telematics", "U0198", ""),
    ("TirePressureMonitoring", "C0750", ""),
    ("WasherFluid", "B1241", ""),
)
TROUBLE_CODES: Final = {system: code for system, code, _ in _FAULTS}


def _rng(*parts: object) -> Random:
    return Random(":".join(map(str, parts)))  # noqa: S311 - reproducible runs, nothing secret


@dataclass(frozen=True, slots=True)
class Lapses:
    """What the driver leaves open or unlocked on a day, by stop: n is the stop after trip n."""

    unlocked: int | None = None
    door: int | None = None
    door_at: tuple[int, int] = (0, 0)
    door_seconds: float = 0.0
    window: int | None = None
    trunk: int | None = None

    @property
    def door_closed(self) -> float:
        """Seconds after the arrival at which the forgotten door is closed."""
        return 30.0 + self.door_seconds


@dataclass(frozen=True, slots=True)
class Health:
    """Warnings (system, from the n-th day of the fortnight on), the leaking tire, and the deviation of each tire.

    ``loss`` is in kPa over the fortnight, ``wear`` in kPa for each tire.
    """

    faults: tuple[tuple[str, int], ...] = ()
    tire: int | None = None
    loss: float = 0.0
    wear: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)


def lapses(*, seed: int, index: int, day: int, stops: int) -> Lapses:
    """Return the lapses of a day with this number of stops."""
    rng = _rng(seed, index, day, "lapses")
    draws = [rng.random() for _ in range(4)]
    where = [rng.randrange(max(stops, 1)) for _ in range(4)]
    if stops == 0:
        return Lapses()
    return Lapses(
        unlocked=where[0] if draws[0] < (0.5 if index % 12 == 7 else 0.06) else None,
        door=where[1] if draws[1] < 0.08 else None,
        door_at=(rng.randrange(2), rng.randrange(2)),
        door_seconds=rng.uniform(60, 600),
        window=where[2] if draws[2] < 0.07 else None,
        trunk=where[3] if draws[3] < 0.10 else None,
    )


@lru_cache(maxsize=20_000)
def health(*, seed: int, index: int, fortnight: int, model: Model) -> Health:
    """Return which systems alert during a fortnight, and which tire is low."""
    rng = _rng(seed, index, fortnight, "health")
    drives = {"", *(["combustion"] if model.combustion else []), *(["electric"] if model.electric else [])}
    systems = [system for system, _, drive in _FAULTS if drive in drives]
    faults = []
    if rng.random() < (0.7 if index % 12 == 4 else 0.07):
        faults = [(system, rng.randrange(FORTNIGHT)) for system in rng.sample(systems, rng.choice((1, 1, 2)))]
    low = rng.random() < (0.8 if index % 12 == 9 else 0.08)
    wear = tuple(_rng(seed, index, wheel, "wear").uniform(-12.0, 8.0) for wheel in range(4))
    return Health(
        faults=tuple(faults), tire=rng.randrange(4) if low else None, loss=rng.uniform(45, 110), wear=wear
    )
