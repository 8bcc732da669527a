"""The permissions that a fleet asks drivers for: only what its pages and buttons need, each with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _


@dataclass(frozen=True, slots=True)
class Scope:
    """One permission in a driver's words: what is shared, and what the fleet needs it for.

    Title and reason are English here; a page in the driver's language translates them.
    """

    name: str
    title: str
    reason: str

    @property
    def command(self) -> bool:
        """Whether it lets the fleet act on the car, not only read."""
        return self.name.startswith("control_")


SCOPES = (
    Scope("read_vehicle_info", _("Make, model and year"), _("So that the fleet can tell its cars apart.")),
    Scope(
        "read_vin", _("Vehicle identification number (VIN)"), _("So that the car is matched with its papers.")
    ),
    Scope("read_battery", _("Battery level and range"), _("So that nobody sets out with an empty car.")),
    Scope(
        "read_charge",
        _("Charging status"),
        _("So that the fleet sees whether the car is plugged in and charging."),
    ),
    Scope("read_fuel", _("Fuel level"), _("So that nobody sets out with an empty tank.")),
    Scope("read_location", _("Where the car is"), _("So that the nearest free car can be found on the map.")),
    Scope("read_odometer", _("Odometer"), _("So that services and leases are kept by the distance driven.")),
    Scope("read_speedometer", _("Speed"), _("So that nobody unlocks or calls a car that is being driven.")),
    Scope("read_security", _("Doors, windows and lock"), _("So that an open or unlocked car is noticed.")),
    Scope("read_tires", _("Tyre pressure"), _("So that a flat tyre is noticed before a trip.")),
    Scope(
        "control_security",
        _("Lock and unlock the car"),
        _("So that the fleet can let somebody in or secure the car."),
    ),
    Scope(
        "control_charge",
        _("Start and stop charging, set its limit"),
        _("So that the car is charged for its next trip, at a good hour."),
    ),
    Scope(
        "control_navigation",
        _("Send destinations to the car"),
        _("So that nobody has to type in where to go."),
    ),
)
FLEET_SCOPES = tuple(scope.name for scope in SCOPES)
# Without it the car has no name on any page.
NEEDED = "read_vehicle_info"


def described(names: Iterable[str]) -> list[Scope]:
    """The scopes of these names in our own order; a name that we never ask for is left out."""
    wanted = frozenset(names)
    return [scope for scope in SCOPES if scope.name in wanted]
