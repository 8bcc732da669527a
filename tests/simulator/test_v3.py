"""API v3 over plain HTTP: connections, vehicles, the signal store, commands, schedules, management, compatibility."""

from typing import Any

import pytest

from simulator.permissions import PERMISSIONS
from simulator.vehicles import CATALOGUE
from tests.simulator.conftest import Simulate
from tests.simulator.harness import Driver, SimulatorHarness
from tests.simulator.test_v2 import connect_driver


def error(response: Any) -> tuple[str, str, str | None]:
    """Return status, type and code of a v3 error document."""
    first = response.json()["errors"][0]
    assert first["status"] == str(response.status_code)
    return first["status"], first["type"], first["code"]


def subscribed(sim: SimulatorHarness, **body: Any) -> Driver:
    driver = sim.driver(**body)
    driver.subscribe(sim.webhook())
    return driver


# -- connections -------------------------------------------------------------------------------------------


def test_a_connection_shows_vehicle_user_and_permissions(sim: SimulatorHarness) -> None:
    driver = sim.driver(parameters={"external_id": "driver-42", "scope": "read_battery read_vin"})
    vehicle = sim.simulation.fleet.vehicles[driver.vehicle_id]

    response = sim.client.get(
        "/vehicle/v3/connections", headers=driver.v3, params={"filter[vehicleId]": vehicle.id}
    )

    (found,) = response.json()["data"]
    assert found["type"] == "connection"
    assert found["attributes"] == {
        "permissions": ["read_battery", "read_vin"],
        "vehicle": {
            "make": vehicle.make,
            "model": vehicle.model,
            "year": vehicle.year,
            "mode": "live",
            "powertrainType": vehicle.powertrain,
        },
        "user": {"id": driver.user_id, "externalId": "driver-42"},
    }
    assert found["relationships"]["vehicle"]["data"] == {"id": vehicle.id, "type": "vehicle"}
    assert found["relationships"]["user"]["data"] == {"id": driver.user_id, "type": "user"}
    assert found["meta"]["createdAt"].endswith("Z")
    one = sim.client.get(f"/vehicle/v3/connections/{found['id']}", headers=driver.v3)
    assert one.json()["data"] == found


def test_connections_are_paged_from_one_by_ten(sim: SimulatorHarness) -> None:
    driver = sim.driver(count=25)
    url: str | None = "/vehicle/v3/connections"
    pages = []
    while url:
        body = sim.client.get(url, headers=driver.v3).json()
        pages.append([each["relationships"]["vehicle"]["data"]["id"] for each in body["data"]])
        url = body["links"]["next"]

    assert [len(each) for each in pages] == [10, 10, 5]
    assert sorted(each for page in pages for each in page) == sorted(driver.vehicle_ids)
    meta = sim.client.get("/vehicle/v3/connections", headers=driver.v3, params={"page[size]": 50}).json()[
        "meta"
    ]
    assert meta == {
        "pageNumber": 1,
        "pageSize": 50,
        "totalCount": 25,
        "orderBy": "createdAt",
        "orderDirection": "DESC",
    }


@pytest.mark.parametrize("parameters", [{"page[number]": "0"}, {"page[size]": "101"}, {"page[size]": "many"}])
def test_an_invalid_page_is_rejected(sim: SimulatorHarness, parameters: dict[str, str]) -> None:
    response = sim.client.get("/vehicle/v3/connections", headers=sim.driver().v3, params=parameters)

    assert error(response) == ("400", "VALIDATION", "INVALID_INPUT_FORMAT")


def test_connections_are_filtered(sim: SimulatorHarness) -> None:
    live = sim.driver(parameters={"external_id": "a"}, make="TESLA")
    simulated = sim.driver(parameters={"mode": "simulated", "external_id": "b"}, make="FORD")

    def users(**filters: str) -> set[str]:
        parameters = {f"filter[{key}]": value for key, value in filters.items()}
        body = sim.client.get("/vehicle/v3/connections", headers=live.v3, params=parameters).json()
        return {each["attributes"]["user"]["id"] for each in body["data"]}

    assert users() == {live.user_id}, "live is the default: simulated vehicles vanish unless asked for"
    assert users(**{"vehicle.mode": "simulated"}) == {simulated.user_id}
    assert users(userId=live.user_id) == {live.user_id}
    assert users(userId=simulated.user_id) == set()
    assert users(**{"user.externalId": "a"}) == {live.user_id}
    assert users(**{"user.externalId": "c"}) == set()
    assert users(vehicleId=live.vehicle_id) == {live.user_id}


