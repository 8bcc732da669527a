"""Which energy of a vehicle counts: what it drives on. One rule for alerts, lists, the map and pages.

A combustion engine or a hybrid that can't plug in drives on its tank, whatever its battery reports; a battery-electric
vehicle on its battery. A plug-in hybrid with an empty battery drives on, so its tank counts if it reports one. If the
powertrain is unknown, an empty battery next to a tank isn't what the vehicle drives on.
"""

ELECTRIC = frozenset({"BEV"})
PLUG_IN_HYBRID = frozenset({"PHEV"})
WITHOUT_PLUG = frozenset({"ICE", "HEV", "MHEV", "FCEV"})


def drives_on_fuel(*, powertrain: str, charge: float | None, has_tank: bool) -> bool:
    """Returns whether the tank counts and not the battery.

    `powertrain` is Smartcar's code, "" if unknown. `charge` is the state of charge in percent, None if it was never
    reported; `has_tank` is whether the vehicle reports the level or the volume of a tank.
    """
    code = powertrain.upper()
    if code in ELECTRIC:
        return False
    if code in WITHOUT_PLUG:
        return True
    return has_tank and (code in PLUG_IN_HYBRID or not charge)


def _codes(codes: frozenset[str]) -> str:
    return ", ".join(f"'{code}'" for code in sorted(codes))


def drives_on_fuel_sql(*, vehicle: str, snapshot: str) -> str:
    """Returns the same as SQL, for these aliases of the tables of `Vehicle` and `VehicleSnapshot`."""
    code, has_tank = (
        f"upper({vehicle}.powertrain)",
        f"coalesce({snapshot}.fuel, {snapshot}.fuel_liters) IS NOT NULL",
    )
    return f"""CASE WHEN {code} IN ({_codes(ELECTRIC)}) THEN false
        WHEN {code} IN ({_codes(WITHOUT_PLUG)}) THEN true
        ELSE {has_tank} AND ({code} IN ({_codes(PLUG_IN_HYBRID)}) OR coalesce({snapshot}.charge, 0) = 0) END"""


def level_sql(*, vehicle: str, snapshot: str) -> str:
    """Returns SQL for the level of the energy that counts, in percent; null if it isn't known."""
    on_fuel = drives_on_fuel_sql(vehicle=vehicle, snapshot=snapshot)
    return f"CASE WHEN {on_fuel} THEN {snapshot}.fuel ELSE {snapshot}.charge END"
