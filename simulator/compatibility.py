"""Which models Smartcar can connect: a plausible matrix made from the models of the simulated fleet."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from simulator.vehicles import CATALOGUE, MODELS, Fleet, Vehicle

REGIONS = ("US", "CA", "EUROPE")
US_ONLY = {"LEXUS", "SUBARU", "TOYOTA"}
AMERICAN = {"ACURA", "CADILLAC", "CHEVROLET", "GMC", "HONDA", "LINCOLN", "RAM", "RIVIAN"}

# v2 endpoint -> its permission, and its name in the matrix.
ENDPOINTS: dict[str, tuple[str, str]] = {
    "/battery": ("read_battery", "EV battery"),
    "/battery/capacity": ("read_battery", "EV battery capacity"),
    "/charge": ("read_charge", "EV charging status"),
    "/charge/limit": ("read_charge", "EV charge limit"),
    "/charge (start and stop)": ("control_charge", "EV start & stop charge"),
    "/diagnostics/dtcs": ("read_diagnostics", "Diagnostic trouble codes"),
    "/diagnostics/system_status": ("read_diagnostics", "System status"),
    "/engine/oil": ("read_engine_oil", "Engine oil life"),
    "/fuel": ("read_fuel", "Fuel tank"),
    "/location": ("read_location", "Location"),
    "/navigation/destination": ("control_navigation", "Send destination"),
    "/odometer": ("read_odometer", "Odometer"),
    "/security": ("read_security", "Lock status"),
    "/security (lock and unlock)": ("control_security", "Lock & unlock"),
    "/service/history": ("read_service_history", "Service history"),
    "/tires/pressure": ("read_tires", "Tire pressure"),
    "/vin": ("read_vin", "VIN"),
}

# Command name in ``simulator.vehicles`` -> its v3 name, group and code in the matrix.
COMMANDS = {
    "lock": ("Lock", "Security", "security-lock"),
    "unlock": ("Unlock", "Security", "security-unlock"),
    "start_charge": ("StartCharge", "Charge", "charge-start"),
    "stop_charge": ("StopCharge", "Charge", "charge-stop"),
    "set_charge_limit": ("SetChargeLimit", "Charge", "charge-set-limit"),
    "open_charge_port": ("OpenChargePort", "ChargePort", "charge-port-open"),
    "close_charge_port": ("CloseChargePort", "ChargePort", "charge-port-close"),
    "set_destination": ("SetDestination", "Navigation", "navigation-set-destination"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model in one region."""

    make: str
    model: str
    powertrain: str
    years: tuple[int, int]
    region: str
    signals: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def permissions(self) -> list[str]:
        """Return the permissions that apply to the model."""
        reading = {CATALOGUE[code].permission for code in self.signals}
        controls = {
            "lock": "control_security",
            "start_charge": "control_charge",
            "set_destination": "control_navigation",
        }
        return sorted(
            reading | {permission for name, permission in controls.items() if name in self.commands}
        )

    @property
    def endpoints(self) -> list[str]:
        """Return the names of the v2 endpoints that work for the model."""
        granted = set(self.permissions)
        return [name for permission, name in ENDPOINTS.values() if permission in granted]

    def resource(self) -> dict[str, Any]:
        """Return the row as a v3 resource. Only this resource names the permission of a signal."""
        start, end = self.years
        return {
            "id": f"{self.make}-{self.model}-{start}-{end}-{self.powertrain}-{self.region}",
            "type": "vehicle-model-capability",
            "attributes": {
                "make": self.make,
                "model": self.model,
                "region": self.region,
                "powertrainType": self.powertrain,
                "years": {"start": start, "end": end},
                "capabilities": [*map(_signal, self.signals), *map(_command, self.commands)],
            },
        }


def _signal(code: str) -> dict[str, Any]:
    entry = CATALOGUE[code]
    return {
        "type": "signal", "name": entry.name, "group": entry.group, "code": code,
        "capability": code, "permission": entry.permission,
    }  # fmt: skip


def _command(command: str) -> dict[str, Any]:
    name, group, code = COMMANDS[command]
    return {
        "type": "command",
        "name": name,
        "group": group,
        "code": code,
        "capability": code,
        "permission": "",
    }


@cache
def _examples() -> dict[tuple[str, str], Vehicle]:
    fleet = Fleet(seed=0, vehicles=len(MODELS), start=0.0)
    return {(vehicle.make, vehicle.model): vehicle for vehicle in fleet.vehicles.values()}


def _sold(make: str, region: str) -> bool:
    if make in US_ONLY:
        return region == "US"
    return region != "EUROPE" or make not in AMERICAN


@cache
def matrix_rows(region: str) -> tuple[Row, ...]:
    """Return all models sold in a region."""
    rows = []
    for model in MODELS:
        vehicle = _examples().get((model.make, model.name))
        if vehicle is None or not _sold(model.make, region):
            continue
        rows.append(
            Row(
                make=model.make,
                model=model.name,
                powertrain=model.powertrain,
                years=model.years,
                region=region,
                signals=tuple(code for code in CATALOGUE if vehicle.supports(code)),
                commands=tuple(each for each in COMMANDS if vehicle.supports_command(each)),
            )
        )
    return tuple(rows)


def knows_manufacturer(vin: str) -> bool:
    """Return whether a VIN begins with a manufacturer code of this fleet."""
    return any(vin.startswith(model.manufacturer_code) for model in MODELS)