def test_the_connection_list_may_show_all_permissions(simulate: Simulate) -> None:
    sim = simulate(connection_permissions="all")
    driver = sim.driver(parameters={"scope": "read_vin"})

    body = sim.client.get("/vehicle/v3/connections", headers=driver.v3).json()

    assert len(body["data"][0]["attributes"]["permissions"]) == len(PERMISSIONS) == 28


def test_deleting_a_connection_deletes_all_its_data(sim: SimulatorHarness) -> None:
    driver = subscribed(sim)
    connection_id = sim.client.get("/vehicle/v3/connections", headers=driver.v3).json()["data"][0]["id"]

    deleted = sim.client.delete(f"/vehicle/v3/connections/{connection_id}", headers=driver.v3)

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert len(deleted.headers["sc-request-id"]) == 36
    assert sim.client.get(f"/vehicle/v3/connections/{connection_id}", headers=driver.v3).status_code == 404
    assert driver.get3().status_code == 404
    assert not sim.simulation.webhooks.subscriptions
    assert sim.client.get("/api/v2.0/user", headers=driver.v2).status_code == 401


def test_removing_a_user_removes_their_connections_and_data(sim: SimulatorHarness) -> None:
    driver = sim.driver(count=12)

    assert sim.client.delete(f"/vehicle/v3/users/{driver.user_id}", headers=driver.v3).status_code == 204
    assert not sim.simulation.connections.by_key
    again = sim.client.delete(f"/vehicle/v3/users/{driver.user_id}", headers=driver.v3)
    assert error(again) == ("404", "RESOURCE_NOT_FOUND", "NOT_FOUND")


# -- vehicle and signals -----------------------------------------------------------------------------------


