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
        "read_vehicle_info", _("Make, model and year"), _("Used to identify the car in the fleet.")
    ),
    PermissionScope(
        "read_vin", _("Vehicle identification number (VIN)"), _("Used to match the car with its documents.")
    ),
    PermissionScope(
        "read_battery",
        _("Battery level and range"),
        _("Helps make sure no one sets out with an empty battery."),
    ),
    PermissionScope(
        "read_charge",
        _("Charging status"),
        _("Lets the fleet see whether the car is plugged in and charging."),
    ),
    PermissionScope("read_fuel", _("Fuel level"), _("Helps make sure no one sets out with an empty tank.")),
    PermissionScope(
        "read_location", _("Location"), _("Lets the fleet find the nearest available car on the map.")
    ),
    PermissionScope("read_odometer", _("Odometer"), _("Used to schedule service and track lease mileage.")),
    PermissionScope(
        "read_speedometer",
        _("Speed"),
        _("Helps make sure no one unlocks the car or calls the driver while the car is moving."),
    ),
    PermissionScope(
        "read_security",
        _("Doors, windows and locks"),
        _("Lets the fleet see whether the car is open or unlocked."),
    ),
    PermissionScope("read_tires", _("Tire pressure"), _("Helps the fleet spot a flat tire before a trip.")),
    PermissionScope(
        "control_security",
        _("Lock and unlock the car"),
        _("Lets the fleet unlock the car for someone or secure it."),
    ),
    PermissionScope(
        "control_charge",
        _("Start and stop charging, set the charge limit"),
        _("Lets the fleet make sure the car is charged for its next trip, at a convenient time."),
    ),
    PermissionScope(
        "control_navigation",
        _("Send destinations to the car"),
        _("Lets the fleet send a destination so no one has to type it in."),
    ),
)
FLEET_SCOPES = tuple(scope.name for scope in SCOPES)
# Without it the car has no name on any page.
NEEDED = "read_vehicle_info"


def with_reasons(names: Iterable[str]) -> list[PermissionScope]:
    """The scopes of these names in our own order; a name that we never ask for is left out."""
    wanted = frozenset(names)
    return [scope for scope in SCOPES if scope.name in wanted]
