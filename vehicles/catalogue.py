"""The signals that a vehicle can report: Smartcar's 93 codes and their meaning.

No other module of the project spells out signal codes: use the constants defined here. Source: Smartcar documentation,
"Smartcar Signals & Attributes Overview" and the page of each group, with the three codes added later (tailgate, trim,
packages). The permission of each signal is in `vehicles.signal_permissions`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from vehicles.signal_permissions import permission_for
from vehicles.units import Unit


class Shape(StrEnum):
    """The shape of a signal's canonical body (see `vehicles.normalization`)."""

    NUMBER = "number"  # {value, unit?}
    BOOLEAN = "boolean"  # {value}
    TEXT = "text"  # {value}
    CHOICE = "choice"  # {value}, upper case, one of an open list
    STATUS = "status"  # {status: OK | ALERT, description}
    LOCATION = "location"  # {latitude, longitude, heading?, direction?, locationType?}
    CLOSURE = "closure"  # {isOpen, isLocked}, each possibly null
    OPENINGS = "openings"  # {values: [{row, column, isOpen, isLocked}], rowCount, columnCount}
    TIRES = "tires"  # {values: [{row, column, tirePressure}], rowCount, columnCount, unit}
    CHARGE_LIMITS = "charge_limits"  # {values: [{type, limit, condition}], activeLimit, unit}
    CAPACITY = "capacity"  # {capacity, source, availableCapacities: [{capacity, description}], unit}
    DRIVE_MODE = "drive_mode"  # {canonical, oemDisplayName}
    VALUES = "values"  # {values: [...]}, entries as documented for the signal


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal of the catalogue.

    `group` and `name` are Smartcar's. `english` is the display name, `label` the display name in the active language.
    `unit` is the storage unit (None for a signal without one). `permission` is what the driver must have granted.
    `staleness` is the age after which a value must be marked as old; None for values that don't become old.
    """

    code: str
    group: str
    name: str
    english: str
    shape: Shape
    unit: Unit | None
    permission: str
    staleness: timedelta | None

    @property
    def label(self) -> str:
        """The signal's display name in the active language."""
        return gettext(self.english)


_MOVING = timedelta(minutes=15)
_CHARGING = timedelta(hours=1)
_LIVE = timedelta(hours=2)
_SLOW = timedelta(hours=12)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MONTH = timedelta(days=30)
_NEVER = None


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    staleness: timedelta | None


_GROUPS: dict[str, _Group] = {
    group.name.lower(): group
    for group in (
        _Group("Charge", _CHARGING),
        _Group("Climate", _CHARGING),
        _Group("Closure", _LIVE),
        _Group("ConnectivitySoftware", _MONTH),
        _Group("ConnectivityStatus", _LIVE),
        _Group("Diagnostics", _WEEK),
        _Group("HVAC", _CHARGING),
        _Group("InternalCombustionEngine", _SLOW),
        _Group("Location", _LIVE),
        _Group("LowVoltageBattery", _DAY),
        _Group("Motion", _MOVING),
        _Group("Odometer", _DAY),
        _Group("Service", _WEEK),
        _Group("Surveillance", _DAY),
        _Group("TractionBattery", _SLOW),
        _Group("Transmission", _MOVING),
        _Group("VehicleIdentification", _NEVER),
        _Group("VehicleUserAccount", _WEEK),
        _Group("Wheel", timedelta(days=2)),
    )
}

_signals: dict[str, Signal] = {}
_OF_GROUP = timedelta(0)  # means "same as its group", since no signal is stale immediately


def _add(
    code: str,
    name: str,
    english: str,
    shape: Shape,
    unit: Unit | None = None,
    *,
    staleness: timedelta | None = _OF_GROUP,
) -> Signal:
    group = _GROUPS[code.partition("-")[0]]
    signal = Signal(
        code=code,
        group=group.name,
        name=name,
        english=english,
        shape=shape,
        unit=unit,
        permission=permission_for(code),
        staleness=group.staleness if staleness == _OF_GROUP else staleness,
    )
    _signals[code] = signal
    return signal


