"""Fault injection: the effect of each switch, at run time and from the command line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.fault_injection import SWITCHES, Faults
from simulator.payloads import Reading
from simulator.unit_quirks import NO_READING, apply_unit_quirk
from tests.simulator.conftest import Simulate
from tests.simulator.harness import Driver, SimulatorHarness
from tests.simulator.test_v2 import connect_driver
from tests.simulator.test_webhooks import LOCK, ODOMETER, parked


def change_lock(driver: Driver, times: int = 1) -> None:
    """Open and close the lock, with one delivery for each change."""
    for turn in range(times):
        driver.patch(is_locked=turn % 2 == 1)
        driver.harness.settle()


def test_duplicates_have_the_same_event_id_and_another_delivery_id(sim: SimulatorHarness) -> None:
    driver = parked(sim)
    sim.inject_faults(duplicates=1)

    change_lock(driver)

    first, second = sim.callback.events("VEHICLE_STATE")
    assert first["eventId"] == second["eventId"]
    assert first["meta"]["deliveryId"] != second["meta"]["deliveryId"]


def test_disorder_lets_later_deliveries_overtake(sim: SimulatorHarness) -> None:
    driver = parked(sim)
    sim.inject_faults(disorder=1)
    change_lock(driver)
    assert not sim.callback.events()

    sim.inject_faults(disorder=0)
    driver.patch(is_locked=True)
    sim.settle()
    sim.later(11)

    sequences = [each["meta"]["sequence"] for each in sim.callback.events("VEHICLE_STATE")]
    assert sequences == sorted(sequences, reverse=True)
    assert len(sequences) == 2


def test_delay_and_burst_hold_deliveries_back(sim: SimulatorHarness) -> None:
    driver = parked(sim)
    sim.inject_faults(delay=60)
    change_lock(driver)
    assert not sim.callback.events()
    sim.later(61)
    assert len(sim.callback.events()) == 1

    sim.inject_faults(delay=0, burst=300)
    sim.callback.requests.clear()
    for turn in range(3):
        driver.patch(is_locked=turn % 2 == 0)
        sim.later(1)
    count = len(sim.callback.events())
    sim.later(300)
    assert (count, len(sim.callback.events())) == (0, 3)


def test_bad_signatures_are_bad(sim: SimulatorHarness) -> None:
    driver = parked(sim)
    sim.inject_faults(badSignatures=1)

    change_lock(driver)

    assert sim.callback.well_signed() == [False]


def test_stale_bodies_carry_errors(sim: SimulatorHarness) -> None:
    driver = parked(sim, signals=[LOCK, ODOMETER])
    before = driver.get3(f"/signals/{LOCK}").json()["data"]["attributes"]["body"]
    sim.inject_faults(staleBodies=1)

    change_lock(driver)

    signals = {each["code"]: each for each in sim.callback.events("VEHICLE_STATE")[0]["data"]["signals"]}
    assert signals[LOCK]["body"] == before == {"value": True}
    assert signals[LOCK]["status"]["value"] == "ERROR"
    assert driver.get("/security").json()["isLocked"] is False, "the car itself tells the truth"


def test_lying_units_reach_webhooks_and_the_store(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="wheel-tires")
    driver.patch(state_of_charge=73)
    sim.inject_faults(lyingUnits=1)

    driver.subscribe(sim.webhook(signals=["tractionbattery-stateofcharge", "wheel-tires", ODOMETER]))

    signals = {
        each["code"]: each["body"] for each in sim.callback.events("VEHICLE_STATE")[0]["data"]["signals"]
    }
    assert signals["tractionbattery-stateofcharge"] == {"value": pytest.approx(0.73)}
    assert signals["wheel-tires"]["unit"] == "bar"
    pressures = [each["tirePressure"] for each in signals["wheel-tires"]["values"]]
    assert pressures[-1] == NO_READING
    assert all(150 < each < 400 for each in pressures[:-1]), "kilopascals, whatever the label"
    assert signals[ODOMETER]["unit"] == "kilometers"


@given(
    st.dictionaries(
        st.sampled_from(["value", "unit", "values"]), st.sampled_from([5, 50.0, "x", []]), max_size=2
    )
)
def test_unit_quirks_affect_known_signals_only(body: dict[str, Any]) -> None:
    reading = Reading(
        code="closure-sunroof",
        group="Closure",
        name="Sunroof",
        body=body,
        oem_updated_at=1.0,
        retrieved_at=2.0,
    )

    assert apply_unit_quirk(reading) is reading


def test_a_clock_ahead_dates_values_after_their_retrieval(sim: SimulatorHarness) -> None:
    driver = parked(sim, signals=[LOCK, ODOMETER])
    sim.inject_faults(clocksAhead=3600)

    change_lock(driver)

    (lock,) = [each for each in delivered_signals(sim) if each["code"] == LOCK]
    assert lock["meta"]["oemUpdatedAt"] == pytest.approx(lock["meta"]["retrievedAt"] + 3_600_000, abs=1000)


def test_a_frozen_clock_dates_changing_values_alike_until_it_runs_again(sim: SimulatorHarness) -> None:
    driver = parked(sim, signals=[LOCK, ODOMETER])
    sim.inject_faults(clocksFrozen=[driver.vehicle_id])
    sim.later(10)
    change_lock(driver)
    sim.later(60)
    change_lock(driver, times=2)

    locks = [each for each in delivered_signals(sim) if each["code"] == LOCK]
    assert {each["body"]["value"] for each in locks} == {True, False}
    assert len({each["meta"]["oemUpdatedAt"] for each in locks}) == 1
    sim.inject_faults(clocksFrozen=[])
    change_lock(driver)
    assert delivered_signals(sim)[-1]["meta"]["oemUpdatedAt"] > locks[0]["meta"]["oemUpdatedAt"]


def delivered_signals(sim: SimulatorHarness) -> list[dict[str, Any]]:
    """Return the signals of all state deliveries, in order."""
    events = sim.callback.events("VEHICLE_STATE")
    return [signal for event in events for signal in event["data"]["signals"]]


def test_rate_limiting_and_server_errors_come_before_anything_is_done(sim: SimulatorHarness) -> None:
    driver = parked(sim)

    sim.inject_faults(rateLimited=1)
    assert driver.post("/security", {"action": "UNLOCK"}).status_code == 429
    assert driver.get3("/signals").headers["retry-after"] == "30"
    sim.inject_faults(rateLimited=0, serverErrors=1)
    v2 = {driver.post("/security", {"action": "UNLOCK"}).status_code for _ in range(40)}
    v3 = {driver.post3("/commands/security/unlock").status_code for _ in range(60)}
    sim.client.delete("/control/troubles")

    assert v2 == {500, 502, 503}
    assert v3 == {500, 502, 503, 504}
    assert driver.get("/security").json()["isLocked"] is True


def test_faults_spare_connect_and_control(sim: SimulatorHarness) -> None:
    sim.inject_faults(serverErrors=1, rateLimited=1, lostAnswers=1)

    assert sim.client.get("/control/health").status_code == 200
    assert sim.client.get(sim.connect_url()).status_code == 302


def test_a_lost_answer_breaks_off_though_the_command_was_done(sim: SimulatorHarness) -> None:
    driver = parked(sim)
    sim.inject_faults(lostAnswers=1)

    response = driver.post("/security", {"action": "UNLOCK"})
    sim.client.delete("/control/troubles")

    assert len(response.content) < int(response.headers["content-length"])
    assert driver.get("/security").json()["isLocked"] is False


def test_a_lost_token_answer_has_rotated_all_the_same(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    sim.inject_faults(tokenAnswerLost=1)

    lost = sim.token(grant_type="refresh_token", refresh_token=driver.refresh_token)
    sim.client.delete("/control/troubles")
    sim.simulation.clock.advance(300)
    retried = sim.token(grant_type="refresh_token", refresh_token=driver.refresh_token)
    sim.simulation.clock.advance(601)
    too_late = sim.token(grant_type="refresh_token", refresh_token=driver.refresh_token)

    assert len(lost.content) < int(lost.headers["content-length"])
    assert retried.status_code == 200, "within the window the same token works again"
    assert too_late.json()["error"] == "invalid_grant"


def test_slow_commands_become_long_answers(simulate: Simulate) -> None:
    sim = simulate(long_answer_after=0.1)
    driver = parked(sim)
    sim.inject_faults(slowCommands=0.3)

    assert driver.post3("/commands/security/unlock").status_code == 202


def test_revoked_permissions_refuse_v2_reads(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    sim.inject_faults(revokedPermissions=["read_odometer"])

    assert driver.get("/odometer").json()["type"] == "PERMISSION"
    assert "read_odometer" not in driver.get("/permissions", params={"limit": 100}).json()["permissions"]
    assert driver.get("/vin").status_code == 200


@pytest.mark.parametrize(
    "wanted",
    [{"gremlins": 1}, {"duplicates": 2}, {"delay": -1}, {"delay": "soon"}, {"outage": 5}, {"outage": [1]}],
)
def test_a_wrong_switch_is_rejected_and_changes_nothing(
    sim: SimulatorHarness, wanted: dict[str, Any]
) -> None:
    response = sim.client.post("/control/troubles", json={"delay": 5} | wanted)

    assert response.status_code == 400
    assert sim.simulation.faults == Faults()


def test_faults_are_listed_with_their_meaning_and_cleared(sim: SimulatorHarness) -> None:
    sim.inject_faults(outage="TESLA, FORD", delay=3)

    body = sim.client.get("/control/troubles").json()
    assert (body["troubles"]["outage"], body["troubles"]["delay"]) == (["TESLA", "FORD"], 3.0)
    assert body["meanings"].keys() == SWITCHES.keys()
    cleared = sim.client.delete("/control/troubles").json()["troubles"]
    assert all(value in (0.0, []) for value in cleared.values())
    assert sim.simulation.faults == Faults()


def test_cleared_faults_can_be_set_again_and_draw_the_same_sequence() -> None:
    faults = Faults()
    first = [faults.occurs(0.5) for _ in range(20)]
    faults.clear()
    assert [faults.occurs(0.5) for _ in range(20)] == first


def test_faults_can_be_on_from_the_start(simulate: Simulate) -> None:
    sim = simulate(faults={"outage": "TESLA", "duplicates": "0.5"})

    assert sim.simulation.faults.outage == ("TESLA",)
    assert sim.simulation.faults.duplicates == 0.5


@given(st.floats(0, 1), st.integers(200, 400))
def test_a_chance_is_a_chance(chance: float, times: int) -> None:
    faults = Faults()

    struck = sum(faults.occurs(chance) for _ in range(times))

    assert abs(struck - chance * times) <= 5 * (times * chance * (1 - chance)) ** 0.5 + 1e-9


def test_faults_can_be_switched_on_again_after_all_were_switched_off() -> None:
    faults = Faults()
    faults.configure({"answerWith": "RATE_LIMIT:VEHICLE"})
    faults.clear()
    assert faults.forced_error() is None
    faults.configure({"answerWith": "RATE_LIMIT:VEHICLE", "duplicates": 1})
    assert faults.forced_error() == ("RATE_LIMIT", "VEHICLE")
    assert faults.occurs(faults.duplicates)
