"""Webhook deliveries: attempts, and every form of payload."""

from typing import Any

import httpx
import pytest

from simulator.payloads import FIRST_DELIVERY
from simulator.vehicles import CATALOGUE
from tests.simulator.conftest import Simulate
from tests.simulator.harness import SimulatorHarness
from tests.simulator.test_v2 import connect_driver
from tests.simulator.test_webhooks import LOCK, parked

# -- attempts ----------------------------------------------------------------------------------------------


def test_a_delivery_is_attempted_at_0_25_75_and_175_seconds_then_dropped(sim: SimulatorHarness) -> None:
    driver = parked(sim)
    sim.callback.status = 503
    started = sim.simulation.now()
    driver.patch(is_locked=False)
    sim.settle()

    for seconds in range(0, 400, 5):
        sim.later(started + seconds - sim.simulation.now() if started + seconds > sim.simulation.now() else 0)

    (delivery,) = [
        each
        for each in sim.client.get("/control/deliveries").json()["deliveries"]
        if LOCK in each["triggers"] and each["state"] == "dropped"
    ]
    assert [each["status"] for each in delivery["attempts"]] == [503] * 4
    attempts = next(each for each in sim.simulation.sender.log if each.state == "dropped").attempts
    offsets = [each.at - attempts[0].at for each in attempts]
    assert offsets == pytest.approx([0, 25, 75, 175], abs=6)


def test_a_retry_keeps_the_event_id_and_has_a_new_delivery_id(sim: SimulatorHarness) -> None:
    driver = parked(sim)
    sim.callback.status = 500
    driver.patch(is_locked=False)
    sim.settle()
    sim.callback.status = 204
    sim.later(26)

    first, second = sim.callback.events()[:2]
    assert first["eventId"] == second["eventId"]
    assert first["meta"]["deliveryId"] != second["meta"]["deliveryId"]
    assert first["meta"]["deliveredAt"] < second["meta"]["deliveredAt"]
    (delivery,) = [each for each in sim.simulation.sender.log if each.event_id == first["eventId"]]
    assert delivery.state == "delivered"
    sim.later(400)
    assert len(delivery.attempts) == 2


@pytest.mark.parametrize("status", [301, 404, 500])
def test_anything_but_2xx_is_tried_again(sim: SimulatorHarness, status: int) -> None:
    driver = parked(sim)
    sim.callback.status = status
    driver.patch(is_locked=False)
    sim.settle()

    assert sim.simulation.sender.log[-1].state == "waiting"