# Charge
AMPERAGE = _add("charge-amperage", "Amperage", _("Charging current"), Shape.NUMBER, Unit.AMPERE)
AMPERAGE_MAX = _add("charge-amperagemax", "AmperageMax", _("Maximum current"), Shape.NUMBER, Unit.AMPERE)
AMPERAGE_REQUESTED = _add(
    "charge-amperagerequested", "AmperageRequested", _("Requested current"), Shape.NUMBER, Unit.AMPERE
)
CHARGE_LIMITS = _add(
    "charge-chargelimits",
    "ChargeLimits",
    _("Charge limits"),
    Shape.CHARGE_LIMITS,
    Unit.PERCENT,
    staleness=_DAY,
)
CHARGE_PORT_COLOR = _add(
    "charge-chargeportstatuscolor", "ChargePortStatusColor", _("Charge port light"), Shape.CHOICE
)
CHARGE_RATE = _add("charge-chargerate", "ChargeRate", _("Range added"), Shape.NUMBER, Unit.KILOMETRE_PER_HOUR)
CHARGE_RECORDS = _add(
    "charge-chargerecords",
    "ChargeRecords",
    _("Charging records"),
    Shape.VALUES,
    staleness=_WEEK,
)
CHARGE_TIMERS = _add("charge-chargetimers", "ChargeTimers", _("Charge timers"), Shape.VALUES, staleness=_DAY)
CHARGER_PHASES = _add("charge-chargerphases", "ChargerPhases", _("Charger phases"), Shape.NUMBER)
CHARGING_CONNECTOR = _add(
    "charge-chargingconnectortype",
    "ChargingConnectorType",
    _("Charging connector"),
    Shape.TEXT,
    staleness=_DAY,
)
DETAILED_CHARGING_STATUS = _add(
    "charge-detailedchargingstatus", "DetailedChargingStatus", _("Charging status"), Shape.CHOICE
)
ENERGY_ADDED = _add("charge-energyadded", "EnergyAdded", _("Energy added"), Shape.NUMBER, Unit.KILOWATT_HOUR)
FAST_CHARGER_TYPE = _add("charge-fastchargertype", "FastChargerType", _("Fast charger type"), Shape.TEXT)
IS_CHARGING = _add("charge-ischarging", "IsCharging", _("Charging now"), Shape.BOOLEAN)
CABLE_CONNECTED = _add(
    "charge-ischargingcableconnected", "IsChargingCableConnected", _("Cable connected"), Shape.BOOLEAN
)
CABLE_LATCHED = _add(
    "charge-ischargingcablelatched", "IsChargingCableLatched", _("Cable latched"), Shape.BOOLEAN
)
CHARGE_PORT_OPEN = _add(
    "charge-ischargingportflapopen", "IsChargingPortFlapOpen", _("Charge port open"), Shape.BOOLEAN
)
FAST_CHARGER_PRESENT = _add(
    "charge-isfastchargerpresent", "IsFastChargerPresent", _("Fast charger present"), Shape.BOOLEAN
)
TIME_TO_COMPLETE = _add(
    "charge-timetocomplete", "TimeToComplete", _("Time to charge limit"), Shape.NUMBER, Unit.MINUTE
)
CHARGE_VOLTAGE = _add("charge-voltage", "Voltage", _("Charging voltage"), Shape.NUMBER, Unit.VOLT)
CHARGE_WATTAGE = _add("charge-wattage", "Wattage", _("Charging power"), Shape.NUMBER, Unit.WATT)

# Climate
EXTERNAL_TEMPERATURE = _add(
    "climate-externaltemperature", "ExternalTemperature", _("Outside temperature"), Shape.NUMBER, Unit.CELSIUS
)
INTERNAL_TEMPERATURE = _add(
    "climate-internaltemperature", "InternalTemperature", _("Cabin temperature"), Shape.NUMBER, Unit.CELSIUS
)

# Closure
DOORS = _add("closure-doors", "Doors", _("Doors"), Shape.OPENINGS)
ENGINE_COVER = _add("closure-enginecover", "EngineCover", _("Engine cover"), Shape.CLOSURE)
FRONT_TRUNK = _add("closure-fronttrunk", "FrontTrunk", _("Front trunk"), Shape.CLOSURE)
IS_LOCKED = _add("closure-islocked", "IsLocked", _("Locked"), Shape.BOOLEAN)
REAR_TRUNK = _add("closure-reartrunk", "RearTrunk", _("Rear trunk"), Shape.CLOSURE)
SUNROOF = _add("closure-sunroof", "Sunroof", _("Sunroof"), Shape.CLOSURE)
TAILGATE = _add("closure-tailgate", "Tailgate", _("Tailgate"), Shape.CLOSURE)
WINDOWS = _add("closure-windows", "Windows", _("Windows"), Shape.OPENINGS)

# Connectivity
FIRMWARE = _add(
    "connectivitysoftware-currentfirmwareversion", "CurrentFirmwareVersion", _("Firmware version"), Shape.TEXT
)
IS_ASLEEP = _add("connectivitystatus-isasleep", "IsAsleep", _("Asleep"), Shape.BOOLEAN)
DIGITAL_KEY_PAIRED = _add(
    "connectivitystatus-isdigitalkeypaired",
    "IsDigitalKeyPaired",
    _("Digital key paired"),
    Shape.BOOLEAN,
    staleness=_WEEK,
)
IS_ONLINE = _add("connectivitystatus-isonline", "IsOnline", _("Online"), Shape.BOOLEAN)

