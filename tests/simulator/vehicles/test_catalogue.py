from simulator.vehicles import CATALOGUE

PERMISSIONS = {
    *(
        "read_battery",
        "read_charge",
        "read_charge_records",
        "read_climate",
        "read_diagnostics",
        "read_engine_oil",
    ),
    *("read_extended_vehicle_info", "read_fuel", "read_location", "read_odometer", "read_security"),
    *("read_service_history", "read_speedometer", "read_thermometer", "read_tires", "read_user_profile"),
    *("read_vehicle_info", "read_vin"),
}


def test_the_catalogue_holds_all_93_signals_by_their_code() -> None:
    assert len(CATALOGUE) == 93
    assert all(code == entry.code for code, entry in CATALOGUE.items())


def test_a_code_is_group_and_name_in_lower_case() -> None:
    assert all(entry.code == f"{entry.group}-{entry.name}".lower() for entry in CATALOGUE.values())


def test_every_signal_is_covered_by_a_permission_that_exists() -> None:
    assert {entry.permission for entry in CATALOGUE.values()} == PERMISSIONS


def test_permissions_follow_the_group_where_a_group_has_several() -> None:
    assert CATALOGUE["internalcombustionengine-oillife"].permission == "read_engine_oil"
    assert CATALOGUE["internalcombustionengine-range"].permission == "read_fuel"
    assert CATALOGUE["charge-chargerecords"].permission == "read_charge_records"
    assert CATALOGUE["vehicleidentification-vin"].permission == "read_vin"
