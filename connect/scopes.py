"""The permissions that a fleet asks drivers for: only what its pages and buttons need, each with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _


@dataclass(frozen=True, slots=True)
class PermissionScope:
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
    PermissionScope(
        "read_vehicle_info", _("Make, model and year"), _("So that the fleet can tell its cars apart.")
    ),
    PermissionScope(
        "read_vin", _("Vehicle identification number (VIN)"), _("So that the car is matched with its papers.")
    ),
    PermissionScope(
        "read_battery", _("Battery level and range"), _("So that nobody sets out with an empty car.")
    ),
    PermissionScope(
        "read_charge",
        _("Charging status"),
        _("So that the fleet sees whether the car is plugged in and charging."),
    ),
    PermissionScope("read_fuel", _("Fuel level"), _("So that nobody sets out with an empty tank.")),
    PermissionScope(
        "read_location", _("Where the car is"), _("So that the nearest free car can be found on the map.")
    ),
    PermissionScope(
        "read_odometer", _("Odometer"), _("So that services and leases are kept by the distance driven.")
    ),
    PermissionScope(
        "read_speedometer", _("Speed"), _("So that nobody unlocks or calls a car that is being driven.")
    ),
    PermissionScope(
        "read_security", _("Doors, windows and lock"), _("So that an open or unlocked car is noticed.")
    ),
    PermissionScope("read_tires", _("Tyre pressure"), _("So that a flat tyre is noticed before a trip.")),
    PermissionScope(
        "control_security",
        _("Lock and unlock the car"),
        _("So that the fleet can let somebody in or secure the car."),
    ),
    PermissionScope(
        "control_charge",
        _("Start and stop charging, set its limit"),
        _("So that the car is charged for its next trip, at a good hour."),
    ),
    PermissionScope(
        "control_navigation",
        _("Send destinations to the car"),
        _("So that nobody has to type in where to go."),
    ),
)
FLEET_SCOPES = tuple(scope.name for scope in SCOPES)
# Without it the car has no name on any page.
NEEDED = "read_vehicle_info"


def with_reasons(names: Iterable[str]) -> list[PermissionScope]:
    """The scopes of these names in our own order; a name that we never ask for is left out."""
    wanted = frozenset(names)
    return [scope for scope in SCOPES if scope.name in wanted]
