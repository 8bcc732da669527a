"""Differences by make: how often vehicles report, when they sleep, and which commands they support.

Intervals follow the documentation's page "Data Freshness Frequencies", commands and errors its pages "Brand Quirks",
"Start & Stop Charge" and the makes' own pages (Volvo, Mercedes-Benz, BMW, Tesla). Region: United States.
"""

from dataclasses import dataclass
from typing import Final

from simulator.vehicles.city_time import DAY, HOUR

_SECURITY = frozenset({"lock", "unlock"})
_CHARGE = frozenset({"start_charge", "stop_charge"})
_LIMIT = frozenset({"set_charge_limit"})
_PORT = frozenset({"open_charge_port", "close_charge_port"})
_NAVIGATION = frozenset({"set_destination"})
_DAILY = frozenset({"set_daily_schedule", "delete_schedule"})
_SCHEDULES = _DAILY | {"set_weekly_schedule", "set_workweek_schedule"}
COMMANDS: Final = _SECURITY | _CHARGE | _LIMIT | _PORT | _NAVIGATION | _SCHEDULES


@dataclass(frozen=True, slots=True)
class Make:
    """The rules of one make. Times are in seconds, floors in percent. ``reports`` is the interval while awake."""

    display: str
    reports: float
    sleeps_after: float
    commands: frozenset[str]
    deep_sleep_after: float | None = None
    last_parked: bool = False  # Reports only where it was parked.
    limit_when_unplugged: bool = True
    stop_floor: float = 0.0  # Below this state of charge the manufacturer rejects stopping a charge.
    start_floor: float = 0.0
    silent_when_running: bool = False  # Sends no data while the ignition is on.
    charge_commands: int | None = None  # Number of starts and stops until the vehicle is driven again.
    events_only_before: int = 0  # Vehicles built before this year report on events only.
    ports: tuple[str, str] = ("J1772", "CCS")  # Connectors for alternating and direct current.

    @property
    def polled(self) -> bool:
        """Whether vehicles are polled from time to time instead of reporting events."""
        return self.reports >= 15 * 60.0


_ALL_CHARGE = _SECURITY | _CHARGE | _LIMIT


def _gm(display: str) -> Make:
    return Make(
        display,
        35 * 60.0,
        2 * HOUR,
        _ALL_CHARGE,
        deep_sleep_after=3.5 * DAY,
        stop_floor=50.0,
        start_floor=50.0,
    )


def _stellantis(display: str) -> Make:
    return Make(display, 7 * 60.0, HOUR, _SECURITY)


MAKES: Final[dict[str, Make]] = {
    "ACURA": Make("Acura", 45 * 60.0, HOUR, _ALL_CHARGE, deep_sleep_after=7 * DAY, silent_when_running=True),
    "AUDI": Make("Audi", 4 * 60.0, 1800.0, _ALL_CHARGE),
    "BMW": Make(
        "BMW", 7 * 60.0, 1800.0, _ALL_CHARGE | _NAVIGATION, last_parked=True, limit_when_unplugged=False
    ),
    "CADILLAC": _gm("Cadillac"),
    "CHEVROLET": _gm("Chevrolet"),
    "CHRYSLER": _stellantis("Chrysler"),
    "FORD": Make("Ford", 7 * 60.0, 1800.0, _ALL_CHARGE),
    "GMC": _gm("GMC"),
    "HONDA": Make("Honda", 20 * 60.0, HOUR, _SECURITY),
    "HYUNDAI": Make(
        "Hyundai", 5 * 60.0, 1800.0, _ALL_CHARGE | _PORT, last_parked=True, events_only_before=2025
    ),
    "JAGUAR": Make("Jaguar", 20 * 60.0, HOUR, _SECURITY | _CHARGE, last_parked=True),
    "JEEP": _stellantis("Jeep"),
    "KIA": Make("Kia", 5 * 60.0, 1800.0, _ALL_CHARGE | _PORT, last_parked=True, events_only_before=2025),
    "LEXUS": Make("Lexus", 8 * 60.0, HOUR, _SECURITY, last_parked=True),
    "LINCOLN": Make("Lincoln", 7 * 60.0, 1800.0, _ALL_CHARGE),
    "MAZDA": Make("Mazda", 8 * 60.0, HOUR, _SECURITY, last_parked=True),
    "MERCEDES_BENZ": Make("Mercedes-Benz", 7 * 60.0, HOUR, _CHARGE | _SECURITY, stop_floor=20.0),
    "MINI": Make("MINI", 40 * 60.0, HOUR, _ALL_CHARGE, last_parked=True, limit_when_unplugged=False),
    "NISSAN": Make("Nissan", 8 * 60.0, HOUR, _SECURITY | {"start_charge"}, ports=("J1772", "CHAdeMO")),
    "POLESTAR": Make("Polestar", 2 * 60.0, 1800.0, _SECURITY | _CHARGE | _LIMIT, stop_floor=40.0),
    "RAM": _stellantis("Ram"),
    "RIVIAN": Make("Rivian", 4 * 60.0, 1200.0, _ALL_CHARGE | _PORT | _NAVIGATION),
    "SUBARU": Make("Subaru", 8 * 60.0, HOUR, _SECURITY, last_parked=True),
    "TESLA": Make(
        "Tesla", 60.0, 900.0, _ALL_CHARGE | _PORT | _NAVIGATION | _SCHEDULES, ports=("NACS", "NACS")
    ),
    "TOYOTA": Make("Toyota", 45 * 60.0, HOUR, _SECURITY, last_parked=True),
    "VOLKSWAGEN": Make("Volkswagen", 2 * 60.0, 1800.0, _ALL_CHARGE, charge_commands=8),
    "VOLVO": Make("Volvo", 2 * 60.0, 1800.0, _SECURITY | _DAILY, last_parked=True),
}
