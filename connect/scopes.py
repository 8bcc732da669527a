"""The permissions that a fleet can request from drivers, each with its reason in texts for drivers.

Names and meanings: "Permissions" in Smartcar's API reference. Which signal needs which permission is in
`vehicles.signal_permissions`.
"""

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
_COMFORT = _("Climate")
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
        "read_extended_vehicle_info",
        _CAR,
        _("Color, trim and software version"),
        _("Helps people recognize the car, and shows which software it runs."),
    ),
    PermissionScope(
        "read_user_profile",
        _CAR,
        _("Your account at the manufacturer"),
        _(
            "Shows whether your account has full rights to the car. This permission also covers "
            "the email address and phone number of that account."
        ),
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
        "read_charge_records",
        _ENERGY,
        _("Charging history and costs"),
        _("Used to reimburse charging and to know what it costs."),
    ),
    PermissionScope(
        "read_charge_events",
        _ENERGY,
        _("Start and end of charging"),
        _("Lets the fleet know right away when charging starts, ends or is interrupted."),
    ),
    PermissionScope(
        "read_charge_locations",
        _ENERGY,
        _("Charging locations and their settings"),
        _("Shows where the car usually charges, and which charge limit applies there."),
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
        "read_compass", _DRIVING, _("Heading"), _("Shows on the map which direction the car is facing.")
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
        "read_diagnostics",
        _HEALTH,
        _("Warning lights and trouble codes"),
        _("Helps the fleet repair a fault before the car breaks down."),
    ),
    PermissionScope(
        "read_alerts",
        _HEALTH,
        _("Alerts from the car"),
        _("Lets the fleet respond when the car reports a problem."),
    ),
    PermissionScope(
        "read_engine_oil", _HEALTH, _("Engine oil life"), _("Used to schedule the next oil change in time.")
    ),
    PermissionScope(
        "read_service_history",
        _HEALTH,
        _("Service history"),
        _("Shows which service was done, so that none is missed or done twice."),
    ),
    PermissionScope(
        "read_thermometer",
        _COMFORT,
        _("Inside and outside temperature"),
        _("Helps protect the battery and the cargo from heat and frost."),
    ),
    PermissionScope(
        "read_climate",
        _COMFORT,
        _("Heating and cooling"),
        _("Shows whether the car is being heated or cooled, which shortens its range."),
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
    PermissionScope(
        "control_climate",
        _COMMANDS,
        _("Turn heating and cooling on and off"),
        _("Lets the fleet heat or cool the car before a trip."),
    ),
    PermissionScope(
        "control_trunk",
        _COMMANDS,
        _("Open the trunk"),
        _("Lets the fleet open the trunk for a delivery."),
    ),
    PermissionScope(
        "control_pin",
        _COMMANDS,
        _("Set the PIN to drive"),
        _("Lets the fleet protect the car with a PIN, so that only those who know it can drive."),
    ),
)
# What a fleet requests until it chooses for itself (connect.permission_settings).
FLEET_SCOPES = (
    "read_vehicle_info",
    "read_vin",
    "read_battery",
    "read_charge",
    "read_fuel",
    "read_location",
    "read_odometer",
    "read_speedometer",
    "read_security",
    "read_tires",
    "control_security",
    "control_charge",
    "control_navigation",
)
# Required: pages show a vehicle by its make, model and year.
NEEDED = "read_vehicle_info"


def with_reasons(names: Iterable[str]) -> list[PermissionScope]:
    """Returns the scopes of these names in the order of SCOPES. Names that Smartcar doesn't document are left out."""
    wanted = frozenset(names)
    return [scope for scope in SCOPES if scope.name in wanted]


def in_order(names: Iterable[str]) -> list[str]:
    """Returns these names without duplicates, in the order of SCOPES. Names that Smartcar doesn't document are last."""
    wanted = frozenset(names)
    known = [scope.name for scope in SCOPES if scope.name in wanted]
    return [*known, *sorted(wanted.difference(known))]


def by_topic(scopes: Iterable[PermissionScope]) -> list[tuple[str, list[PermissionScope]]]:
    """Returns the scopes, which must be in the order of SCOPES, by topic."""
    return [(topic, list(group)) for topic, group in groupby(scopes, key=lambda scope: scope.topic)]
