"""What a fleet can know or do, and which permissions each of these reports needs. No database."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Signal


@dataclass(frozen=True, slots=True)
class Report:
    """A report: the signals it is made of, or the permission of its commands.

    `title` is English, and is translated by the page. `fuel` and `plug`: only for vehicles that burn fuel, or plug in.
    """

    code: str
    title: str
    signals: tuple[Signal, ...] = ()
    commands: tuple[str, ...] = ()
    control: str = ""
    fuel: bool = False
    plug: bool = False

    @property
    def permissions(self) -> frozenset[str]:
        """The permissions without which the report is incomplete."""
        reading = {signal.permission for signal in self.signals}
        return frozenset(reading | {self.control} if self.control else reading)

    def applies_to(self, powertrain: str) -> bool:
        """Whether the report makes sense for a powertrain (ICE, HEV, MHEV, PHEV, BEV). True if it is unknown."""
        known = powertrain.upper()
        if self.fuel and known in _WITHOUT_FUEL:
            return False
        return not (self.plug and known in _WITHOUT_PLUG)


_WITHOUT_FUEL = frozenset({"BEV"})
_WITHOUT_PLUG = frozenset({"ICE", "HEV", "MHEV"})

_WARNINGS = tuple(signal for signal in CATALOGUE.values() if signal.group == "Diagnostics")

REPORTS = (
    Report("location", _("Location and map"), (catalogue.PRECISE_LOCATION,)),
    Report("odometer", _("Odometer"), (catalogue.ODOMETER,)),
    Report("driving", _("Speed and driving state"), (catalogue.SPEED, catalogue.GEAR_STATE)),
    Report("battery", _("Battery level and range"), (catalogue.STATE_OF_CHARGE, catalogue.RANGE), plug=True),
    Report(
        "charging",
        _("Charging status"),
        (catalogue.IS_CHARGING, catalogue.CABLE_CONNECTED, catalogue.CHARGE_LIMITS, catalogue.CHARGE_WATTAGE),
        plug=True,
    ),
    Report("charge_records", _("Charging history and costs"), (catalogue.CHARGE_RECORDS,), plug=True),
    Report("fuel", _("Fuel level and range"), (catalogue.FUEL_LEVEL, catalogue.FUEL_RANGE), fuel=True),
    Report("locks", _("Doors, windows and locks"), (catalogue.IS_LOCKED, catalogue.DOORS, catalogue.WINDOWS)),
    Report("tires", _("Tire pressure"), (catalogue.TIRES,)),
    Report("warnings", _("Warning lights and trouble codes"), _WARNINGS),
    Report("oil", _("Engine oil life"), (catalogue.OIL_LIFE,), fuel=True),
    Report("service", _("Service history"), (catalogue.SERVICE_RECORDS, catalogue.IN_SERVICE)),
    Report("low_voltage", _("12 V battery"), (catalogue.LOW_VOLTAGE_SOC, catalogue.LOW_VOLTAGE_STATUS)),
    Report(
        "temperatures",
        _("Inside and outside temperature"),
        (catalogue.EXTERNAL_TEMPERATURE, catalogue.INTERNAL_TEMPERATURE),
    ),
    Report("climate", _("Climate control"), (catalogue.HVAC_ACTIVE, catalogue.CABIN_TARGET_TEMPERATURE)),
    Report("connectivity", _("Online and asleep"), (catalogue.IS_ONLINE, catalogue.IS_ASLEEP)),
    Report(
        "equipment",
        _("Color, trim and software version"),
        (catalogue.EXTERIOR_COLOR, catalogue.TRIM, catalogue.FIRMWARE),
    ),
    Report("vin", _("Vehicle identification number (VIN)"), (catalogue.VIN,)),
    Report("account", _("Rights of the manufacturer account"), (catalogue.ACCOUNT_ROLE,)),
    Report(
        "lock_command",
        _("Lock and unlock"),
        commands=("security-lock", "security-unlock"),
        control="control_security",
    ),
    Report(
        "charge_command",
        _("Start and stop charging"),
        commands=("charge-start", "charge-stop"),
        control="control_charge",
        plug=True,
    ),
    Report(
        "limit_command",
        _("Set the charge limit"),
        commands=("charge-set-limit",),
        control="control_charge",
        plug=True,
    ),
    Report(
        "destination_command",
        _("Send destinations"),
        commands=("navigation-set-destination",),
        control="control_navigation",
    ),
)
"""Commands have the codes of Smartcar's compatibility API."""


def get_report(code: str) -> Report | None:
    """Returns the report with this code, or None."""
    return next((report for report in REPORTS if report.code == code), None)


def reports_using(permission: str) -> list[Report]:
    """Returns the reports that need this permission."""
    return [report for report in REPORTS if permission in report.permissions]


def missing_permissions(report: Report, *, granted: Collection[str]) -> frozenset[str]:
    """Returns the permissions of the report that are not among these."""
    return report.permissions.difference(granted)
