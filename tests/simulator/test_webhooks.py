"""Webhooks: registration, first delivery, changes, errors raised and resolved, signatures, attempts and every form."""

from itertools import pairwise
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.json_numbers import dumps
from simulator.payloads import FIRST_DELIVERY
from simulator.webhooks import FLEET_SIGNALS
from tests.simulator.conftest import Simulate
from tests.simulator.harness import CALLBACK, CREDENTIALS, Driver, SimulatorHarness
from tests.simulator.test_v2 import connect_driver

LOCK = "closure-islocked"
ODOMETER = "odometer-traveleddistance"


def parked(sim: SimulatorHarness, **webhook: Any) -> Driver:
    """Connect a driver with a locked, subscribed vehicle whose first delivery has arrived."""
    driver = connect_driver(sim, powertrain="BEV", code=LOCK)
    driver.patch(speed=0, doors=[], rear_trunk_open=False, is_locked=True)
    driver.subscribe(sim.webhook(**webhook))
    sim.callback.requests.clear()
    return driver


# -- registering -------------------------------------------------------------------------------------------


def test_registering_verifies_the_callback(sim: SimulatorHarness) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        sim.callback.handler = None
        return sim.callback(request)

    sim.callback.handler = handler

    response = sim.client.post("/control/webhooks", json={"id": "w1", "callbackUri": CALLBACK})

    assert (response.status_code, response.json()) == (201, {"id": "w1", "verified": True})
    (request,) = requests
    assert "SC-Signature" not in request.headers, "VERIFY is unsigned"
    assert request.headers["User-Agent"].startswith("Smartcar/")
    event = orjson.loads(request.content)
    assert event["eventType"] == "VERIFY"
    assert isinstance(event["meta"]["deliveredAt"], str)
    assert event["data"]["challenge"].isalnum()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(500), "answered 500"),
        (httpx.Response(200, text="hello"), "did not answer with a challenge"),
        (httpx.Response(200, json=["challenge"]), "did not answer with a challenge"),
        (httpx.Response(200, json={"challenge": "0" * 64}), "another management token"),
    ],
)
def test_a_wrong_answer_to_the_challenge_is_reported(
    sim: SimulatorHarness, answer: httpx.Response, why: str
) -> None:
    sim.callback.handler = lambda request: answer

    registration = sim.client.post("/control/webhooks", json={"callbackUri": CALLBACK})

    assert registration.status_code == 422
    assert why in registration.json()["error"]


def test_an_unreachable_callback_is_reported(sim: SimulatorHarness) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    sim.callback.handler = fail

    assert (
        "ConnectError" in sim.client.post("/control/webhooks", json={"callbackUri": CALLBACK}).json()["error"]
    )


def test_any_of_the_management_tokens_may_answer(sim: SimulatorHarness) -> None:
    sim.callback.key = CREDENTIALS.management_tokens[1]

    assert sim.webhook()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"callbackUri": "ftp://x"},
        {"callbackUri": CALLBACK, "signals": ["no-such-code"]},
        {"callbackUri": CALLBACK, "variant": "Z"},
        {"callbackUri": CALLBACK, "autoSubscribe": "yes"},
    ],
)
def test_an_invalid_registration_is_rejected(sim: SimulatorHarness, body: dict[str, Any]) -> None:
    assert sim.client.post("/control/webhooks", json=body).status_code == 400


def test_registering_again_changes_the_webhook_and_keeps_its_subscriptions(sim: SimulatorHarness) -> None:
    driver = parked(sim, id="w1")

    sim.webhook(id="w1", signals=[ODOMETER], variant="C")

    (webhook,) = sim.client.get("/control/webhooks").json()["webhooks"]
    assert (webhook["signals"], webhook["variant"], webhook["subscriptions"]) == ([ODOMETER], "C", 1)
    assert sim.simulation.webhooks.for_vehicle(driver.vehicle_id)


