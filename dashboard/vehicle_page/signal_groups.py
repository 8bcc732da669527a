"""Labels of the catalog's signal groups, in the order in which a vehicle's pages list them."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GROUPS: dict[str, str | Promise] = {
    "TractionBattery": _("Battery"),
    "Charge": _("Charging"),
    "InternalCombustionEngine": _("Combustion engine"),
    "Location": _("Location"),
    "Motion": _("Motion"),
    "Odometer": _("Odometer"),
    "Closure": _("Doors and windows"),
    "Climate": _("Temperatures"),
    "HVAC": _("Climate control"),
    "Wheel": _("Wheels and tires"),
    "LowVoltageBattery": _("12 V battery"),
    "Diagnostics": _("Diagnostics"),
    "Transmission": _("Transmission"),
    "Service": _("Service"),
    "Surveillance": _("Surveillance"),
    "ConnectivityStatus": _("Connectivity"),
    "ConnectivitySoftware": _("Software"),
    "VehicleIdentification": _("Identification"),
    "VehicleUserAccount": _("Manufacturer account"),
}
"""Labels by Smartcar's name of the group. Signals that the catalog doesn't know have the group ""."""

OTHER = _("Other signals")


SignalItem = TypeVar("SignalItem")


def grouped(
    things: Iterable[SignalItem], *, group: Callable[[SignalItem], str]
) -> list[tuple[str | Promise, list[SignalItem]]]:
    """Groups items under labels. Empty groups are omitted, and items retain their order."""
    by_group: dict[str, list[SignalItem]] = {name: [] for name in (*GROUPS, "")}
    for thing in things:
        by_group[group(thing) if group(thing) in GROUPS else ""].append(thing)
    return [(GROUPS.get(name, OTHER), held) for name, held in by_group.items() if held]
