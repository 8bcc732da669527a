"""The control API and its pages: grants, vehicles, clock, logs and reset."""

from typing import Any

import pytest

from simulator.control.api import SUMMARIES
from simulator.fault_injection import SWITCHES, Faults
from tests.simulator.harness import CREDENTIALS, SimulatorHarness, get_query
from tests.simulator.test_webhooks import LOCK, parked


def test_health(sim: SimulatorHarness) -> None:
    assert sim.client.get("/control/health").json() == {"status": "ok"}


# -- grants ------------------------------------------------------------------------------------------------


def test_each_grant_connects_another_driver(sim: SimulatorHarness) -> None:
    users = [sim.grant()["user_id"] for _ in range(5)]

    assert len(set(users)) == 5


def test_a_grant_can_name_account_make_vehicles_and_scopes(sim: SimulatorHarness) -> None:
    account = next(each for each in sim.simulation.fleet.accounts.values() if len(each.vehicle_ids) > 1)
    chosen_id = account.vehicle_ids[1]

    by_email = sim.grant(email=account.email.upper(), scopes=["read_vin"])
    by_vehicle = sim.grant(vehicleIds=[chosen_id])
    by_make = sim.grant(make="tesla")

    assert by_email["user_id"] == by_vehicle["user_id"] == account.user_id
    permissions = {
        each.vehicle_id: each.permissions
        for each in sim.simulation.connections.select(user_id=account.user_id)
    }
    assert permissions[account.vehicle_ids[0]] == ("read_vin",)
    assert "read_odometer" in permissions[chosen_id]
    vehicle_id = sim.simulation.connections.select(user_id=by_make["user_id"])[0].vehicle_id
    assert sim.simulation.fleet.vehicles[vehicle_id].make == "TESLA"


@pytest.mark.parametrize("count", [1, 2, 30])
def test_a_grant_can_be_for_a_number_of_vehicles(sim: SimulatorHarness, count: int) -> None:
    back = sim.grant(count=count)

    assert len(sim.simulation.connections.select(user_id=back["user_id"])) == count


@pytest.mark.parametrize(
    ("outcome", "error"),
    [("deny", "access_denied"), ("server_error", "server_error"), ("no_vehicles", "no_vehicles")],
)
def test_a_grant_can_fail(sim: SimulatorHarness, outcome: str, error: str) -> None:
    back = sim.grant(outcome=outcome, parameters={"state": "s"})

    assert (back["error"], back["state"]) == (error, "s")
    assert back["error_description"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"url": "http://testserver/connect/oauth/authorize"}, 422),
        ({"email": "nobody@example.com"}, 400),
        ({"vehicleIds": ["no-such-car"]}, 400),
        ({"count": 0}, 400),
        ({"count": "two"}, 400),
    ],
)
def test_an_impossible_grant_is_rejected(sim: SimulatorHarness, body: dict[str, Any], status: int) -> None:
    address = {} if not body or "url" in body else {"url": sim.connect_url()}

    response = sim.client.post("/control/grants", json=address | body)

    assert response.status_code == status
    assert response.json()["error"]


