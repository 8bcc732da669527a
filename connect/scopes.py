"""The permissions that a fleet asks drivers for: only what its pages and buttons need."""

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
)
