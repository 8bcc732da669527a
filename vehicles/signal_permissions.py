"""Smartcar's permissions: the 28 that a driver can grant, and the one that each signal needs.

No other module says which permission a signal needs. Sources: the names are those of "Permissions" in Smartcar's API
reference, in its order. No page of the documentation names the permission of each signal; those below follow the v2.0
endpoint that returns the same data, and its "Permission" section. The compatibility API of v3 is the authoritative list
(`smartcar_api.compatibility`). For the Transmission group no page and no capture names a permission; it is assumed to
need that of the vehicle's attributes.
"""

READ_PERMISSIONS = (
    "read_alerts",
    "read_battery",
    "read_charge",
    "read_charge_locations",
    "read_charge_records",
    "read_charge_events",
    "read_climate",
    "read_compass",
    "read_diagnostics",
    "read_engine_oil",
    "read_extended_vehicle_info",
    "read_fuel",
    "read_location",
    "read_odometer",
    "read_security",
    "read_service_history",
    "read_speedometer",
    "read_thermometer",
    "read_tires",
    "read_user_profile",
    "read_vehicle_info",
    "read_vin",
)
CONTROL_PERMISSIONS = (
    "control_charge",
    "control_climate",
    "control_navigation",
    "control_security",
    "control_pin",
    "control_trunk",
)
PERMISSIONS = READ_PERMISSIONS + CONTROL_PERMISSIONS

_BY_GROUP = {
    "charge": "read_charge",
    "climate": "read_thermometer",
    "closure": "read_security",
    "connectivitysoftware": "read_extended_vehicle_info",
    "connectivitystatus": "read_vehicle_info",
    "diagnostics": "read_diagnostics",
    "hvac": "read_climate",
    "internalcombustionengine": "read_fuel",
    "location": "read_location",
    "lowvoltagebattery": "read_battery",
    "motion": "read_speedometer",
    "odometer": "read_odometer",
    "service": "read_service_history",
    "surveillance": "read_security",
    "tractionbattery": "read_battery",
    "transmission": "read_vehicle_info",
    "vehicleidentification": "read_extended_vehicle_info",
    "vehicleuseraccount": "read_user_profile",
    "wheel": "read_tires",
}
_BY_CODE = {
    "charge-chargerecords": "read_charge_records",
    "internalcombustionengine-oillife": "read_engine_oil",
    "vehicleidentification-nickname": "read_vehicle_info",
    "vehicleidentification-vin": "read_vin",
    "wheel-style": "read_vehicle_info",
}


def permission_for(code: str) -> str:
    """Returns the permission that the signal with this code needs. Raises KeyError for a group that is unknown."""
    return _BY_CODE.get(code) or _BY_GROUP[code.partition("-")[0]]
