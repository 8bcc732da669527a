"""API v2.0 over plain HTTP: shapes, headers, units, errors, batch, commands, management, compatibility."""

import base64
import uuid
from typing import Any

import pytest

from simulator.errors import ERROR_TEXTS, STATUS
from simulator.hosts.v2_reads import READS
from simulator.simulation import applicable_permissions
from simulator.vehicles import CATALOGUE
from tests.simulator.conftest import Simulate
from tests.simulator.harness import CREDENTIALS, Driver, SimulatorHarness

AMT = {"Authorization": "Basic " + base64.b64encode(b"default:first token").decode()}


def connect_driver(
    sim: SimulatorHarness, *, powertrain: str, code: str = "odometer-traveleddistance"
) -> Driver:
    """Connect a driver with a vehicle of this kind that has the signal."""
    for who in sim.simulation.fleet.accounts.values():
        vehicle = sim.simulation.fleet.vehicles[who.vehicle_ids[0]]
        if vehicle.powertrain == powertrain and vehicle.supports(code):
            driver = sim.driver(email=who.email, vehicleIds=[vehicle.id])
            assert driver.vehicle_id == vehicle.id
            return driver
    raise AssertionError(f"no {powertrain} with {code}")


def value(driver: Driver, code: str) -> Any:
    simulation = driver.harness.simulation
    return (simulation.fleet.vehicles[driver.vehicle_id].signal(code, now=simulation.now()).body or {})[
        "value"
    ]


def test_vehicles_are_paged(sim: SimulatorHarness) -> None:
    driver = sim.driver(count=12)
    get = sim.client.get

    first = get("/api/v2.0/vehicles", headers=driver.v2, params={"limit": 5}).json()
    rest = get("/api/v2.0/vehicles", headers=driver.v2, params={"limit": 50, "offset": 5}).json()

    assert first["paging"] == {"count": 12, "offset": 0}
    assert sorted(first["vehicles"] + rest["vehicles"]) == sorted(driver.vehicle_ids)
    assert get("/api/v2.0/vehicles", headers=driver.v2, params={"limit": 51}).json()["type"] == "VALIDATION"