# Diagnostics
ABS = _add("diagnostics-abs", "ABS", _("Anti-lock brakes"), Shape.STATUS)
ACTIVE_SAFETY = _add("diagnostics-activesafety", "ActiveSafety", _("Active safety"), Shape.STATUS)
AIRBAG = _add("diagnostics-airbag", "Airbag", _("Airbag"), Shape.STATUS)
BRAKE_FLUID = _add("diagnostics-brakefluid", "BrakeFluid", _("Brake fluid"), Shape.STATUS)
DRIVER_ASSISTANCE = _add(
    "diagnostics-driverassistance", "DriverAssistance", _("Driver assistance"), Shape.STATUS
)
DTC_COUNT = _add("diagnostics-dtccount", "DTCCount", _("Trouble codes"), Shape.NUMBER, Unit.COUNT)
DTC_LIST = _add("diagnostics-dtclist", "DTCList", _("Trouble code list"), Shape.VALUES)
EMISSIONS = _add("diagnostics-emissions", "Emissions", _("Emissions"), Shape.STATUS)
EV_BATTERY_CONDITIONING = _add(
    "diagnostics-evbatteryconditioning", "EVBatteryConditioning", _("Battery conditioning"), Shape.STATUS
)
EV_CHARGING = _add("diagnostics-evcharging", "EVCharging", _("Charging system"), Shape.STATUS)
EV_DRIVE_UNIT = _add("diagnostics-evdriveunit", "EVDriveUnit", _("Drive unit"), Shape.STATUS)
EV_HV_BATTERY = _add("diagnostics-evhvbattery", "EVHVBattery", _("High-voltage battery"), Shape.STATUS)
LIGHTING = _add("diagnostics-lighting", "Lighting", _("Lighting"), Shape.STATUS)
MIL = _add("diagnostics-mil", "MIL", _("Malfunction indicator lamp"), Shape.STATUS)
OIL_LIFE_STATUS = _add("diagnostics-oillife", "OilLife", _("Engine oil"), Shape.STATUS)
OIL_PRESSURE = _add("diagnostics-oilpressure", "OilPressure", _("Oil pressure"), Shape.STATUS)
OIL_TEMPERATURE = _add("diagnostics-oiltemperature", "OilTemperature", _("Oil temperature"), Shape.STATUS)
TELEMATICS = _add("diagnostics-telematics", "Telematics", _("Telematics"), Shape.STATUS)
TIRE_PRESSURE_STATUS = _add(
    "diagnostics-tirepressure", "TirePressure", _("Tire pressure warning"), Shape.STATUS
)
TIRE_PRESSURE_MONITORING = _add(
    "diagnostics-tirepressuremonitoring",
    "TirePressureMonitoring",
    _("Tire pressure monitoring"),
    Shape.STATUS,
)
TRANSMISSION_STATUS = _add("diagnostics-transmission", "Transmission", _("Transmission"), Shape.STATUS)
WASHER_FLUID = _add("diagnostics-washerfluid", "WasherFluid", _("Washer fluid"), Shape.STATUS)
WATER_IN_FUEL = _add("diagnostics-waterinfuel", "WaterInFuel", _("Water in fuel"), Shape.STATUS)

# HVAC
CABIN_TARGET_TEMPERATURE = _add(
    "hvac-cabintargettemperature",
    "CabinTargetTemperature",
    _("Target temperature"),
    Shape.NUMBER,
    Unit.CELSIUS,
)
HVAC_ACTIVE = _add("hvac-iscabinhvacactive", "IsCabinHVACActive", _("Climate control on"), Shape.BOOLEAN)
FRONT_DEFROSTER = _add(
    "hvac-isfrontdefrosteractive", "IsFrontDefrosterActive", _("Front defroster on"), Shape.BOOLEAN
)
REAR_DEFROSTER = _add(
    "hvac-isreardefrosteractive", "IsRearDefrosterActive", _("Rear defroster on"), Shape.BOOLEAN
)
STEERING_HEATER = _add(
    "hvac-issteeringheateractive", "IsSteeringHeaterActive", _("Steering wheel heater on"), Shape.BOOLEAN
)

# Combustion engine
FUEL_REMAINING = _add(
    "internalcombustionengine-amountremaining",
    "AmountRemaining",
    _("Fuel remaining"),
    Shape.NUMBER,
    Unit.LITRE,
)
FUEL_LEVEL = _add(
    "internalcombustionengine-fuellevel", "FuelLevel", _("Fuel level"), Shape.NUMBER, Unit.PERCENT
)
OIL_LIFE = _add(
    "internalcombustionengine-oillife",
    "OilLife",
    _("Oil life remaining"),
    Shape.NUMBER,
    Unit.PERCENT,
    staleness=_WEEK,
)
FUEL_RANGE = _add("internalcombustionengine-range", "Range", _("Fuel range"), Shape.NUMBER, Unit.KILOMETRE)

