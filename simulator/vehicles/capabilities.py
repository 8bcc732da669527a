"""Which signals a model supports: by powertrain, by body and by manufacturer.

The lists of Volvo and Mercedes-Benz come from the documentation's pages about these makes. For the others no list of
signals is published, so theirs is chosen to be plausible.
"""

from functools import cache
from typing import Final

from simulator.vehicles.catalogue import CATALOGUE
from simulator.vehicles.models import Model


def _codes(group: str, names: str) -> frozenset[str]:
    codes = frozenset(f"{group}-{name}".lower() for name in names.split())
    unknown = codes - CATALOGUE.keys()
    assert not unknown, unknown
    return codes


_ALWAYS: Final = _codes("VehicleIdentification", "VIN") | _codes("Odometer", "TraveledDistance")
_ONLINE: Final = _codes("ConnectivityStatus", "IsOnline")
_PLACE: Final = _codes("Location", "PreciseLocation")
_LOCKS: Final = _codes("Closure", "IsLocked Doors Windows")
_TRUNKS: Final = _codes("Closure", "RearTrunk")
_BATTERY: Final = _codes("TractionBattery", "StateOfCharge Range NominalCapacity")
_CHARGING: Final = _codes(
    "Charge",
    "IsChargingCableConnected IsCharging DetailedChargingStatus ChargeTimers ChargeLimits TimeToComplete Wattage",
)
_CHARGING_MORE: Final = _codes(
    "Charge", "ChargingConnectorType EnergyAdded ChargeRate Voltage Amperage IsFastChargerPresent"
)
_CHARGING_ALL: Final = frozenset(code for code in CATALOGUE if code.startswith("charge-"))
_FUEL: Final = _codes("InternalCombustionEngine", "FuelLevel AmountRemaining Range")
_OIL: Final = _codes("InternalCombustionEngine", "OilLife")
_CLIMATE: Final = _codes("Climate", "ExternalTemperature InternalTemperature")
_HVAC: Final = frozenset(code for code in CATALOGUE if code.startswith("hvac-"))
_TYRES: Final = _codes("Wheel", "Tires")
_MOTION: Final = _codes("Motion", "CurrentSpeed") | _codes("Transmission", "GearState")
_ASLEEP: Final = _codes("ConnectivityStatus", "IsAsleep")
_LOW_VOLTAGE: Final = _codes("LowVoltageBattery", "StateOfCharge Status")
_IDENTITY: Final = _codes("VehicleIdentification", "Nickname ExteriorColor Trim Packages")
_ACCOUNT: Final = _codes("VehicleUserAccount", "Permissions Role")
_SERVICE: Final = _codes("Service", "IsInService Records")
_FIRMWARE: Final = _codes("ConnectivitySoftware", "CurrentFirmwareVersion")
_SURVEILLANCE: Final = _codes("Surveillance", "IsEnabled Brand")
_LAMPS: Final = _codes(
    "Diagnostics", "MIL ABS Airbag BrakeFluid TirePressure TirePressureMonitoring Lighting WasherFluid"
)
_LAMPS_MORE: Final = _codes("Diagnostics", "ActiveSafety DriverAssistance Telematics Transmission")
_TROUBLE_CODES: Final = _codes("Diagnostics", "DTCCount DTCList")
_LAMPS_ENGINE: Final = _codes("Diagnostics", "Emissions OilLife OilPressure OilTemperature")
_LAMPS_BATTERY: Final = _codes("Diagnostics", "EVBatteryConditioning EVCharging EVDriveUnit EVHVBattery")

_COMBUSTION_ONLY: Final = (
    _FUEL | _OIL | _LAMPS_ENGINE | _codes("Closure", "EngineCover") | _codes("Diagnostics", "WaterInFuel")
)
_ELECTRIC_ONLY: Final = (
    _CHARGING_ALL | _LAMPS_BATTERY | frozenset(c for c in CATALOGUE if c.startswith("tractionb"))
)
_FRUNK: Final = _codes("Closure", "FrontTrunk")
_TAILGATE: Final = _codes("Closure", "Tailgate")