def test_a_vehicle_needs_no_user_id(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    vehicle = sim.simulation.fleet.vehicles[driver.vehicle_id]

    response = sim.client.get(
        f"/vehicle/v3/vehicles/{vehicle.id}", headers={"Authorization": f"Bearer {driver.application_token}"}
    )

    data = response.json()["data"]
    assert (data["id"], data["type"], data["attributes"]["model"]) == (vehicle.id, "vehicle", vehicle.model)
    assert response.headers["sc-request-id"]


def test_the_store_is_empty_until_the_vehicle_is_subscribed(sim: SimulatorHarness) -> None:
    driver = sim.driver()

    response = driver.get3("/signals")

    assert response.status_code == 200
    assert (response.json()["data"], response.json()["meta"]["totalCount"]) == ([], 0)
    assert error(driver.get3("/signals/odometer-traveleddistance")) == (
        "404",
        "RESOURCE_NOT_FOUND",
        "SIGNAL_NOT_FOUND",
    )


def test_an_empty_store_may_be_missing_instead(simulate: Simulate) -> None:
    driver = simulate(unsubscribed_signals="missing").driver()

    assert driver.get3("/signals").status_code == 404


def test_subscribing_collects_everything_the_grant_allows(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    driver.subscribe(
        sim.webhook(signals=["odometer-traveleddistance"], triggers=["odometer-traveleddistance"])
    )
    vehicle = sim.simulation.fleet.vehicles[driver.vehicle_id]

    body = driver.get3("/signals").json()

    assert {each["id"] for each in body["data"]} == {code for code in CATALOGUE if vehicle.supports(code)}
    assert body["meta"] == {"totalCount": len(body["data"]), "pageSize": len(body["data"]), "pageNumber": 1}
    assert body["included"]["vehicle"]["attributes"]["make"] == vehicle.make


def test_a_signal_has_status_body_and_iso_times(sim: SimulatorHarness) -> None:
    driver = subscribed(sim)

    data = driver.get3("/signals/odometer-traveleddistance").json()["data"]

    assert (data["id"], data["type"]) == ("odometer-traveleddistance", "signal")
    attributes = data["attributes"]
    assert (attributes["name"], attributes["group"]) == ("TraveledDistance", "Odometer")
    assert attributes["status"] == {"value": "SUCCESS"}
    assert attributes["body"]["unit"] == "km"
    meta = data["meta"]
    assert meta["oemUpdatedAt"] <= meta["retrievedAt"] < meta["ingestedAt"]


def test_signals_not_granted_or_not_supported_are_errors_inside_their_status(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV")
    sim.inject_faults(revokedPermissions=["read_odometer"])
    driver.subscribe(sim.webhook(signals=["odometer-traveleddistance", "internalcombustionengine-fuellevel"]))

    attributes_by_code = {each["id"]: each["attributes"] for each in driver.get3("/signals").json()["data"]}

    refused = attributes_by_code["odometer-traveleddistance"]["status"]
    assert (refused["value"], refused["error"]["type"], refused["error"]["code"]) == (
        "ERROR",
        "PERMISSION",
        "UNKNOWN",
    )
    incapable = attributes_by_code["internalcombustionengine-fuellevel"]["status"]["error"]
    assert (incapable["type"], incapable["code"]) == ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")
    assert incapable["description"] == "Deprecated. Use detail"


def test_signals_in_imperial_units(sim: SimulatorHarness) -> None:
    driver = subscribed(sim)
    code = "/signals/odometer-traveleddistance"

    metric = driver.get3(code).json()["data"]["attributes"]["body"]
    response = driver.get3(code, headers={"SC-Unit-System": "imperial"})

    imperial = response.json()["data"]["attributes"]["body"]
    assert imperial["unit"] == "miles"
    assert imperial["value"] == pytest.approx(metric["value"] * 0.621371, rel=1e-4)
    assert response.headers["sc-unit-system"] == "imperial"


def test_signals_need_the_user_id(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    headers = {"Authorization": f"Bearer {driver.application_token}"}

    response = sim.client.get(f"/vehicle/v3/vehicles/{driver.vehicle_id}/signals", headers=headers)

    assert error(response) == ("400", "VALIDATION", "MISSING_PARAMETER")
    assert "userId" in response.json()["errors"][0]["detail"]


def test_another_users_vehicle_is_denied_and_an_unknown_one_not_found(sim: SimulatorHarness) -> None:
    driver, other = sim.driver(make="TESLA"), sim.driver(make="FORD")

    response = sim.client.get(f"/vehicle/v3/vehicles/{other.vehicle_id}/signals", headers=driver.v3)
    assert error(response) == ("403", "AUTHENTICATION", "ACCESS_DENIED")
    response = sim.client.get("/vehicle/v3/vehicles/no-such-car/signals", headers=driver.v3)
    assert error(response) == ("404", "RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND")


def test_a_v2_path_on_the_v3_host_is_an_invalid_path(sim: SimulatorHarness) -> None:
    driver = sim.driver()

    assert error(driver.get3("/odometer")) == ("404", "RESOURCE_NOT_FOUND", "INVALID_PATH")
    assert error(sim.client.get("/vehicle/v2.0/vehicles", headers=driver.v3))[2] == "INVALID_PATH"


def test_a_v2_token_reads_v3_only_where_that_is_set(simulate: Simulate) -> None:
    lenient, strict = simulate().driver(), simulate(v3_user_tokens=False).driver()

    def status(driver: Driver, method: str, path: str) -> int:
        url = f"/vehicle/v3/vehicles/{driver.vehicle_id}{path}"
        return int(driver.harness.client.request(method, url, headers=driver.v2).status_code)

    assert (status(lenient, "GET", ""), status(lenient, "GET", "/signals")) == (200, 200)
    assert status(lenient, "POST", "/commands/security/lock") == 401
    assert (status(strict, "GET", ""), status(strict, "GET", "/signals")) == (401, 401)


def test_a_v3_error_has_every_documented_field(sim: SimulatorHarness) -> None:
    body = sim.client.get("/vehicle/v3/connections").json()

    (first,) = body["errors"]
    assert first.keys() == {
        "status", "type", "code", "title", "detail", "links", "resolution", "suggestedUserMessage", "meta",
    }  # fmt: skip
    assert (first["status"], first["type"], first["code"]) == ("401", "AUTHENTICATION", "UNAUTHORIZED")
    assert first["links"]["about"] == "https://smartcar.com/docs/errors/api-errors/v3/authentication-errors"


def test_an_expired_login_leaves_old_bodies_under_errors(sim: SimulatorHarness) -> None:
    driver = subscribed(sim)
    before = driver.get3("/signals/odometer-traveleddistance").json()["data"]["attributes"]["body"]

    sim.inject_faults(reauthenticate=[driver.vehicle_id])
    sim.settle()

    attributes = driver.get3("/signals/odometer-traveleddistance").json()["data"]["attributes"]
    assert attributes["body"] == before
    assert attributes["status"]["value"] == "ERROR"
    assert attributes["status"]["error"]["code"] == "AUTHENTICATION_FAILED"
    assert attributes["status"]["error"]["resolution"]["type"] == "REAUTHENTICATE"


# -- management --------------------------------------------------------------------------------------------


def test_subscriptions_can_be_nested_below_their_webhook(simulate: Simulate) -> None:
    sim = simulate(subscriptions_path="webhooks")
    driver, webhook_id = sim.driver(), sim.webhook()
    url = f"/management-v3/v3/webhooks/{webhook_id}/subscriptions"
    attributes = {"userId": driver.user_id, "vehicleId": driver.vehicle_id}

    created = sim.client.post(url, headers=driver.v3, json={"data": {"attributes": attributes}})
    (found,) = sim.client.get(url, headers=driver.v3).json()["data"]

    assert created.status_code == 202
    assert sim.client.delete(f"{url}/{found['id']}", headers=driver.v3).status_code == 204
    assert sim.client.get("/management-v3/v3/subscriptions", headers=driver.v3).status_code == 404


def test_signals_may_have_the_documented_form(simulate: Simulate) -> None:
    sim = simulate(v3_signals="documented", v3_resolution="string")
    driver = subscribed(sim)

    one = driver.get3("/signals/odometer-traveleddistance").json()

    assert one["id"] == "odometer-traveleddistance"
    assert isinstance(one["meta"]["retrievedAt"], int)
    sim.inject_faults(answerWith=["PERMISSION:"])
    assert driver.post3("/commands/security/lock").json()["errors"][0]["resolution"] == "REAUTHENTICATE"


def test_webhooks_are_listed_and_cannot_be_created(sim: SimulatorHarness) -> None:
    webhook_id = sim.webhook(name="Fleet", signals=["odometer-traveleddistance"])
    headers = sim.driver().v3

    body = sim.client.get(
        "/management-v3/v3/webhooks", headers=headers, params={"filter[name]": "Fleet"}
    ).json()

    (found,) = body["data"]
    assert (found["id"], body["meta"]["pageSize"]) == (webhook_id, 50)
    assert found["attributes"] == {
        "name": "Fleet",
        "callbackUri": "http://callback.test/hook",
        "errorCallbackUri": None,
        "isEnabled": True,
        "autoSubscribe": False,
        "triggers": ["odometer-traveleddistance"],
        "data": ["odometer-traveleddistance"],
    }
    assert sim.client.get(f"/management-v3/v3/webhooks/{webhook_id}", headers=headers).json()["data"] == found
    none = sim.client.get(
        "/management-v3/v3/webhooks", headers=headers, params={"filter[isEnabled]": "false"}
    )
    assert none.json()["data"] == []
    assert sim.client.post("/management-v3/v3/webhooks", headers=headers).status_code == 404


def subscribe(driver: Driver, webhook_id: str) -> Any:
    attributes = {"webhookId": webhook_id, "userId": driver.user_id, "vehicleId": driver.vehicle_id}
    return driver.harness.client.post(
        "/management-v3/v3/subscriptions", headers=driver.v3, json={"data": {"attributes": attributes}}
    )


def test_a_subscription_is_created_once(sim: SimulatorHarness) -> None:
    driver, webhook_id = sim.driver(), sim.webhook()

    first, second = subscribe(driver, webhook_id), subscribe(driver, webhook_id)

    assert (first.status_code, first.json()) == (
        202,
        {"meta": {"message": "subscription creation in progress"}},
    )
    assert (second.status_code, second.json()["errors"][0]["status"]) == (409, "409")


def test_subscriptions_are_listed_shown_and_deleted(sim: SimulatorHarness) -> None:
    driver, other, webhook_id = sim.driver(make="TESLA"), sim.driver(make="FORD"), sim.webhook()
    subscribe(driver, webhook_id)
    subscribe(other, webhook_id)
    url = "/management-v3/v3/subscriptions"

    body = sim.client.get(url, headers=driver.v3, params={"filter[userId]": driver.user_id}).json()

    (found,) = body["data"]
    assert body["meta"]["pageSize"] == 25
    related = {kind: each["data"]["id"] for kind, each in found["relationships"].items()}
    assert related == {"webhook": webhook_id, "user": driver.user_id, "vehicle": driver.vehicle_id}
    assert found["attributes"]["vehicle"]["make"] == "TESLA"
    assert sim.client.get(f"{url}/{found['id']}", headers=driver.v3).json()["data"] == found
    assert sim.client.get(url, headers=driver.v3).json()["meta"]["totalCount"] == 2
    assert sim.client.delete(f"{url}/{found['id']}", headers=driver.v3).status_code == 204
    assert sim.client.get(f"{url}/{found['id']}", headers=driver.v3).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"data": {"attributes": {"webhookId": "w"}}}, 400),
        ({"data": {"attributes": {"webhookId": "w", "userId": "u", "vehicleId": "v"}}}, 404),
    ],
)
def test_an_invalid_subscription_is_rejected(
    sim: SimulatorHarness, body: dict[str, Any], status: int
) -> None:
    response = sim.client.post("/management-v3/v3/subscriptions", headers=sim.driver().v3, json=body)

    assert response.status_code == status