def test_re_authentication_without_a_browser(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    url = sim.connect_url(
        "reauthenticate", response_type="vehicle_id", vehicle_id=driver.vehicle_id, state="r"
    )

    response = sim.client.post("/control/grants", json={"url": url}).json()

    assert get_query(response["redirect"]) == {"vehicle_id": driver.vehicle_id, "state": "r"}


# -- vehicles and clock ------------------------------------------------------------------------------------


def test_vehicles_are_shown_with_their_connections(sim: SimulatorHarness) -> None:
    driver = sim.driver(make="TESLA", parameters={"mode": "simulated", "scope": "read_vin"})

    everything = sim.client.get("/control/vehicles").json()
    connected = sim.client.get("/control/vehicles", params={"connected": "true", "make": "TESLA"}).json()
    page = sim.client.get("/control/vehicles", params={"limit": 5, "offset": 38}).json()

    assert (everything["count"], len(everything["vehicles"])) == (40, 40)
    assert [each["id"] for each in connected["vehicles"]] == driver.vehicle_ids
    shown = connected["vehicles"][0]
    assert shown["connections"] == [
        {"userId": driver.user_id, "mode": "simulated", "permissions": ["read_vin"]}
    ]
    assert "@tesla.example" in shown["account"]
    assert len(page["vehicles"]) == 2
    one = sim.client.get(f"/control/vehicles/{driver.vehicle_id}").json()
    assert len(one["signals"]) == 93
    assert sim.client.get("/control/vehicles/none").status_code == 404


def test_a_patch_returns_and_publishes_the_changed_signals(sim: SimulatorHarness) -> None:
    driver = parked(sim)

    response = sim.client.patch(f"/control/vehicles/{driver.vehicle_id}", json={"is_locked": False})
    sim.settle()

    assert LOCK in response.json()["changed"]
    assert sim.callback.events("VEHICLE_STATE")
    unknown = sim.client.patch(f"/control/vehicles/{driver.vehicle_id}", json={"flying": True})
    assert unknown.status_code == 400
    assert "flying" in unknown.json()["error"]


def test_the_clock_can_be_moved_and_sped_up(sim: SimulatorHarness) -> None:
    before = sim.simulation.now()

    moved = sim.client.post("/control/clock", json={"advance": 60 * 86400}).json()
    accelerated = sim.client.post("/control/clock", json={"speed": 60}).json()

    assert sim.simulation.now() - before >= 60 * 86400
    assert accelerated["speed"] == 60
    assert sim.client.get("/control/clock").json()["now"] >= moved["now"]
    for wrong in ({"advance": -1}, {"speed": 0}, {"speed": "fast"}, {}, {"rewind": 1}):
        assert sim.client.post("/control/clock", json=wrong).status_code == 400


# -- requests and deliveries -------------------------------------------------------------------------------


def test_requests_are_logged_without_secrets(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    driver.get("/odometer")
    driver.get3("/signals")
    sim.client.get("/vehicle/v3/connections", headers=driver.v3, params={"filter[userId]": driver.user_id})

    response = sim.client.get("/control/requests")
    requests_by_path = {each["path"]: each for each in response.json()["requests"]}

    odometer = requests_by_path[f"/api/v2.0/vehicles/{driver.vehicle_id}/odometer"]
    assert (odometer["method"], odometer["status"], odometer["generation"]) == ("GET", 200, "v2")
    assert (odometer["userId"], odometer["vehicleId"]) == (driver.user_id, driver.vehicle_id)
    assert requests_by_path[f"/vehicle/v3/vehicles/{driver.vehicle_id}/signals"]["generation"] == "v3"
    assert requests_by_path["/vehicle/v3/connections"]["userId"] == driver.user_id
    assert not any("/control" in path for path in requests_by_path)
    for secret in (
        driver.access_token,
        driver.refresh_token,
        driver.application_token,
        CREDENTIALS.client_secret,
    ):
        assert secret not in response.text


def test_requests_are_filtered_and_cleared(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    driver.get("/odometer")
    sim.simulation.clock.advance(100)
    since = sim.client.get("/control/clock").json()["now"]
    driver.get("/vin")

    def paths(**query: str) -> list[str]:
        body = sim.client.get("/control/requests", params=query).json()
        return [each["path"].rpartition("/")[2] for each in body["requests"]]

    assert paths(path="/odometer") == ["odometer"]
    assert paths(since=since) == ["vin"]
    assert sim.client.delete("/control/requests").status_code == 204
    assert paths() == []


def test_deliveries_are_listed_by_vehicle_and_kind(sim: SimulatorHarness) -> None:
    driver = parked(sim)

    deliveries = sim.client.get("/control/deliveries", params={"vehicleId": driver.vehicle_id}).json()[
        "deliveries"
    ]

    first = deliveries[0]
    assert (first["eventType"], first["triggers"], first["state"]) == (
        "VEHICLE_STATE",
        ["FIRST_DELIVERY"],
        "delivered",
    )
    assert [each["status"] for each in first["attempts"]] == [200]
    assert sim.client.get("/control/deliveries", params={"vehicleId": "none"}).json() == {"deliveries": []}
    kinds = sim.client.get("/control/deliveries", params={"eventType": "VEHICLE_ERROR"}).json()["deliveries"]
    assert {each["eventType"] for each in kinds} <= {"VEHICLE_ERROR"}


def test_reset_removes_everything_except_the_webhooks(sim: SimulatorHarness) -> None:
    driver = parked(sim, id="w1")
    sim.inject_faults(delay=5)

    assert sim.client.post("/control/reset").json() == {"status": "ok"}

    assert sim.client.get("/api/v2.0/user", headers=driver.v2).status_code == 401
    assert not sim.simulation.connections.by_key
    assert not sim.simulation.webhooks.subscriptions
    assert sim.simulation.faults.delay == 0
    assert list(sim.simulation.webhooks.by_id) == ["w1"]
    sim.client.post("/control/reset", json={"webhooks": True})
    assert not sim.simulation.webhooks.by_id


def test_a_webhook_can_be_deleted_with_its_subscriptions(sim: SimulatorHarness) -> None:
    parked(sim, id="w1")

    assert sim.client.delete("/control/webhooks/w1").status_code == 204
    assert not sim.simulation.webhooks.subscriptions
    assert sim.client.delete("/control/webhooks/w1").status_code == 404


def test_forcing_a_delivery_of_a_vehicle_that_is_not_subscribed_is_rejected(sim: SimulatorHarness) -> None:
    driver = sim.driver()

    assert sim.client.post("/control/deliver", json={"vehicleId": driver.vehicle_id}).status_code == 404
    wrong = {"vehicleId": driver.vehicle_id, "eventType": "VEHICLE_ERROR"}
    assert sim.client.post("/control/deliver", json=wrong).status_code == 400


def test_malformed_bodies_and_unknown_paths_are_rejected(sim: SimulatorHarness) -> None:
    assert sim.client.post("/control/clock", content=b"not json").status_code == 400
    assert sim.client.post("/control/clock", json=[1]).status_code == 400
    assert sim.client.get("/control/nowhere").json().keys() == {"error"}


# -- pages -------------------------------------------------------------------------------------------------


def test_the_documentation_page_lists_every_call_and_switch(sim: SimulatorHarness) -> None:
    page = sim.client.get("/control/").text

    for method, path, what in SUMMARIES:
        assert f"{method} /control{path}" in page
        assert what, f"{path} says nothing of itself"
    for name in SWITCHES:
        assert name in page


def test_the_vehicles_page_shows_vehicles_and_sets_switches(sim: SimulatorHarness) -> None:
    sim.driver(make="TESLA")
    assert "Tesla" in sim.client.get("/control/cars").text

    form = {"duplicates": "0.25", "outage": "TESLA FORD"}
    assert sim.client.post("/control/cars", data=form).status_code == 303
    assert (sim.simulation.faults.duplicates, sim.simulation.faults.outage) == (0.25, ("TESLA", "FORD"))
    assert 'value="0.25"' in sim.client.get("/control/cars").text
    assert sim.client.post("/control/cars", data={"duplicates": "often"}).status_code == 400
    assert sim.client.post("/control/cars", data=form | {"clear": "yes"}).status_code == 303
    assert sim.simulation.faults == Faults()


def test_control_pages_and_calls_do_not_change_anything_for_another_origin(sim: SimulatorHarness) -> None:
    response = sim.client.post("/control/reset", headers={"Origin": "https://evil.example"})

    assert response.status_code == 403
    same = sim.client.post("/control/reset", headers={"Origin": "http://testserver"})
    assert same.status_code == 200
