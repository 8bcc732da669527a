"""The permissions a driver can grant, in Smartcar's names and in plain words."""

# Names and meanings: "Permissions" in the API reference.
PERMISSIONS: dict[str, str] = {
    "read_vehicle_info": "Know its make, model and year",
    "read_vin": "Know its identification number (VIN)",
    "read_extended_vehicle_info": "Know its colour, trim and software",
    "read_battery": "See how full its battery is and how far it can go",
    "read_charge": "See whether it is plugged in and charging",
    "read_charge_events": "Be told when charging starts and ends",
    "read_charge_locations": "See where it was charged and how it is set up there",
    "read_charge_records": "See past charging sessions and what they cost",
    "read_fuel": "See how much fuel is left",
    "read_engine_oil": "See how long its engine oil will last",
    "read_odometer": "See how far it has been driven",
    "read_location": "See where it is",
    "read_compass": "See which way it is facing",
    "read_speedometer": "See how fast it is going",
    "read_security": "See whether doors, windows and lids are open or locked",
    "read_tires": "See its tyre pressures",
    "read_diagnostics": "See warnings and trouble codes",
    "read_alerts": "See alerts from the car",
    "read_thermometer": "See the temperature inside and outside",
    "read_climate": "See its heating and cooling settings",
    "read_service_history": "See its service history",
    "read_user_profile": "See the driver's account profile",
    "control_charge": "Start and stop charging and set the limit",
    "control_security": "Lock and unlock it",
    "control_climate": "Switch heating and cooling",
    "control_navigation": "Send a destination to its navigation",
    "control_trunk": "Open the boot",
    "control_pin": "Change its PIN to drive",
}


def in_words(permissions: list[str]) -> list[str]:
    """The plain words for each known permission, reading before controlling, in a fixed order."""
    return [words for name, words in PERMISSIONS.items() if name in permissions]