def test_the_application_is_shown_without_its_secrets(sim: SimulatorHarness) -> None:
    headers = sim.driver().v3
    credentials = sim.simulation.settings.credentials
    (found,) = sim.client.get("/management-v3/v3/applications", headers=headers).json()["data"]

    one = sim.client.get(f"/management-v3/v3/applications/{found['id']}", headers=headers)
    secrets = sim.client.get(f"/management-v3/v3/applications/{found['id']}/secrets", headers=headers)

    assert found["id"] == credentials.application_id
    assert one.json()["data"] == found
    assert len(secrets.json()["data"]) == 3
    for secret in (credentials.application_secret, credentials.client_secret, *credentials.management_tokens):
        assert secret not in secrets.text


# -- compatibility -----------------------------------------------------------------------------------------


def test_compatible_vehicles_need_no_credentials(sim: SimulatorHarness) -> None:
    ask = {
        "filter[make]": "TESLA",
        "filter[region]": "US",
        "filter[powertrainType]": "BEV",
        "page[size]": "100",
    }

    body = sim.client.get("/compatibility/v3/compatible-vehicles", params=ask).json()

    first = body["data"][0]
    attributes = first["attributes"]
    years = attributes["years"]
    assert first["id"] == f"TESLA-{attributes['model']}-{years['start']}-{years['end']}-BEV-US"
    assert first["type"] == "vehicle-model-capability"
    signals = {each["code"]: each for each in attributes["capabilities"] if each["type"] == "signal"}
    commands = {each["code"]: each for each in attributes["capabilities"] if each["type"] == "command"}
    assert signals["odometer-traveleddistance"]["permission"] == "read_odometer"
    assert commands["security-lock"]["permission"] == ""
    assert body["meta"]["totalCount"] == len(body["data"])


def test_compatible_vehicles_are_many_and_filters_are_checked(sim: SimulatorHarness) -> None:
    everything = sim.client.get("/compatibility/v3/compatible-vehicles").json()
    wrong = sim.client.get("/compatibility/v3/compatible-vehicles", params={"filter[region]": "MOON"})

    assert everything["meta"]["totalCount"] > 80
    assert len(everything["data"]) == 10
    assert error(wrong)[1] == "VALIDATION"