# Location, motion, odometer
IS_AT_HOME = _add("location-isathome", "IsAtHome", _("At home"), Shape.BOOLEAN)
PRECISE_LOCATION = _add("location-preciselocation", "PreciseLocation", _("Location"), Shape.LOCATION)
SPEED = _add("motion-currentspeed", "CurrentSpeed", _("Speed"), Shape.NUMBER, Unit.KILOMETRE_PER_HOUR)
ODOMETER = _add("odometer-traveleddistance", "TraveledDistance", _("Odometer"), Shape.NUMBER, Unit.KILOMETRE)

# Low-voltage battery
LOW_VOLTAGE_SOC = _add(
    "lowvoltagebattery-stateofcharge", "StateOfCharge", _("12 V state of charge"), Shape.NUMBER, Unit.PERCENT
)
LOW_VOLTAGE_STATUS = _add("lowvoltagebattery-status", "Status", _("12 V battery"), Shape.CHOICE)

# Service, surveillance
IN_SERVICE = _add("service-isinservice", "IsInService", _("In service"), Shape.BOOLEAN, staleness=_DAY)
SERVICE_RECORDS = _add("service-records", "Records", _("Service records"), Shape.VALUES)
SURVEILLANCE_BRAND = _add("surveillance-brand", "Brand", _("Surveillance"), Shape.TEXT, staleness=_NEVER)
SURVEILLANCE_ENABLED = _add("surveillance-isenabled", "IsEnabled", _("Surveillance on"), Shape.BOOLEAN)

# Traction battery
BATTERY_HEATER = _add(
    "tractionbattery-isheateractive",
    "IsHeaterActive",
    _("Battery heater on"),
    Shape.BOOLEAN,
    staleness=_CHARGING,
)
MAX_RANGE_CHARGE_COUNT = _add(
    "tractionbattery-maxrangechargecounter",
    "MaxRangeChargeCounter",
    _("Charges to full range"),
    Shape.NUMBER,
    Unit.COUNT,
    staleness=_WEEK,
)
NOMINAL_CAPACITY = _add(
    "tractionbattery-nominalcapacity",
    "NominalCapacity",
    _("Battery capacity"),
    Shape.CAPACITY,
    Unit.KILOWATT_HOUR,
    staleness=_NEVER,
)
RANGE = _add("tractionbattery-range", "Range", _("Range"), Shape.NUMBER, Unit.KILOMETRE)
STATE_OF_CHARGE = _add(
    "tractionbattery-stateofcharge", "StateOfCharge", _("State of charge"), Shape.NUMBER, Unit.PERCENT
)

# Transmission
DRIVE_MODE = _add("transmission-drivemode", "DriveMode", _("Drive mode"), Shape.DRIVE_MODE, staleness=_DAY)
GEAR_STATE = _add("transmission-gearstate", "GearState", _("Gear"), Shape.CHOICE)

# Identification, account, wheels
EXTERIOR_COLOR = _add("vehicleidentification-exteriorcolor", "ExteriorColor", _("Exterior color"), Shape.TEXT)
NICKNAME = _add("vehicleidentification-nickname", "Nickname", _("Nickname"), Shape.TEXT)
PACKAGES = _add("vehicleidentification-packages", "Packages", _("Packages"), Shape.VALUES)
TRIM = _add("vehicleidentification-trim", "Trim", _("Trim"), Shape.TEXT)
VIN = _add("vehicleidentification-vin", "VIN", _("VIN"), Shape.TEXT)
ACCOUNT_PERMISSIONS = _add(
    "vehicleuseraccount-permissions", "Permissions", _("Account permissions"), Shape.VALUES
)
ACCOUNT_ROLE = _add("vehicleuseraccount-role", "Role", _("Account role"), Shape.TEXT)
WHEEL_STYLE = _add("wheel-style", "Style", _("Wheel style"), Shape.TEXT, staleness=_NEVER)
TIRES = _add("wheel-tires", "Tires", _("Tire pressure"), Shape.TIRES, Unit.KILOPASCAL)

CATALOGUE: Mapping[str, Signal] = MappingProxyType(_signals)
"""All signals by code."""

_BY_NAME: Mapping[tuple[str, str], Signal] = {(s.group.lower(), s.name.lower()): s for s in _signals.values()}


def find(*, code: str | None = None, group: str | None = None, name: str | None = None) -> Signal | None:
    """Returns the signal with this code, or else with this group and name (as in older payloads); None if unknown.

    Ignores case.
    """
    if code and (signal := CATALOGUE.get(code.lower())):
        return signal
    if group and name:
        return _BY_NAME.get((group.lower(), name.lower()))
    return None