def test_user_and_attributes(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    vehicle = sim.simulation.fleet.vehicles[driver.vehicle_id]

    assert sim.client.get("/api/v2.0/user", headers=driver.v2).json() == {"id": driver.user_id}
    attributes = driver.get()
    assert attributes.json() == {
        "id": vehicle.id,
        "make": vehicle.make,
        "model": vehicle.model,
        "year": vehicle.year,
    }
    assert driver.get("/").json() == attributes.json()


def test_reads_carry_age_units_and_request_id(sim: SimulatorHarness) -> None:
    response = sim.driver().get("/odometer")

    assert response.headers["sc-unit-system"] == "metric"
    assert response.headers["sc-data-age"].endswith("Z")
    assert response.headers["sc-fetched-at"] >= response.headers["sc-data-age"]
    assert len(response.headers["sc-request-id"]) == 36


def test_battery_is_a_fraction_and_range_in_kilometers(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV")
    body = driver.get("/battery").json()

    assert body["percentRemaining"] == pytest.approx(value(driver, "tractionbattery-stateofcharge") / 100)
    assert body["range"] == value(driver, "tractionbattery-range")


def test_imperial_units_are_converted(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="ICE", code="wheel-tires")
    imperial = {"SC-Unit-System": "imperial"}

    km, miles = driver.get("/odometer").json()["distance"], driver.get("/odometer", headers=imperial)
    kpa, psi = driver.get("/tires/pressure").json(), driver.get("/tires/pressure", headers=imperial).json()

    assert miles.headers["sc-unit-system"] == "imperial"
    assert miles.json()["distance"] == pytest.approx(km * 0.621371, rel=1e-4)
    assert psi["frontLeft"] == pytest.approx(kpa["frontLeft"] * 0.145038, rel=1e-3)
    assert 20 < psi["frontLeft"] < 60
    assert driver.get("/odometer", headers={"SC-Unit-System": "furlongs"}).status_code == 400


@pytest.mark.parametrize("path", [path for path in READS if path])
def test_every_read_works_for_some_vehicle(sim: SimulatorHarness, path: str) -> None:
    driver = sim.driver(count=40)
    responses = [
        sim.client.get(f"/api/v2.0/vehicles/{each}/{path}", headers=driver.v2) for each in driver.vehicle_ids
    ]

    assert any(each.status_code == 200 for each in responses)
    for response in responses:
        if response.status_code != 200:
            assert response.json()["type"] in ("COMPATIBILITY", "VEHICLE_STATE", "UPSTREAM", "SERVER"), (
                response.text
            )


def test_security_lists_what_is_open(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="closure-doors")
    driver.patch(doors=[[0, 1]], is_locked=False)

    body = driver.get("/security").json()

    assert body.keys() == {"isLocked", "doors", "windows", "sunroof", "storage", "chargingPort"}
    assert body["isLocked"] is False
    assert {"type": "frontRight", "status": "OPEN"} in body["doors"]
    assert {"type": "frontLeft", "status": "CLOSED"} in body["doors"]


def test_a_vehicle_without_the_hardware_is_not_capable(sim: SimulatorHarness) -> None:
    response = connect_driver(sim, powertrain="BEV").get("/fuel")

    assert response.status_code == 501
    assert (response.json()["type"], response.json()["code"]) == ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")


def test_an_error_body_is_the_documented_flat_object(sim: SimulatorHarness) -> None:
    driver = sim.driver(parameters={"scope": "read_vehicle_info"})

    body = driver.get("/odometer").json()

    assert body == {
        "type": "PERMISSION",
        "code": None,
        "description": ERROR_TEXTS["PERMISSION", None].description,
        "docURL": "https://smartcar.com/docs/errors/api-errors/permission-errors#null",
        "statusCode": 403,
        "requestId": body["requestId"],
        "resolution": {"type": "REAUTHENTICATE"},
    }


@pytest.mark.parametrize(("kind", "code"), ERROR_TEXTS)
def test_every_documented_error_can_be_forced(sim: SimulatorHarness, kind: str, code: str | None) -> None:
    driver = sim.driver()
    sim.inject_faults(answerWith=[f"{kind}:{code or ''}"])

    response = driver.get("/odometer")

    body = response.json()
    assert (body["type"], body["code"], response.status_code) == (kind, code, STATUS[kind])
    assert body["statusCode"] == response.status_code
    assert body["docURL"].startswith("https://smartcar.com/docs/errors/api-errors/")
    assert "type" in body["resolution"]


@pytest.mark.parametrize("path", ["", "/odometer", "/permissions", "/batch", "/security"])
def test_a_malformed_vehicle_id_is_invalid_and_an_unknown_one_is_not_permitted(
    sim: SimulatorHarness, path: str
) -> None:
    driver = sim.driver()

    def answer(vehicle_id: str) -> tuple[int, str]:
        url = f"/api/v2.0/vehicles/{vehicle_id}{path}"
        body = {"batch": {"requests": [{"path": "/vin"}]}, "security": {"action": "LOCK"}}.get(path[1:])
        method = "POST" if body else "GET"
        response = sim.client.request(method, url, headers=driver.v2, json=body)
        return response.status_code, response.json()["type"]

    assert answer("bad_id") == (400, "VALIDATION")
    assert answer(str(uuid.uuid4())) == (403, "PERMISSION")
    assert sim.client.get("/api/v2.0/vehicles/bad_id").status_code == 401


def test_a_malformed_webhook_id_is_invalid_and_an_unknown_one_is_missing(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    amt = {"Authorization": f"Bearer {CREDENTIALS.management_tokens[0]}"}
    for method, headers in (("POST", driver.v2), ("DELETE", amt)):
        answers = [
            sim.client.request(
                method, f"/api/v2.0/vehicles/{driver.vehicle_id}/webhooks/{webhook_id}", headers=headers
            )
            for webhook_id in ("bad_id", str(uuid.uuid4()))
        ]
        assert [(each.status_code, each.json()["type"]) for each in answers] == [
            (400, "VALIDATION"),
            (404, "RESOURCE_NOT_FOUND"),
        ]


def test_doc_urls_are_those_of_the_documented_bodies(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    documentation = "https://smartcar.com/docs/errors/api-errors"

    unknown = sim.client.get("/api/v2.0/nothing", headers=driver.v2).json()["docURL"]
    invalid = driver.post("/security", {"action": "OPEN"}).json()["docURL"]
    unauthorized = sim.client.get("/api/v2.0/user").json()["docURL"]

    assert unknown == f"{documentation}/resource-errors#path"
    assert invalid == f"{documentation}/validation-errors#null"
    assert unauthorized == f"{documentation}/authentication-errors"


@pytest.mark.parametrize("make", ["CHEVROLET", "FORD", "JEEP", "HYUNDAI", "VOLKSWAGEN"])
def test_several_makes_report_trouble_codes(simulate: Simulate, make: str) -> None:
    sim = simulate(vehicles=80)
    driver = sim.driver(make=make)
    driver.patch(warning_lights=["ABS"])

    codes = driver.get("/diagnostics/dtcs").json()["activeCodes"]

    assert [each["code"] for each in codes] == ["C0035"]


def test_tokens_outlive_a_deletion_by_user_but_not_one_by_vehicle(sim: SimulatorHarness) -> None:
    url = "/management/v2.0/management/connections"
    driver, other = sim.driver(), sim.driver()

    sim.client.delete(url, headers=AMT, params={"user_id": driver.user_id})
    for vehicle_id in other.vehicle_ids:
        sim.client.delete(url, headers=AMT, params={"vehicle_id": vehicle_id})

    assert sim.client.get("/api/v2.0/user", headers=driver.v2).json() == {"id": driver.user_id}
    assert sim.client.get("/api/v2.0/vehicles", headers=driver.v2).json()["vehicles"] == []
    assert driver.get("/odometer").json()["type"] == "PERMISSION"
    assert sim.token(grant_type="refresh_token", refresh_token=driver.refresh_token).status_code == 200
    assert sim.client.get("/api/v2.0/user", headers=other.v2).status_code == 401


def test_unknown_paths_and_versions_have_different_errors(sim: SimulatorHarness) -> None:
    driver = sim.driver()

    assert driver.get("/moon_phase").json()["code"] == "PATH"
    assert sim.client.get("/api/v1.0/vehicles", headers=driver.v2).json()["code"] == "VERSION"
    assert sim.client.get("/api/vehicles", headers=driver.v2).json()["code"] == "VERSION"
    assert sim.client.post("/api/v2.0/vehicles", headers=driver.v2).status_code == 404


def test_another_drivers_vehicle_is_rejected(sim: SimulatorHarness) -> None:
    driver, other = sim.driver(make="TESLA"), sim.driver(make="FORD")

    response = sim.client.get(f"/api/v2.0/vehicles/{other.vehicle_id}", headers=driver.v2)

    assert (response.status_code, response.json()["type"]) == (403, "PERMISSION")
    assert sim.client.get(f"/api/v2.0/vehicles/{other.vehicle_id}").status_code == 401


def test_permissions_are_paged(sim: SimulatorHarness) -> None:
    driver = sim.driver(parameters={"scope": "read_vin read_odometer read_location"})

    body = driver.get("/permissions", params={"limit": 2, "offset": 1}).json()

    assert body == {"permissions": ["read_odometer", "read_location"], "paging": {"count": 3, "offset": 1}}


def test_batch_returns_each_path_separately(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV")

    response = driver.post(
        "/batch", {"requests": [{"path": "/odometer"}, {"path": "/fuel"}, {"path": "/nothing"}]}
    )

    odometer, fuel, nothing = response.json()["responses"]
    assert (odometer["path"], odometer["code"]) == ("/odometer", 200)
    assert odometer["body"] == driver.get("/odometer").json()
    assert odometer["headers"].keys() >= {"sc-data-age", "sc-unit-system"}
    assert (fuel["code"], fuel["body"]["code"]) == (501, "VEHICLE_NOT_CAPABLE")
    assert (nothing["code"], nothing["body"]["code"]) == (404, "PATH")
    assert driver.post("/batch", {"requests": "all"}).json()["type"] == "VALIDATION"


def test_each_path_of_a_batch_is_billed(simulate: Simulate) -> None:
    sim = simulate(monthly_limit=3)
    driver = sim.driver()
    assert driver.post("/batch", {"requests": [{"path": "/odometer"}] * 3}).status_code == 200

    response = driver.get("/odometer")

    assert (response.status_code, response.json()["code"]) == (430, "VEHICLE_REQUEST_LIMIT")


# -- commands ----------------------------------------------------------------------------------------------


def test_locking_changes_the_vehicle(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="closure-islocked")
    driver.patch(speed=0, doors=[], rear_trunk_open=False, is_locked=True)

    unlocked = driver.post("/security", {"action": "UNLOCK"})
    assert unlocked.json() == {"status": "success", "message": "Successfully sent request to vehicle"}
    assert driver.get("/security").json()["isLocked"] is False

    assert driver.post("/security", {"action": "LOCK"}).status_code == 200
    assert driver.get("/security").json()["isLocked"] is True


def test_a_vehicle_rejects_by_its_state(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="charge-ischarging")
    driver.patch(speed=0, doors=[[0, 0]], plugged_in=False)

    locking = driver.post("/security", {"action": "LOCK"})
    charging = driver.post("/charge", {"action": "START"})

    assert (locking.status_code, locking.json()["type"], locking.json()["code"]) == (
        409,
        "VEHICLE_STATE",
        "DOOR_OPEN",
    )
    assert (charging.status_code, charging.json()["code"]) == (409, "CHARGING_PLUG_NOT_CONNECTED")


def test_the_charge_limit_is_a_fraction(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="charge-chargelimits")
    driver.patch(plugged_in=True)

    assert driver.post("/charge/limit", {"limit": 0.7}).status_code == 200
    assert driver.get("/charge/limit").json() == {"limit": 0.7}
    assert driver.post("/charge/limit", {"limit": "0.8"}).status_code == 200, "as the Node SDK sends it"
    assert driver.get("/charge/limit").json() == {"limit": 0.8}
    for wrong in (0.4, 1.1, 70, "most", "70", None, True):
        assert driver.post("/charge/limit", {"limit": wrong}).json()["type"] == "VALIDATION"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/security", {"action": "EXPLODE"}),
        ("/security", {}),
        ("/charge", {"action": "LOCK"}),
        ("/navigation/destination", {"latitude": 91, "longitude": 0}),
        ("/navigation/destination", {"latitude": 10}),
    ],
)
def test_a_malformed_command_is_a_validation_error(
    sim: SimulatorHarness, path: str, body: dict[str, Any]
) -> None:
    response = sim.driver().post(path, body)

    assert (response.status_code, response.json()["type"]) == (400, "VALIDATION")


def test_a_command_needs_its_permission(sim: SimulatorHarness) -> None:
    driver = sim.driver(parameters={"scope": "read_vehicle_info"})

    assert driver.post("/security", {"action": "LOCK"}).json()["type"] == "PERMISSION"


def test_a_tesla_without_the_virtual_key_rejects_commands(sim: SimulatorHarness) -> None:
    driver = sim.driver(make="TESLA")
    assert driver.get("/tesla/virtual_key").json() == {"isPaired": True}

    sim.inject_faults(virtualKeyMissing=[driver.vehicle_id])
    response = driver.post("/security", {"action": "LOCK"})

    assert driver.get("/tesla/virtual_key").json() == {"isPaired": False}
    assert response.json()["code"] == "VIRTUAL_KEY_REQUIRED"
    assert response.json()["resolution"]["type"] == "ACTION_REQUIRED"
    assert sim.driver(make="FORD").get("/tesla/virtual_key").status_code == 501


# -- disconnecting and management --------------------------------------------------------------------------


def test_disconnecting_ends_the_token(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    response = sim.client.delete(f"/api/v2.0/vehicles/{driver.vehicle_id}/application", headers=driver.v2)

    assert response.json() == {"status": "success"}
    assert sim.client.get("/api/v2.0/user", headers=driver.v2).status_code == 401
    assert not sim.simulation.connections.by_key


def test_management_lists_connections_by_cursor(sim: SimulatorHarness) -> None:
    driver = sim.driver(count=12)
    url = "/management/v2.0/management/connections/"

    first = sim.client.get(url, headers=AMT, params={"limit": 5}).json()
    second = sim.client.get(
        url, headers=AMT, params={"limit": 100, "cursor": first["paging"]["cursor"]}
    ).json()

    assert second["paging"] == {"cursor": None}
    vehicle_ids = [each["vehicleId"] for each in first["connections"] + second["connections"]]
    assert sorted(vehicle_ids) == sorted(driver.vehicle_ids)
    assert first["connections"][0].keys() == {"userId", "vehicleId", "connectedAt", "mode"}
    assert sim.client.get(url, headers=AMT, params={"limit": 101}).status_code == 400
    assert sim.client.get(url, headers=driver.v2).status_code == 401


def test_management_deletes_by_user_vehicle_or_both(sim: SimulatorHarness) -> None:
    driver, other = sim.driver(count=12), sim.driver()
    url = "/management/v2.0/management/connections"
    one = {"user_id": driver.user_id, "vehicle_id": driver.vehicle_id}

    response = sim.client.delete(url, headers=AMT, params=one)
    assert response.json() == {"connections": [{"userId": driver.user_id, "vehicleId": driver.vehicle_id}]}

    assert (
        len(sim.client.delete(url, headers=AMT, params={"user_id": driver.user_id}).json()["connections"])
        == 11
    )
    assert sim.client.delete(url, headers=AMT).status_code == 400
    assert [each.user_id for each in sim.simulation.connections.select()] == [other.user_id] * len(
        other.vehicle_ids
    )


# -- compatibility -----------------------------------------------------------------------------------------

BASIC = (CREDENTIALS.application_id, CREDENTIALS.application_secret)


def test_compatibility_by_vin(sim: SimulatorHarness) -> None:
    vehicle = next(each for each in sim.simulation.fleet.vehicles.values() if each.powertrain == "BEV")
    ask = {"vin": vehicle.vin, "scope": "read_odometer read_fuel"}

    body = sim.client.get("/api/v2.0/compatibility", params=ask, auth=BASIC).json()

    assert (body["compatible"], body["reason"]) == (True, None)
    capable = {each["permission"]: each for each in body["capabilities"]}
    assert capable["read_odometer"] == {
        "capable": True,
        "endpoint": "/odometer",
        "permission": "read_odometer",
        "reason": None,
    }
    assert capable["read_fuel"]["reason"] == "VEHICLE_NOT_CAPABLE"
    assert sim.client.get("/api/v2.0/compatibility", params=ask).status_code == 401


def test_incompatible_vins_have_a_reason(sim: SimulatorHarness) -> None:
    def reason(**parameters: str) -> str:
        body = sim.client.get(
            "/api/v2.0/compatibility", params=parameters | {"scope": "read_vin"}, auth=BASIC
        ).json()
        assert body["capabilities"] == []
        return str(body["reason"])

    vin = next(iter(sim.simulation.fleet.vehicles.values())).vin
    assert reason(vin="00000000000000000") == "MAKE_NOT_COMPATIBLE"
    assert reason(vin=vin[:11] + "000000") == "VEHICLE_NOT_COMPATIBLE"
    assert reason(vin=vin, country="DE") == "MAKE_NOT_COMPATIBLE"


def test_the_compatibility_matrix_is_filtered(sim: SimulatorHarness) -> None:
    ask = {"region": "US", "make": "tesla", "type": "BEV", "scope": "read_battery"}

    body = sim.client.get("/api/v2.0/compatibility/matrix", params=ask, auth=BASIC).json()

    assert list(body) == ["TESLA"]
    assert body["TESLA"][0].keys() == {"model", "startYear", "endYear", "type", "endpoints", "permissions"}
    assert all("read_battery" in each["permissions"] for each in body["TESLA"])
    wrong = sim.client.get("/api/v2.0/compatibility/matrix", params={"region": "MOON"}, auth=BASIC)
    assert wrong.json()["type"] == "VALIDATION"


def test_the_permissions_of_a_vehicle_follow_from_its_signals(sim: SimulatorHarness) -> None:
    for vehicle in sim.simulation.fleet.vehicles.values():
        permissions = applicable_permissions(vehicle)
        assert ("read_battery" in permissions) == any(
            vehicle.supports(code) for code, entry in CATALOGUE.items() if entry.permission == "read_battery"
        )