def test_nothing_is_sent_before_the_webhook_is_verified(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    sim.callback.handler = lambda request: httpx.Response(500)
    sim.client.post("/control/webhooks", json={"id": "w1", "callbackUri": CALLBACK})
    driver.post("/webhooks/w1")
    sim.later(2)
    assert not sim.simulation.sender.log

    sim.callback.handler = None
    sim.webhook(id="w1")
    sim.later(2)

    assert sim.callback.events("VEHICLE_STATE")


def find_floats(value: Any) -> list[float]:
    if isinstance(value, float):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [number for each in items for number in find_floats(each)]


NUMBERS = st.floats(-1e9, 1e9) | st.integers(-(2**53), 2**53)


@settings(max_examples=50)
@given(st.recursive(NUMBERS | st.text() | st.none(), st.lists, max_leaves=8))
def test_whole_numbers_are_written_as_javascript_writes_them(value: Any) -> None:
    written = dumps({"value": value})

    assert orjson.loads(written) == {"value": value}
    assert not any(number.is_integer() for number in find_floats(orjson.loads(written)))


# -- what is published, and when ---------------------------------------------------------------------------


def test_the_first_delivery_contains_every_configured_signal(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV")
    driver.subscribe(sim.webhook())

    (event,) = sim.callback.events("VEHICLE_STATE")

    assert event["triggers"] == [{"type": FIRST_DELIVERY}]
    assert {each["code"] for each in event["data"]["signals"]} == set(FLEET_SIGNALS)
    assert event["meta"]["signalCount"] == len(FLEET_SIGNALS)
    assert all(sim.callback.well_signed())


def test_the_default_form_has_the_fields_of_mid_2026(sim: SimulatorHarness) -> None:
    driver = sim.driver(parameters={"external_id": "driver-42", "mode": "simulated"})
    driver.subscribe(sim.webhook(id="w1", name="Fleet", signals=[ODOMETER]))
    vehicle = sim.simulation.fleet.vehicles[driver.vehicle_id]

    (event,) = sim.callback.events("VEHICLE_STATE")

    assert event["data"]["user"] == {"id": driver.user_id, "externalId": "driver-42"}
    assert event["data"]["vehicle"] == {
        "id": vehicle.id,
        "make": vehicle.make,
        "model": vehicle.model,
        "year": vehicle.year,
        "mode": "simulated",
        "powertrainType": vehicle.powertrain,
    }
    (signal,) = event["data"]["signals"]
    assert (signal["code"], signal["status"]) == (ODOMETER, {"value": "SUCCESS"})
    assert signal["meta"]["oemUpdatedAt"] <= signal["meta"]["retrievedAt"] < signal["meta"]["ingestedAt"]
    meta = event["meta"]
    assert (meta["version"], meta["webhookId"], meta["webhookName"]) == ("4.0", "w1", "Fleet")
    assert (meta["mode"], meta["signalCount"], meta["sequence"]) == ("SIMULATED", 1, 1)
    assert meta["applicationId"] == CREDENTIALS.application_id
    assert isinstance(meta["deliveredAt"], int)


def test_a_command_shows_in_the_next_delivery_a_moment_later(sim: SimulatorHarness) -> None:
    driver = parked(sim)

    driver.post("/security", {"action": "UNLOCK"})
    sim.settle()
    assert not sim.callback.events()
    sim.later(1.5)

    event = sim.callback.events("VEHICLE_STATE")[0]
    assert LOCK in [each["signal"]["code"] for each in event["triggers"]]
    (lock,) = [each for each in event["data"]["signals"] if each["code"] == LOCK]
    assert lock["body"] == {"value": False}


def test_a_rejected_command_publishes_nothing(sim: SimulatorHarness) -> None:
    driver = parked(sim)
    driver.patch(doors=[[0, 0]])
    sim.settle()
    sim.callback.requests.clear()

    assert driver.post("/security", {"action": "LOCK"}).status_code == 409
    sim.later(2)

    assert not sim.callback.events()


def test_a_change_of_no_trigger_publishes_nothing(sim: SimulatorHarness) -> None:
    driver = parked(sim, signals=[LOCK, ODOMETER], triggers=[LOCK])

    driver.patch(odometer=123456)
    sim.later(2)
    assert not sim.callback.events()
    driver.patch(is_locked=False)
    sim.settle()

    (event,) = sim.callback.events()
    assert [each["signal"]["code"] for each in event["triggers"]] == [LOCK]
    assert len(event["data"]["signals"]) == 2


def test_subscribing_again_sends_a_first_delivery_again(sim: SimulatorHarness) -> None:
    driver = parked(sim, id="w1")
    url = f"/api/v2.0/vehicles/{driver.vehicle_id}/webhooks/w1"

    assert driver.post("/webhooks/w1").json() == {"vehicleId": driver.vehicle_id, "webhookId": "w1"}
    sim.later(2)
    assert not sim.callback.events(), "subscribed already: nothing new"
    assert sim.client.delete(url, headers=driver.v2).status_code == 401, "it takes the management token"
    ended = sim.client.delete(url, headers={"Authorization": f"Bearer {CREDENTIALS.management_tokens[0]}"})
    assert ended.json() == {"status": "success"}
    driver.patch(is_locked=False)
    sim.settle()
    assert not sim.callback.events(), "unsubscribed: nothing is told"

    driver.subscribe("w1")
    assert sim.callback.events()[0]["triggers"] == [{"type": FIRST_DELIVERY}]


def test_auto_subscription_includes_vehicles_connected_before_and_after(sim: SimulatorHarness) -> None:
    early = sim.driver(make="TESLA")
    sim.webhook(autoSubscribe=True)
    late = sim.driver(make="FORD")
    sim.later(2)

    vehicle_ids = {each["data"]["vehicle"]["id"] for each in sim.callback.events("VEHICLE_STATE")}
    assert vehicle_ids == {*early.vehicle_ids, *late.vehicle_ids}


def test_a_disabled_webhook_collects_nothing_and_restarts_with_a_first_delivery(
    sim: SimulatorHarness,
) -> None:
    driver = parked(sim, id="w1")

    sim.client.patch("/control/webhooks/w1", json={"enabled": False})
    driver.patch(is_locked=False)
    sim.later(5)
    assert not sim.callback.events()
    sim.client.patch("/control/webhooks/w1", json={"enabled": True})
    sim.settle()

    (event,) = sim.callback.events()
    assert event["triggers"] == [{"type": FIRST_DELIVERY}]


def test_vehicles_report_their_day_without_commands(sim: SimulatorHarness) -> None:
    driver = sim.driver(count=12)
    webhook_id = sim.webhook(signals=["location-preciselocation", ODOMETER])
    for vehicle_id in driver.vehicle_ids:
        sim.client.post(f"/api/v2.0/vehicles/{vehicle_id}/webhooks/{webhook_id}", headers=driver.v2)
    sim.later(2)
    sim.callback.requests.clear()

    for _ in range(96):
        sim.later(900)

    events = sim.callback.events("VEHICLE_STATE")
    assert len({each["data"]["vehicle"]["id"] for each in events}) >= 6, "in a day half of them go somewhere"


def morning(sim: SimulatorHarness, *, make: str) -> list[float]:
    """Return the times, in seconds, at which a driving vehicle of this make was published."""
    driver = sim.driver(make=make)
    driver.subscribe(sim.webhook(signals=["location-preciselocation", ODOMETER]))
    vehicle = sim.simulation.fleet.vehicles[driver.vehicle_id]
    for _ in range(24 * 60):
        if (
            vehicle.state(now=sim.simulation.now())["driving"]
            and vehicle.state(now=sim.simulation.now() + 400)["driving"]
        ):
            break
        sim.simulation.clock.advance(60)
    sim.settle()
    sim.callback.requests.clear()
    for _ in range(60):
        sim.later(5)
    events = sim.callback.events("VEHICLE_STATE")
    times = [each["data"]["signals"][0]["meta"]["oemUpdatedAt"] / 1000 for each in events]
    return [later - earlier for earlier, later in pairwise(times)]


def test_a_driving_vehicle_is_published_every_25_seconds(sim: SimulatorHarness) -> None:
    gaps = morning(sim, make="VOLKSWAGEN")

    assert len(gaps) >= 8
    assert sorted(gaps)[len(gaps) // 2] == pytest.approx(25, abs=6)
    assert max(gaps) <= 60, gaps


def test_without_polling_a_driving_vehicle_reports_at_its_makes_interval(simulate: Simulate) -> None:
    gaps = morning(simulate(driving_every=0.0), make="VOLKSWAGEN")

    assert all(gap >= 100 for gap in gaps)
    assert len(gaps) <= 3


def test_a_charging_vehicle_is_published_every_minute(sim: SimulatorHarness) -> None:
    driver = sim.driver(make="VOLKSWAGEN")
    driver.patch(speed=0, plugged_in=True, state_of_charge=40, charge_limit=90, charging=True)
    driver.subscribe(sim.webhook())
    sim.callback.requests.clear()

    for _ in range(60):
        sim.later(10)

    assert 8 <= len(sim.callback.events("VEHICLE_STATE")) <= 12


def test_the_control_api_forces_a_delivery(sim: SimulatorHarness) -> None:
    driver = parked(sim)

    response = sim.client.post("/control/deliver", json={"vehicleId": driver.vehicle_id, "triggers": [LOCK]})
    sim.settle()

    assert (response.status_code, response.json()) == (202, {"deliveries": 1})
    assert sim.callback.events("VEHICLE_STATE")[0]["triggers"][0]["signal"]["code"] == LOCK


# -- errors ------------------------------------------------------------------------------------------------


def published_errors(sim: SimulatorHarness) -> list[tuple[str, str | None, str]]:
    return [
        (each["type"], each["code"], each["state"])
        for event in sim.callback.events("VEHICLE_ERROR")
        for each in event["data"]["errors"]
    ]


def test_failing_signals_are_published_once_as_errors(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV")
    driver.subscribe(sim.webhook(signals=[ODOMETER, "internalcombustionengine-fuellevel"]))
    sim.client.post("/control/deliver", json={"vehicleId": driver.vehicle_id})
    sim.settle()

    (event,) = sim.callback.events("VEHICLE_ERROR")

    (error,) = event["data"]["errors"]
    assert (error["type"], error["code"], error["state"]) == ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE", "ERROR")
    assert [each["code"] for each in error["signals"]] == ["internalcombustionengine-fuellevel"]
    assert error["docURL"].endswith("compatibility-errors#vehicle-not-capable")
    assert error["resolution"] == {"type": None}


def test_a_revoked_permission_is_an_error_of_its_signals_and_resolves(sim: SimulatorHarness) -> None:
    driver = parked(sim, signals=[LOCK, ODOMETER])

    sim.inject_faults(revokedPermissions=["read_odometer"])
    sim.settle()
    assert published_errors(sim) == [("PERMISSION", None, "ERROR")]
    driver.patch(is_locked=False)
    sim.settle()
    signals = {each["code"]: each for each in sim.callback.events("VEHICLE_STATE")[0]["data"]["signals"]}
    assert signals[ODOMETER]["status"] == {"value": "ERROR", "error": {"type": "PERMISSION", "code": None}}

    sim.client.delete("/control/troubles")
    sim.settle()
    assert published_errors(sim)[-1] == ("PERMISSION", None, "RESOLVED")


def test_an_expired_login_is_published_and_resolved_by_re_authentication(sim: SimulatorHarness) -> None:
    driver = parked(sim)
    sim.inject_faults(reauthenticate=[driver.user_id])
    driver.patch(is_locked=False)
    sim.settle()

    (event,) = sim.callback.events()
    (error,) = event["data"]["errors"]
    assert (error["code"], error["state"]) == ("AUTHENTICATION_FAILED", "ERROR")
    assert error["resolution"]["type"] == "REAUTHENTICATE"
    assert f"vehicle_id={driver.vehicle_id}" in error["resolution"]["url"]

    url = sim.connect_url("reauthenticate", response_type="vehicle_id", vehicle_id=driver.vehicle_id)
    assert sim.grant(url=url)["vehicle_id"] == driver.vehicle_id
    sim.settle()

    assert published_errors(sim)[-1] == ("CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED", "RESOLVED")
    assert sim.callback.events("VEHICLE_STATE"), "what changed meanwhile is told"


def test_an_outage_of_a_make_is_published_for_its_vehicles_only(sim: SimulatorHarness) -> None:
    tesla, ford = sim.driver(make="TESLA"), sim.driver(make="FORD")
    webhook_id = sim.webhook(signals=["vehicleidentification-vin"])
    tesla.subscribe(webhook_id)
    ford.subscribe(webhook_id)

    sim.inject_faults(outage=["TESLA"])
    sim.settle()

    assert published_errors(sim) == [("VEHICLE_STATE", "UNREACHABLE", "ERROR")]
    assert tesla.get("/odometer").json()["code"] == "NO_RESPONSE"
    assert ford.get("/odometer").status_code == 200


def test_errors_may_go_to_an_address_of_their_own(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV")
    elsewhere = "http://callback.test/errors"
    driver.subscribe(sim.webhook(errorCallbackUri=elsewhere, signals=["internalcombustionengine-fuellevel"]))

    kinds = {
        str(each.url): httpx.Response(200, content=each.content).json()["eventType"]
        for each in sim.callback.requests
    }

    assert kinds == {CALLBACK: "VEHICLE_STATE", elsewhere: "VEHICLE_ERROR"}


def test_withdrawing_at_smartcar_ends_everything_without_an_event(sim: SimulatorHarness) -> None:
    driver = parked(sim)

    disconnected = sim.client.post("/control/disconnect", json={"vehicleId": driver.vehicle_id})
    sim.later(5)

    assert disconnected.json() == {
        "connections": [{"userId": driver.user_id, "vehicleId": driver.vehicle_id}]
    }
    assert not sim.callback.events()
    assert driver.get3().status_code == 404
    assert driver.get("/odometer").status_code == 401
