"""The permissions that a driver can grant, by Smartcar's names and in plain words."""

# Names and meanings: "Permissions" in the API reference.
PERMISSIONS: dict[str, str] = {
    "read_vehicle_info": "See its make, model and year",
    "read_vin": "See its identification number (VIN)",
    "read_extended_vehicle_info": "See its color, trim and software",
    "read_battery": "See its battery level and range",
    "read_charge": "See whether it is plugged in and charging",
    "read_charge_events": "Be notified when charging starts and ends",
    "read_charge_locations": "See its charging locations and their settings",
    "read_charge_records": "See its charging sessions and their cost",
    "read_fuel": "See its fuel level",
    "read_engine_oil": "See its engine oil life",
    "read_odometer": "See its odometer",
    "read_location": "See its location",
    "read_compass": "See its heading",
    "read_speedometer": "See its speed",
    "read_security": "See whether doors, windows and lids are open or locked",
    "read_tires": "See its tire pressures",
    "read_diagnostics": "See warnings and trouble codes",
    "read_alerts": "See alerts from the car",
    "read_thermometer": "See the temperature inside and outside",
    "read_climate": "See its heating and cooling settings",
    "read_service_history": "See its service history",
    "read_user_profile": "See the driver's account profile",
    "control_charge": "Start and stop charging and set the limit",
    "control_security": "Lock and unlock it",
    "control_climate": "Control heating and cooling",
    "control_navigation": "Send a destination to its navigation",
    "control_trunk": "Open the trunk",
    "control_pin": "Change its PIN to drive",
}


def describe(permissions: list[str]) -> list[str]:
    """Return the description of each known permission, reading before controlling, in a fixed order."""
    return [description for name, description in PERMISSIONS.items() if name in permissions]
