"""Who can sign in: the drivers of the seeded fleet, and the documented test addresses."""

import re
import uuid
from dataclasses import dataclass

from simulator.errors import ERROR_TEXTS
from simulator.simulation import Simulation
from simulator.vehicles import Account, Vehicle

INVALID_SUBSCRIPTION = "smartcar@invalid-subscription.com"
VEHICLE_INCOMPATIBLE = "smartcar@vehicle-incompatible.com"
CONNECT_ERRORS = {INVALID_SUBSCRIPTION: "invalid_subscription", VEHICLE_INCOMPATIBLE: "vehicle_incompatible"}
TESTED_TYPES = ("COMPATIBILITY", "CONNECTED_SERVICES_ACCOUNT", "UPSTREAM", "VEHICLE_STATE")
_MANY_VEHICLES = re.compile(r"(\d{1,5})-vehicles@smartcar\.com", re.IGNORECASE)

# VINs from the page "Testing Errors", for single select.
TEST_VINS = {
    "0SCAUDI0155C49A95": INVALID_SUBSCRIPTION,
    "0SCAUDI012FE3B132": VEHICLE_INCOMPATIBLE,
    "0SCLR000270BE6600": "COMPATIBILITY.MAKE_NOT_COMPATIBLE@smartcar.com",
    "0SCLR0002DC18F57F": "COMPATIBILITY.SMARTCAR_NOT_CAPABLE@smartcar.com",
    "0SCLR00024C7CDF7A": "COMPATIBILITY.VEHICLE_NOT_CAPABLE@smartcar.com",
    "0SCLR00026BAAA136": "CONNECTED_SERVICES_ACCOUNT.ACCOUNT_ISSUE@smartcar.com",
    "0SCLR00021D803C7B": "CONNECTED_SERVICES_ACCOUNT.AUTHENTICATION_FAILED@smartcar.com",
    "0SCLR00027671837B": "CONNECTED_SERVICES_ACCOUNT.NO_VEHICLES@smartcar.com",
    "0SCLR0002B9BAF29F": "CONNECTED_SERVICES_ACCOUNT.SUBSCRIPTION@smartcar.com",
    "0SCLR00024E29EEBD": "CONNECTED_SERVICES_ACCOUNT.VEHICLE_MISSING@smartcar.com",
    "0SCLR000298A0A649": "UPSTREAM.INVALID_DATA@smartcar.com",
    "0SCLR0002A8760B72": "UPSTREAM.KNOWN_ISSUE@smartcar.com",
    "0SCLR0002C23E43AB": "UPSTREAM.NO_RESPONSE@smartcar.com",
    "0SCLR0002D4878901": "UPSTREAM.UNKNOWN_ISSUE@smartcar.com",
    "0SCLR0002E8896323": "VEHICLE_STATE.ASLEEP@smartcar.com",
    "0SCLR000221F1E672": "VEHICLE_STATE.CHARGING_IN_PROGRESS@smartcar.com",
    "0SCLR0002CBFC7C21": "VEHICLE_STATE.CHARGING_PLUG_NOT_CONNECTED@smartcar.com",
    "0SCLR0002F8BD90B8": "VEHICLE_STATE.DOOR_OPEN@smartcar.com",
    "0SCLR00029CD9D894": "VEHICLE_STATE.FULLY_CHARGED@smartcar.com",
    "0SCLR000219CD4A2C": "VEHICLE_STATE.HOOD_OPEN@smartcar.com",
    "0SCLR00021D49E58A": "VEHICLE_STATE.IGNITION_ON@smartcar.com",
    "0SCLR00024F6EE640": "VEHICLE_STATE.IN_MOTION@smartcar.com",
    "0SCLR0002588A5CC1": "VEHICLE_STATE.REMOTE_ACCESS_DISABLED@smartcar.com",
    "0SCLR00023C607FDB": "VEHICLE_STATE.TRUNK_OPEN@smartcar.com",
    "0SCLR0002E6CC0314": "VEHICLE_STATE.UNKNOWN@smartcar.com",
    "0SCLR000247EBF067": "VEHICLE_STATE.UNREACHABLE@smartcar.com",
    "0SCLR0002AF1D71A1": "VEHICLE_STATE.VEHICLE_OFFLINE_FOR_SERVICE@smartcar.com",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A driver signed in to a manufacturer's account. ``error`` is returned by every later request about the driver."""

    email: str
    user_id: str
    vehicle_ids: tuple[str, ...]
    error: tuple[str, str | None] | None = None
    connect_error: str | None = None


def forced_error(email: str) -> tuple[str, str] | None:
    """Return the API error that a documented test address requests, or None."""
    name, _, domain = email.partition("@")
    kind, _, code = name.upper().partition(".")
    if domain.lower() != "smartcar.com" or kind not in TESTED_TYPES or (kind, code) not in ERROR_TEXTS:
        return None
    return kind, code


def find_driver(simulation: Simulation, *, make: str | None, email: str) -> Driver | None:
    """Return the driver with this email address at this brand, or None. Any password is accepted."""
    email = email.strip()
    account = next(
        (each for key, each in simulation.fleet.accounts.items() if key.lower() == email.lower()), None
    )
    if account is not None:
        return _seeded(account) if make in (None, account.make) else None
    return _test_driver(simulation, make, email)


def _seeded(account: Account) -> Driver:
    return Driver(email=account.email, user_id=account.user_id, vehicle_ids=tuple(account.vehicle_ids))


def _test_driver(simulation: Simulation, make: str | None, email: str) -> Driver | None:
    vehicles = [each.id for each in simulation.fleet.vehicles.values() if make in (None, each.make)]
    user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{simulation.settings.seed}/{make}/{email.lower()}"))
    match = _MANY_VEHICLES.fullmatch(email)
    if match:
        all_vehicles = list(simulation.fleet.vehicles)
        count = int(match[1])
        selected = (vehicles if len(vehicles) >= count else all_vehicles)[:count]
        return Driver(email=email, user_id=user_id, vehicle_ids=tuple(selected))
    if email.lower() in CONNECT_ERRORS:
        return Driver(
            email=email, user_id=user_id, vehicle_ids=(), connect_error=CONNECT_ERRORS[email.lower()]
        )
    error = forced_error(email)
    if error is None:
        return None
    empty = error == ("CONNECTED_SERVICES_ACCOUNT", "NO_VEHICLES")
    return Driver(
        email=email,
        user_id=user_id,
        vehicle_ids=() if empty else tuple(vehicles[:1]),
        error=error,
        connect_error="no_vehicles" if empty else None,
    )


def find_owner(simulation: Simulation, vehicle: Vehicle) -> Driver | None:
    """Return the seeded account that has the vehicle."""
    for account in simulation.fleet.accounts.values():
        if vehicle.id in account.vehicle_ids:
            return _seeded(account)
    return None
