"""The permissions that a fleet asks drivers for: only what its pages and buttons need, each with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """One permission in a driver's words: what is shared, and what the fleet needs it for."""

    name: str
    title: str
    reason: str

    @property
    def command(self) -> bool:
        """Whether it lets the fleet act on the car, not only read."""
        return self.name.startswith("control_")


SCOPES = (
    Scope("read_vehicle_info", "Make, model and year", "So that the fleet can tell its cars apart."),
    Scope("read_vin", "Vehicle identification number (VIN)", "So that the car is matched with its papers."),
    Scope("read_battery", "Battery level and range", "So that nobody sets out with an empty car."),
    Scope("read_charge", "Charging", "So that the fleet sees whether the car is plugged in and charging."),
    Scope("read_fuel", "Fuel level", "So that nobody sets out with an empty tank."),
    Scope("read_location", "Where the car is", "So that the nearest free car can be found on the map."),
    Scope("read_odometer", "Odometer", "So that services and leases are kept by the distance driven."),
    Scope("read_speedometer", "Speed", "So that nobody unlocks or calls a car that is being driven."),
    Scope("read_security", "Doors, windows and lock", "So that an open or unlocked car is noticed."),
    Scope("read_tires", "Tyre pressure", "So that a flat tyre is noticed before a trip."),
    Scope(
        "control_security",
        "Lock and unlock the car",
        "So that the fleet can let somebody in or secure the car.",
    ),
    Scope(
        "control_charge",
        "Start and stop charging, set its limit",
        "So that the car is charged for its next trip, at a good hour.",
    ),
    Scope(
        "control_navigation",
        "Send destinations to the car",
        "So that nobody has to type in where to go.",
    ),
)
FLEET_SCOPES = tuple(scope.name for scope in SCOPES)
# Without it the car has no name on any page.
NEEDED = "read_vehicle_info"


def described(names: Iterable[str]) -> list[Scope]:
    """The scopes of these names in our own order; a name that we never ask for is left out."""
    wanted = frozenset(names)
    return [scope for scope in SCOPES if scope.name in wanted]