def test_an_endpoint_that_cannot_be_reached_is_tried_again(sim: SimulatorHarness) -> None:
    driver = parked(sim)

    def refuse_connection(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow")

    sim.callback.handler = refuse_connection
    driver.patch(is_locked=False)
    sim.settle()

    delivery = sim.simulation.sender.log[-1]
    assert (delivery.attempts[0].status, delivery.attempts[0].error, delivery.state) == (
        None,
        "ReadTimeout",
        "waiting",
    )


# -- forms -------------------------------------------------------------------------------------------------


def in_form(sim: SimulatorHarness, variant: str, **webhook: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the first delivery and one after a change, in this form."""
    driver = connect_driver(sim, powertrain="BEV", code=LOCK)
    driver.patch(speed=0, doors=[], is_locked=True, state_of_charge=77)
    driver.subscribe(sim.webhook(variant=variant, **webhook))
    driver.patch(is_locked=False)
    sim.settle()
    first, changed = [each for each in sim.callback.events() if each.get("eventType") != "VEHICLE_ERROR"]
    assert all(sim.callback.well_signed())
    return first, changed


SOC = "tractionbattery-stateofcharge"


def find_signal(event: dict[str, Any], code: str) -> dict[str, Any]:
    (found,) = [each for each in event["data"]["signals"] if each["code"] == code]
    return dict(found)


def test_form_a_has_string_triggers_fractions_and_no_version(sim: SimulatorHarness) -> None:
    first, changed = in_form(sim, "A", triggers=[LOCK])

    assert first["triggers"] == [{"type": FIRST_DELIVERY}]
    assert changed["triggers"] == [{"type": "SIGNAL_UPDATED", "signal": "Closure.IsLocked"}]
    assert "version" not in changed["meta"]
    assert changed["meta"].keys() >= {"deliveryTime", "deliveredAt", "deliveryId"}
    assert find_signal(first, SOC)["body"] == {"value": pytest.approx(0.77)}
    (error,) = sim.callback.events("VEHICLE_ERROR")[0]["data"]["errors"]
    assert all(isinstance(each, str) for each in error["signals"])


def test_form_b_has_object_triggers_and_retrieved_at(sim: SimulatorHarness) -> None:
    _, changed = in_form(sim, "B", triggers=[LOCK])

    signal = {"name": "IsLocked", "code": LOCK, "group": "Closure"}
    assert changed["triggers"] == [{"type": "SIGNAL_UPDATED", "signal": signal}]
    assert (changed["meta"]["version"], changed["meta"]["mode"]) == ("4.0", "LIVE")
    assert "sequence" not in changed["meta"]
    assert "externalId" not in changed["data"]["user"]
    assert find_signal(changed, SOC)["meta"].keys() == {"oemUpdatedAt", "retrievedAt", "ingestedAt"}
    assert find_signal(changed, SOC)["body"] == {"value": pytest.approx(77), "unit": "percent"}


def test_form_c_is_that_of_the_documentation(sim: SimulatorHarness) -> None:
    first, changed = in_form(sim, "C", triggers=[LOCK])

    assert first["data"]["triggers"] == [{"code": FIRST_DELIVERY}]
    assert changed["data"]["triggers"] == [{"code": LOCK, "name": "IsLocked", "group": "Closure"}]
    assert changed["vehicleId"] == changed["data"]["vehicle"]["id"]
    assert "triggers" not in changed
    assert find_signal(changed, SOC)["meta"].keys() == {"oemUpdatedAt", "fetchedAt"}
    assert "status" not in find_signal(changed, SOC)


def test_the_older_documented_form_has_vin_and_percentage(sim: SimulatorHarness) -> None:
    first, _ = in_form(sim, "C'", triggers=[LOCK])

    assert first["data"]["triggers"] == [{"type": FIRST_DELIVERY}]
    assert first["meta"]["version"] == "3.0"
    assert len(first["data"]["vehicle"]["vin"]) == 17
    assert find_signal(first, SOC)["body"] == {"percentage": pytest.approx(77)}


def test_form_t_has_made_up_ids_and_test_modes(sim: SimulatorHarness) -> None:
    first, _ = in_form(sim, "T", triggers=[LOCK])

    assert first["data"]["vehicle"]["mode"] == "test"
    assert first["meta"]["mode"] == "TEST"
    assert first["data"]["vehicle"]["id"] not in sim.simulation.fleet.vehicles


def test_form_t_prime_nests_bodies_as_the_dashboards_test_button_does(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="charge-chargelimits")
    codes = ["charge-chargelimits", "closure-doors", SOC]

    driver.subscribe(sim.webhook(variant="T'", signals=codes))

    (event,) = sim.callback.events("VEHICLE_STATE")
    assert event["meta"]["mode"] == "TEST"
    limits = find_signal(event, "charge-chargelimits")["body"]
    assert limits.keys() == {"values"}
    assert limits["values"].keys() == {"values", "activeLimit", "unit"}
    assert isinstance(find_signal(event, "closure-doors")["body"]["values"]["values"], list)
    assert "value" in find_signal(event, SOC)["body"]


def test_the_legacy_form_is_version_2(sim: SimulatorHarness) -> None:
    first, _ = in_form(sim, "legacy", triggers=[LOCK])

    assert (first["version"], first["eventName"], first["mode"]) == ("2.0", "schedule", "live")
    (vehicle,) = first["payload"]["vehicles"]
    assert vehicle["vehicleId"] in sim.simulation.fleet.vehicles
    by_path = {each["path"]: each for each in vehicle["data"]}
    assert by_path["/battery"]["body"]["percentRemaining"] == pytest.approx(0.77)
    assert by_path["/security"]["code"] == 200
    assert by_path["/location"]["headers"].keys() == {"sc-data-age", "sc-unit-system"}
    assert not sim.callback.events("VEHICLE_ERROR"), "version 2.0 knew no such event"


@pytest.mark.parametrize("variant", ["A", "B", "C", "C'", "D", "T", "T'", "legacy"])
def test_all_93_signals_stay_under_50_kilobytes_in_every_form(simulate: Simulate, variant: str) -> None:
    sim = simulate(vehicles=80)
    driver = sim.driver(count=80)
    webhook_id = sim.webhook(variant=variant, signals=list(CATALOGUE))
    for vehicle_id in driver.vehicle_ids:
        sim.client.post(f"/api/v2.0/vehicles/{vehicle_id}/webhooks/{webhook_id}", headers=driver.v2)
    sim.later(2)

    sizes = [len(each.content) for each in sim.callback.requests]
    assert len(sizes) >= 80
    assert max(sizes) < 50_000
