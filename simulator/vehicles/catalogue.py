"""Every signal that a vehicle may have: code, group, name and permission.

Codes and names come from the documentation's pages "Signals" (Charge … Wheel) and from the newest published list,
which adds ``closure-tailgate``, ``vehicleidentification-packages`` and ``vehicleidentification-trim``: 93 in all. The
permission of a signal is documented by group. For the Transmission group no page names one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class SignalCode:
    """One signal. ``code`` is ``<group>-<name>`` in lower case, as the API writes it."""

    code: str
    group: str
    name: str
    permission: str


_CHARGE = (
    "Amperage AmperageMax AmperageRequested ChargeLimits ChargePortStatusColor ChargeRate ChargeTimers ChargerPhases"
    " ChargingConnectorType DetailedChargingStatus EnergyAdded FastChargerType IsCharging IsChargingCableConnected"
    " IsChargingCableLatched IsChargingPortFlapOpen IsFastChargerPresent TimeToComplete Voltage Wattage"
)
_CLOSURE = "Doors EngineCover FrontTrunk IsLocked RearTrunk Sunroof Tailgate Windows"
_DIAGNOSTICS = (
    "ABS ActiveSafety Airbag BrakeFluid DTCCount DTCList DriverAssistance EVBatteryConditioning EVCharging EVDriveUnit"
    " EVHVBattery Emissions Lighting MIL OilLife OilPressure OilTemperature Telematics TirePressure"
    " TirePressureMonitoring Transmission WasherFluid WaterInFuel"
)
_HVAC = "CabinTargetTemperature IsCabinHVACActive IsFrontDefrosterActive IsRearDefrosterActive IsSteeringHeaterActive"

_TABLE: tuple[tuple[str, str, str], ...] = (
    ("Charge", "read_charge", _CHARGE),
    ("Charge", "read_charge_records", "ChargeRecords"),
    ("Climate", "read_thermometer", "ExternalTemperature InternalTemperature"),
    ("Closure", "read_security", _CLOSURE),
    ("ConnectivitySoftware", "read_extended_vehicle_info", "CurrentFirmwareVersion"),
    ("ConnectivityStatus", "read_vehicle_info", "IsAsleep IsDigitalKeyPaired IsOnline"),
    ("Diagnostics", "read_diagnostics", _DIAGNOSTICS),
    ("HVAC", "read_climate", _HVAC),
    ("InternalCombustionEngine", "read_fuel", "AmountRemaining FuelLevel Range"),
    ("InternalCombustionEngine", "read_engine_oil", "OilLife"),
    ("Location", "read_location", "IsAtHome PreciseLocation"),
    ("LowVoltageBattery", "read_battery", "StateOfCharge Status"),
    ("Motion", "read_speedometer", "CurrentSpeed"),
    ("Odometer", "read_odometer", "TraveledDistance"),
    ("Service", "read_service_history", "IsInService Records"),
    ("Surveillance", "read_security", "Brand IsEnabled"),
    (
        "TractionBattery",
        "read_battery",
        "IsHeaterActive MaxRangeChargeCounter NominalCapacity Range StateOfCharge",
    ),
    ("Transmission", "read_vehicle_info", "DriveMode GearState"),
    ("VehicleIdentification", "read_extended_vehicle_info", "ExteriorColor Packages Trim"),
    ("VehicleIdentification", "read_vehicle_info", "Nickname"),
    ("VehicleIdentification", "read_vin", "VIN"),
    ("VehicleUserAccount", "read_user_profile", "Permissions Role"),
    ("Wheel", "read_tires", "Tires"),
    ("Wheel", "read_vehicle_info", "Style"),
)


def _codes() -> Iterator[SignalCode]:
    for group, permission, names in _TABLE:
        for name in names.split():
            yield SignalCode(code=f"{group}-{name}".lower(), group=group, name=name, permission=permission)


CATALOGUE: Mapping[str, SignalCode] = MappingProxyType(
    {entry.code: entry for entry in sorted(_codes(), key=lambda entry: entry.code)}
)