_COMMON: Final = _ALWAYS | _ONLINE | _PLACE | _LOCKS | _TRUNKS | _BATTERY | _CHARGING | _FUEL | _TYRES
_VOLVO: Final = _ALWAYS | _LOCKS | _BATTERY | _CHARGING | _FUEL | _codes("Charge", "ChargingConnectorType")
_MERCEDES: Final = _ALWAYS | _PLACE | _BATTERY | _CHARGING | _codes("Closure", "IsLocked")
_GM: Final = (
    _COMMON | _OIL | _LAMPS | _LAMPS_MORE | _LAMPS_ENGINE | _LAMPS_BATTERY | _TROUBLE_CODES | _CHARGING_MORE | _MOTION
)  # fmt: skip
_FORD: Final = (
    _COMMON | _OIL | _LAMPS | _LAMPS_ENGINE | _LAMPS_BATTERY | _TROUBLE_CODES | _CHARGING_MORE | _MOTION | _CLIMATE
    | _LOW_VOLTAGE | _FIRMWARE | _FRUNK | _TAILGATE | _ASLEEP | _codes("Closure", "EngineCover")
    | _codes("Diagnostics", "WaterInFuel")
)  # fmt: skip
_TESLA: Final = (
    _COMMON | _CHARGING_ALL | _CLIMATE | _HVAC | _MOTION | _ASLEEP | _IDENTITY | _ACCOUNT | _SERVICE | _FIRMWARE
    | _SURVEILLANCE | _FRUNK | _codes("Closure", "Sunroof") | _codes("Location", "IsAtHome") | _codes("Wheel", "Style")
    | _codes("TractionBattery", "IsHeaterActive MaxRangeChargeCounter") | _codes("Transmission", "DriveMode")
    | _codes("ConnectivityStatus", "IsDigitalKeyPaired")
)  # fmt: skip
_RIVIAN: Final = (
    _COMMON | _CHARGING_MORE | _CLIMATE | _HVAC | _MOTION | _ASLEEP | _FIRMWARE | _FRUNK | _TAILGATE | _IDENTITY
    | _codes("Charge", "IsChargingPortFlapOpen IsChargingCableLatched")
    | _codes("ConnectivityStatus", "IsDigitalKeyPaired") | _codes("Transmission", "DriveMode") | _SURVEILLANCE
)  # fmt: skip
_KOREA: Final = (
    _COMMON | _CHARGING_MORE | _CLIMATE | _HVAC | _LAMPS | _TROUBLE_CODES | _LOW_VOLTAGE | _FRUNK | _TAILGATE
    | _codes("Closure", "EngineCover Sunroof") | _codes("Diagnostics", "OilPressure")
)  # fmt: skip
_GERMAN: Final = (
    _COMMON | _CHARGING_MORE | _CLIMATE | _LOW_VOLTAGE | _OIL | _codes("Closure", "EngineCover Sunroof")
    | _codes("HVAC", "IsCabinHVACActive CabinTargetTemperature") | _codes("Diagnostics", "MIL OilLife")
)  # fmt: skip
_BMW: Final = _GERMAN | _SERVICE | _codes("Diagnostics", "BrakeFluid TirePressure")
_JAPAN: Final = (
    _COMMON | _codes("Closure", "EngineCover Sunroof") | _LOW_VOLTAGE | _codes("Diagnostics", "MIL")
)
_STELLANTIS: Final = (
    _COMMON | _OIL | _LAMPS | _TROUBLE_CODES | _codes("Diagnostics", "OilPressure WaterInFuel")
)

_BY_MAKE: Final = {
    "ACURA": _JAPAN | _OIL | _ASLEEP,
    "AUDI": _GERMAN,
    "BMW": _BMW,
    "CADILLAC": _GM,
    "CHEVROLET": _GM,
    "CHRYSLER": _STELLANTIS,
    "FORD": _FORD,
    "GMC": _GM,
    "HONDA": _JAPAN | _OIL,
    "HYUNDAI": _KOREA,
    "JAGUAR": _COMMON | _SERVICE | _codes("Closure", "Sunroof") | _CLIMATE,
    "JEEP": _STELLANTIS,
    "KIA": _KOREA,
    "LEXUS": _JAPAN | _SERVICE,
    "LINCOLN": _FORD,
    "MAZDA": _JAPAN | _OIL,
    "MERCEDES_BENZ": _MERCEDES,
    "MINI": _BMW,
    "NISSAN": _JAPAN | _CLIMATE | _TROUBLE_CODES,
    "POLESTAR": _COMMON | _CHARGING_MORE | _FRUNK | _SERVICE,
    "RAM": _STELLANTIS,
    "RIVIAN": _RIVIAN,
    "SUBARU": _JAPAN,
    "TESLA": _TESLA,
    "TOYOTA": _JAPAN | _SERVICE,
    "VOLKSWAGEN": _GERMAN | _LAMPS | _TROUBLE_CODES,
    "VOLVO": _VOLVO,
}


@cache
def _supported(model: Model) -> frozenset[str]:
    codes = _BY_MAKE[model.make]
    if not model.combustion:
        codes -= _COMBUSTION_ONLY
    if not model.electric:
        codes -= _ELECTRIC_ONLY
    if model.combustion or model.body in {"van"}:
        codes -= _FRUNK
    if model.body == "car":
        codes -= _TAILGATE
    return codes


def supported(model: Model, year: int) -> frozenset[str]:
    """Return the codes of the signals that vehicles of this model and year support."""
    codes = _supported(model)
    return codes if year >= 2021 else codes - _CLIMATE - _HVAC
