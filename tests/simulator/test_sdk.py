"""Smartcar's own Python SDK (6.19.1) against the simulator: every method of AuthClient, Vehicle and the module."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import httpx
import pytest

from tests.simulator.harness import get_query
from tests.simulator.process import ENVIRONMENT, NIGHT, NO_LIMITS, simulator
from tests.simulator.test_process import Endpoint

# The SDK has no usable types.
smartcar: Any = import_module("smartcar")
config: Any = import_module("smartcar.config")
functions: Any = import_module("smartcar.smartcar")
AuthClient, Vehicle, SmartcarException = smartcar.AuthClient, smartcar.Vehicle, smartcar.SmartcarException

AMT = "the management token"
REDIRECT = "http://localhost:9999/back"
CLIENT = {
    "client_id": ENVIRONMENT["SMARTCAR_APPLICATION_ID"],
    "client_secret": ENVIRONMENT["SMARTCAR_APPLICATION_SECRET"],
}


@dataclass
class Setting:
    """A simulator with the SDK pointed at it, and everything that one driver can grant."""

    control: httpx.Client
    auth: Any
    used: set[str] = field(default_factory=set)

    def connect(self, url: str | None = None, **body: Any) -> str:
        response = self.control.post("/control/grants", json={"url": url or self.auth.get_auth_url()} | body)
        assert response.status_code == 200, response.text
        return get_query(response.json()["redirect"])["code"]

    def vehicle(self, *, signal_code: str, make: str | None = None) -> Any:
        """Return a connected vehicle that has a signal, parked, unlocked and closed."""
        for vehicle in self.control.get("/control/vehicles", params={"make": make} if make else {}).json()[
            "vehicles"
        ]:
            shown = self.control.get(f"/control/vehicles/{vehicle['id']}").json()
            if shown["signals"][signal_code]["error"] is None:
                access = self.auth.exchange_code(self.connect(vehicleIds=[vehicle["id"]]))
                return Vehicle(vehicle["id"], access.access_token)
        raise AssertionError(f"no car with {signal_code}")

    def patch(self, vehicle: Any, **state: Any) -> None:
        response = self.control.patch(f"/control/vehicles/{vehicle.vehicle_id}", json=state)
        assert response.status_code == 200, response.text


@pytest.fixture(scope="module")
def setting() -> Iterator[Setting]:
    patch = pytest.MonkeyPatch()
    with (
        simulator("--command-latency=0", "--start", NIGHT, *NO_LIMITS) as started,
        started.client() as control,
    ):
        origins = {
            "API_ORIGIN": "/api",
            "AUTH_ORIGIN": "/auth/oauth/token",
            "CONNECT_ORIGIN": "/connect",
            "MANAGEMENT_API_ORIGIN": "/management",
            "VEHICLE_API_ORIGIN": "/vehicle",
        }
        for name, path in origins.items():
            patch.setattr(config, name, started.origin + path)
        yield Setting(control, AuthClient(redirect_uri=REDIRECT, mode="simulated", **CLIENT))
    patch.undo()


# -- AuthClient --------------------------------------------------------------------------------------------


def test_get_auth_url_leads_into_connect(setting: Setting) -> None:
    url = setting.auth.get_auth_url(
        ["read_odometer", "required:read_vin"],
        {
            "state": "s",
            "force_prompt": True,
            "make_bypass": "TESLA",
            "single_select": {"enabled": True},
            "flags": {"country": "DE"},
            "user": "owner-1",
        },
    )

    page = httpx.get(url, follow_redirects=True, trust_env=False)

    assert page.status_code == 200
    assert "Sign in with your Tesla account" in page.text


def test_exchange_code_and_refresh(setting: Setting) -> None:
    first = setting.auth.exchange_code(setting.connect())
    second = setting.auth.exchange_refresh_token(first.refresh_token)

    assert (first.token_type, first.expires_in) == ("Bearer", 7200)
    assert second.access_token != first.access_token
    assert smartcar.get_user(second.access_token).id == smartcar.get_user(first.access_token).id


def test_a_wrong_code_is_an_oauth_error(setting: Setting) -> None:
    with pytest.raises(SmartcarException) as refusal:
        setting.auth.exchange_code("made up")

    assert (refusal.value.status_code, refusal.value.type) == (400, "invalid_grant")


# -- the module's functions --------------------------------------------------------------------------------


def test_get_user_and_vehicles(setting: Setting) -> None:
    access = setting.auth.exchange_code(setting.connect(count=12))

    page = smartcar.get_vehicles(access.access_token, {"limit": 5, "offset": 10})

    assert len(smartcar.get_user(access.access_token).id) == 36
    assert (len(page.vehicles), page.paging.count, page.paging.offset) == (2, 12, 10)
    assert page.meta.request_id


def test_get_vehicle_reads_v3(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="odometer-traveleddistance")

    response = functions.get_vehicle(vehicle.access_token, vehicle.vehicle_id)

    assert response["body"]["data"]["id"] == vehicle.vehicle_id
    assert response["headers"]["sc-request-id"]


def test_get_compatibility(setting: Setting) -> None:
    vehicle = setting.control.get("/control/vehicles").json()["vehicles"][0]

    response = smartcar.get_compatibility(vehicle["vin"], ["read_odometer"], "US", CLIENT)

    assert (response.compatible, response.reason) == (True, None)
    assert (response.capabilities[0].permission, response.capabilities[0].capable) == ("read_odometer", True)


def test_get_compatibility_matrix(setting: Setting) -> None:
    matrix = functions.get_compatibility_matrix(
        "US", "TESLA", CLIENT | {"type": "BEV", "scope": ["read_battery"]}
    )

    assert "read_battery" in matrix["TESLA"][0].permissions
    assert matrix["TESLA"][0].startYear <= matrix["TESLA"][0].endYear


def test_connections_are_listed_and_deleted(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="odometer-traveleddistance", make="AUDI")
    user_id = smartcar.get_user(vehicle.access_token).id

    found = smartcar.get_connections(AMT, {"user_id": user_id}, {"limit": 1})
    assert [each.vehicle_id for each in found.connections] == [vehicle.vehicle_id]
    assert found.connections[0].connected_at
    assert found.paging.cursor is None
    deleted = smartcar.delete_connections(AMT, {"vehicle_id": vehicle.vehicle_id})

    assert [(each.user_id, each.vehicle_id) for each in deleted.connections] == [
        (user_id, vehicle.vehicle_id)
    ]
    assert smartcar.get_connections(AMT, {"user_id": user_id}).connections == []


def test_the_signing_helpers_agree_with_deliveries(setting: Setting) -> None:
    received: list[tuple[str, str | None]] = []

    class Recorded(Endpoint):
        def receive(self, body: bytes, signature: str | None) -> bytes:
            received.append((body.decode(), signature))
            return super().receive(body, signature)

    endpoint = Recorded()
    try:
        webhook = setting.control.post(
            "/control/webhooks", json={"callbackUri": endpoint.uri, "id": "signing"}
        )
        assert webhook.json()["verified"], "hash_challenge is what the endpoint answers with"
        vehicle = setting.vehicle(signal_code="odometer-traveleddistance")
        vehicle.subscribe("signing")
        endpoint.wait_for(1)
    finally:
        endpoint.close()

    body, signature = received[-1]
    assert smartcar.verify_payload(AMT, signature, body)
    assert smartcar.hash_challenge(AMT, body) == signature
    assert functions.get_management_token(AMT)


def test_the_api_version_is_2(setting: Setting) -> None:
    smartcar.set_api_version("2.0")

    assert smartcar.get_api_version() == "2.0"


# -- Vehicle: reads ----------------------------------------------------------------------------------------

READS: dict[str, tuple[str, list[str]]] = {
    "vin": ("vehicleidentification-vin", ["vin"]),
    "charge": ("charge-ischarging", ["is_plugged_in", "state"]),
    "battery": ("tractionbattery-stateofcharge", ["percent_remaining", "range"]),
    "battery_capacity": ("tractionbattery-nominalcapacity", ["capacity"]),
    "nominal_capacity": ("tractionbattery-nominalcapacity", ["availableCapacities"]),
    "fuel": ("internalcombustionengine-fuellevel", ["percent_remaining"]),
    "tire_pressure": ("wheel-tires", ["front_left", "front_right", "back_left", "back_right"]),
    "engine_oil": ("internalcombustionengine-oillife", ["life_remaining"]),
    "odometer": ("odometer-traveleddistance", ["distance"]),
    "service_history": ("service-records", ["items"]),
    "diagnostic_system_status": ("diagnostics-mil", ["systems"]),
    "diagnostic_trouble_codes": ("diagnostics-dtclist", ["active_codes"]),
    "location": ("location-preciselocation", ["latitude", "longitude"]),
    "attributes": ("odometer-traveleddistance", ["id", "make", "model", "year"]),
    "get_charge_limit": ("charge-chargelimits", ["limit"]),
    "lock_status": (
        "closure-islocked",
        ["is_locked", "doors", "windows", "sunroof", "storage", "charging_port"],
    ),
    "permissions": ("odometer-traveleddistance", ["permissions", "paging"]),
}


@pytest.mark.parametrize("method", READS)
def test_every_read(setting: Setting, method: str) -> None:
    signal, names = READS[method]
    vehicle = setting.vehicle(signal_code=signal, make="CHEVROLET" if method == "battery_capacity" else None)

    response = getattr(vehicle, method)()

    for name in names:
        assert getattr(response, name) is not None
    assert len(response.meta.request_id) == 36


def test_permissions_are_paged(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="odometer-traveleddistance")

    page = vehicle.permissions({"limit": 3, "offset": 2})

    assert (len(page.permissions), page.paging.count, page.paging.offset) == (3, 28, 2)


def test_service_history_takes_dates(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="service-records")
    everything = vehicle.service_history("2000-01-01", "2100-01-01").items

    dates = sorted(each["serviceDate"] for each in everything)
    later = vehicle.service_history(start_date=dates[-1]).items

    assert [each["serviceDate"] for each in later] == dates[-1:]
    assert vehicle.service_history(end_date="2000-01-01").items == []


def test_reads_carry_age_and_units(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="odometer-traveleddistance")
    imperial = Vehicle(vehicle.vehicle_id, vehicle.access_token, {"unit_system": "imperial"})

    km, miles = vehicle.odometer(), imperial.odometer()

    assert (km.meta.unit_system, miles.meta.unit_system) == ("metric", "imperial")
    assert miles.distance == pytest.approx(km.distance * 0.621371, rel=1e-3)
    assert km.meta.data_age <= km.meta.fetched_at


def test_signals_are_read_with_the_drivers_token(setting: Setting) -> None:
    endpoint = Endpoint()
    try:
        setting.control.post("/control/webhooks", json={"callbackUri": endpoint.uri, "id": "signals"})
        vehicle = setting.vehicle(signal_code="odometer-traveleddistance")
        assert (
            vehicle.get_signals()["body"]["data"] == [] or vehicle.get_signals()["body"]["meta"]["totalCount"]
        )
        vehicle.subscribe("signals")
        endpoint.wait_for(1)
    finally:
        endpoint.close()

    everything = vehicle.get_signals()
    one = vehicle.get_signal("odometer-traveleddistance")

    assert one["body"]["data"]["attributes"]["body"]["unit"] == "km"
    assert one["body"]["data"] in everything["body"]["data"]
    assert one["headers"]["sc-request-id"]


# -- Vehicle: batch, commands, the rest --------------------------------------------------------------------


def test_batch(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="internalcombustionengine-fuellevel", make="FORD")
    paths = ["/", "/odometer", "/security", "/tires/pressure", "/nothing", "/charge/limit"]

    response = vehicle.batch(paths)

    assert response.attributes().id == vehicle.vehicle_id
    assert response.odometer().distance == vehicle.odometer().distance
    assert response.lock_status().doors
    assert response.meta.request_id
    with pytest.raises(SmartcarException) as refusal:
        response.nothing()
    assert (refusal.value.type, refusal.value.code) == ("RESOURCE_NOT_FOUND", "PATH")


def test_lock_and_unlock(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="closure-islocked", make="VOLKSWAGEN")
    setting.patch(vehicle, speed=0, doors=[], rear_trunk_open=False)

    assert vehicle.unlock().status == "success"
    assert vehicle.lock_status().is_locked is False
    assert vehicle.lock().message
    assert vehicle.lock_status().is_locked is True


def test_charging(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="charge-ischarging", make="VOLKSWAGEN")
    setting.patch(vehicle, plugged_in=True, state_of_charge=60, charge_limit=90, charging=False)

    assert vehicle.start_charge().status == "success"
    assert vehicle.charge().state == "CHARGING"
    assert vehicle.stop_charge().status == "success"
    assert vehicle.set_charge_limit(0.7).status == "success"
    assert vehicle.get_charge_limit().limit == 0.7


def test_send_destination(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="odometer-traveleddistance", make="TESLA")
    setting.patch(vehicle, speed=0)

    assert vehicle.send_destination(37.78, -122.42).status == "success"


def test_a_vehicles_rejection_arrives_complete(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="closure-doors", make="VOLKSWAGEN")
    setting.patch(vehicle, speed=0, doors=[[0, 0]])

    with pytest.raises(SmartcarException) as refusal:
        vehicle.lock()

    error = refusal.value
    assert (error.status_code, error.type, error.code) == (409, "VEHICLE_STATE", "DOOR_OPEN")
    assert error.resolution == {"type": None, "url": None}
    assert error.doc_url.endswith("vehicle-state-errors#door-open")
    assert len(error.request_id) == 36
    assert error.suggested_user_message
    setting.patch(vehicle, doors=[])


def test_retry_after_arrives(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="odometer-traveleddistance")
    setting.control.post("/control/troubles", json={"rateLimited": 1})
    try:
        with pytest.raises(SmartcarException) as refusal:
            vehicle.odometer()
    finally:
        setting.control.delete("/control/troubles")

    assert (refusal.value.code, refusal.value.retry_after) == ("VEHICLE", "30")


def test_request_reaches_any_path(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="odometer-traveleddistance", make="TESLA")

    assert vehicle.request("GET", "odometer").body["distance"]
    assert vehicle.request("GET", "tesla/virtual_key", headers={}).body == {"isPaired": True}


def test_subscribe_and_unsubscribe(setting: Setting) -> None:
    endpoint = Endpoint()
    try:
        setting.control.post("/control/webhooks", json={"callbackUri": endpoint.uri, "id": "hooked"})
    finally:
        endpoint.close()
    vehicle = setting.vehicle(signal_code="odometer-traveleddistance")

    subscription = vehicle.subscribe("hooked")

    assert (subscription.webhook_id, subscription.vehicle_id) == ("hooked", vehicle.vehicle_id)
    assert vehicle.unsubscribe(AMT, "hooked").status == "success"


def test_disconnect(setting: Setting) -> None:
    vehicle = setting.vehicle(signal_code="odometer-traveleddistance", make="JEEP")

    assert vehicle.disconnect().status == "success"
    with pytest.raises(SmartcarException) as refusal:
        vehicle.odometer()
    assert (refusal.value.status_code, refusal.value.type) == (401, "AUTHENTICATION")


def test_every_method_is_tested() -> None:
    """Compare what this file calls with what the SDK offers. set_unit_system always raises an error."""
    tested = inspect.getsource(inspect.getmodule(test_batch))  # type: ignore[arg-type]
    offered = {
        name for name, _ in inspect.getmembers(Vehicle, inspect.isfunction) if not name.startswith("_")
    }
    offered |= {
        name for name, _ in inspect.getmembers(AuthClient, inspect.isfunction) if not name.startswith("_")
    }
    offered |= {
        name
        for name, each in inspect.getmembers(functions, inspect.isfunction)
        if each.__module__ == "smartcar.smartcar"
    }

    missing = {name for name in offered if f".{name}(" not in tested and f'"{name}"' not in tested}
    assert len(offered) > 40
    assert not missing
    with pytest.raises(ValueError, match="unit_system"):
        Vehicle("id", "token").set_unit_system("metric")
