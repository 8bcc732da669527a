"""The permissions that a fleet requests from drivers: only those that its pages need, each with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext_noop as _


@dataclass(frozen=True, slots=True)
class PermissionScope:
    """A permission in texts for drivers: what is shared, and why the fleet needs it.

    Topic, title and reason are English, and are translated by the page.
    """

    name: str
    topic: str
    title: str
    reason: str

    @property
    def command(self) -> bool:
        """Whether the permission allows commands, not only reading."""
        return self.name.startswith("control_")


_CAR = _("The car")
_ENERGY = _("Battery, charging and fuel")
_DRIVING = _("Location and driving")
_SECURITY = _("Doors and locks")
_HEALTH = _("Condition and service")
_COMMANDS = _("Commands")

SCOPES = (
    PermissionScope(
        "read_vehicle_info", _CAR, _("Make, model and year"), _("Used to identify the car in the fleet.")
    ),
    PermissionScope(
        "read_vin",
        _CAR,
        _("Vehicle identification number (VIN)"),
        _("Used to match the car with its documents."),
    ),
    PermissionScope(
        "read_battery",
        _ENERGY,
        _("Battery level and range"),
        _("Helps make sure no one sets out with an empty battery."),
    ),
    PermissionScope(
        "read_charge",
        _ENERGY,
        _("Charging status"),
        _("Lets the fleet see whether the car is plugged in and charging."),
    ),
    PermissionScope(
        "read_fuel", _ENERGY, _("Fuel level"), _("Helps make sure no one sets out with an empty tank.")
    ),
    PermissionScope(
        "read_location",
        _DRIVING,
        _("Location"),
        _("Lets the fleet find the nearest available car on the map."),
    ),
    PermissionScope(
        "read_odometer", _DRIVING, _("Odometer"), _("Used to schedule service and track lease mileage.")
    ),
    PermissionScope(
        "read_speedometer",
        _DRIVING,
        _("Speed"),
        _("Helps make sure no one unlocks the car or calls the driver while the car is moving."),
    ),
    PermissionScope(
        "read_security",
        _SECURITY,
        _("Doors, windows and locks"),
        _("Lets the fleet see whether the car is open or unlocked."),
    ),
    PermissionScope(
        "read_tires", _HEALTH, _("Tire pressure"), _("Helps the fleet spot a flat tire before a trip.")
    ),
    PermissionScope(
        "control_security",
        _COMMANDS,
        _("Lock and unlock the car"),
        _("Lets the fleet unlock the car for someone or secure it."),
    ),
    PermissionScope(
        "control_charge",
        _COMMANDS,
        _("Start and stop charging, set the charge limit"),
        _("Lets the fleet make sure the car is charged for its next trip, at a convenient time."),
    ),
    PermissionScope(
        "control_navigation",
        _COMMANDS,
        _("Send destinations to the car"),
        _("Lets the fleet send a destination so no one has to type it in."),
    ),
)
FLEET_SCOPES = tuple(scope.name for scope in SCOPES)
# Required: pages show a vehicle by its make, model and year.
NEEDED = "read_vehicle_info"


def with_reasons(names: Iterable[str]) -> list[PermissionScope]:
    """Returns the scopes of these names in the order of SCOPES. Names that we never request are left out."""
    wanted = frozenset(names)
    return [scope for scope in SCOPES if scope.name in wanted]


def by_topic(scopes: Iterable[PermissionScope]) -> list[tuple[str, list[PermissionScope]]]:
    """Returns the scopes, which must be in the order of SCOPES, by topic."""
    return [(topic, list(group)) for topic, group in groupby(scopes, key=lambda scope: scope.topic)]
