"""Commands on v3: responses, errors and long responses."""

import time
from typing import Any

import orjson
import pytest

from tests.simulator.conftest import Simulate
from tests.simulator.harness import Driver, SimulatorHarness
from tests.simulator.test_v2 import connect_driver
from tests.simulator.test_v3 import error

# -- commands ----------------------------------------------------------------------------------------------


def test_a_command_returns_its_execution(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="closure-islocked")
    driver.patch(speed=0, doors=[], rear_trunk_open=False, is_locked=True)

    response = driver.post3("/commands/security/unlock")

    data = response.json()["data"]
    assert (response.status_code, data["type"], data["id"][:5]) == (200, "command-execution", "exec_")
    assert data["attributes"] == {
        "commandType": "security-unlock",
        "status": {"value": "SUCCESS"},
        "executionMode": "sync",
    }
    assert data["meta"].keys() == {"executedAt", "completedAt", "durationInSeconds"}
    assert driver.get("/security").json()["isLocked"] is False


def test_the_charge_limit_is_a_whole_percentage(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="charge-chargelimits")
    driver.patch(plugged_in=True)

    assert driver.post3("/commands/charge/set-limit", {"percent": 65}).status_code == 200
    assert driver.get("/charge/limit").json() == {"limit": 0.65}
    for wrong in (49, 101, 65.5, "65", True):
        assert (
            error(driver.post3("/commands/charge/set-limit", {"percent": wrong}))[2] == "INVALID_INPUT_FORMAT"
        )
    assert error(driver.post3("/commands/charge/set-limit", {}))[2] == "MISSING_PARAMETER"


def test_charging_starts_and_stops(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="charge-ischarging")
    driver.patch(plugged_in=True, state_of_charge=55, charge_limit=90, charging=False)

    assert driver.post3("/commands/charge/start").status_code == 200
    assert driver.get("/charge").json() == {"isPluggedIn": True, "state": "CHARGING"}
    assert error(driver.post3("/commands/charge/start")) == ("409", "VEHICLE_STATE", "CHARGING_IN_PROGRESS")
    assert driver.post3("/commands/charge/stop").status_code == 200
    assert driver.get("/charge").json()["state"] == "NOT_CHARGING"


def test_a_command_without_permission_is_403(sim: SimulatorHarness) -> None:
    driver = sim.driver(parameters={"scope": "read_vin"})

    assert error(driver.post3("/commands/security/lock")) == ("403", "PERMISSION", None)


def tesla(sim: SimulatorHarness) -> Driver:
    """Connect a Tesla with the virtual key, which supports every command."""
    driver = sim.driver(count=40)
    for each in driver.vehicle_ids:
        vehicle = sim.simulation.fleet.vehicles[each]
        body = vehicle.signal("connectivitystatus-isdigitalkeypaired", now=sim.simulation.now()).body
        if vehicle.make == "TESLA" and body is not None and body["value"]:
            driver.vehicle_ids = [each]
            driver.patch(speed=0)
            return driver
    raise AssertionError("no Tesla with a virtual key")


def test_a_destination_is_accepted(sim: SimulatorHarness) -> None:
    driver = tesla(sim)

    assert (
        driver.post3(
            "/commands/navigation/set-destination", {"latitude": 52.5, "longitude": 13.4}
        ).status_code
        == 200
    )
    assert (
        error(driver.post3("/commands/navigation/set-destination", {"latitude": 52.5}))[2]
        == "MISSING_PARAMETER"
    )
    wrong = driver.post3("/commands/navigation/set-destination", {"latitude": 152.5, "longitude": 13.4})
    assert error(wrong)[2] == "INVALID_INPUT_FORMAT"


def test_the_charge_port_opens_and_closes(sim: SimulatorHarness) -> None:
    driver = tesla(sim)
    driver.patch(plugged_in=False)

    assert driver.post3("/commands/charge-port/open").status_code == 200
    assert driver.post3("/commands/charge-port/close").status_code == 200


WINDOW = {"startTime": "08:00", "stopTime": "10:00"}
HOME = {"location": {"latitude": 37.77, "longitude": -122.42}}


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("daily", HOME | WINDOW),
        ("weekly", HOME | {"days": {"monday": WINDOW, "friday": WINDOW}}),
        ("workweek", HOME | {"weekdays": WINDOW, "weekends": WINDOW}),
    ],
)
def test_a_schedule_is_set_read_back_and_deleted(
    sim: SimulatorHarness, kind: str, attributes: dict[str, Any]
) -> None:
    driver = tesla(sim)
    driver.subscribe(sim.webhook(signals=["charge-chargetimers"]))

    data = driver.post3(f"/charge-schedules/{kind}", attributes).json()["data"]

    assert data["type"] == "charge-schedule-execution"
    assert data["attributes"]["scheduleType"] == kind
    assert data["attributes"]["parameters"] == attributes
    schedule_id = data["attributes"]["scheduleId"]
    sim.later(2)
    timers = driver.get3("/signals/charge-chargetimers").json()["data"]["attributes"]["body"]["values"]
    assert [each["scheduleId"] for each in timers if each["type"] == "LOCATION"] == [schedule_id]

    url = f"/vehicle/v3/vehicles/{driver.vehicle_id}/charge-schedules/{schedule_id}"
    assert sim.client.delete(url, headers=driver.v3).json()["data"]["attributes"]["action"] == "delete"
    assert sim.client.delete(url, headers=driver.v3).status_code == 404


def test_other_makes_accept_no_schedule(sim: SimulatorHarness) -> None:
    driver = sim.driver(make="FORD")

    assert error(driver.post3("/charge-schedules/daily", HOME | WINDOW))[:2] == ("501", "COMPATIBILITY")


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("daily", WINDOW),
        ("daily", HOME | {"startTime": "08:00"}),
        ("daily", HOME | {"startTime": "8", "stopTime": "25:00"}),
        ("weekly", HOME | {"days": {"someday": WINDOW}}),
        ("weekly", HOME),
        ("workweek", HOME),
    ],
)
def test_an_invalid_schedule_is_a_validation_error(
    sim: SimulatorHarness, kind: str, attributes: dict[str, Any]
) -> None:
    assert error(tesla(sim).post3(f"/charge-schedules/{kind}", attributes))[1] == "VALIDATION"


def test_a_slow_command_is_answered_202_and_its_result_follows(simulate: Simulate) -> None:
    sim = simulate(command_latency=(0.3, 0.3), long_answer_after=0.1)
    driver = connect_driver(sim, powertrain="BEV", code="closure-islocked")
    driver.patch(speed=0, doors=[], is_locked=True)
    url = f"/vehicle/v3/vehicles/{driver.vehicle_id}/commands/security/unlock"

    response = sim.client.post(url, headers=driver.v3)

    assert response.status_code == 202
    assert "content-length" not in response.headers
    assert response.json()["data"]["attributes"]["status"] == {"value": "SUCCESS"}


def test_the_body_of_a_202_may_be_a_failure(simulate: Simulate) -> None:
    sim = simulate(command_latency=(0.2, 0.2), long_answer_after=0.05)
    driver = connect_driver(sim, powertrain="BEV", code="closure-islocked")
    driver.patch(speed=0, doors=[[0, 0]])

    response = driver.post3("/commands/security/lock")

    assert response.status_code == 202
    assert orjson.loads(response.content)["errors"][0]["status"] == "409"


def locked(sim: SimulatorHarness) -> Driver:
    driver = connect_driver(sim, powertrain="BEV", code="closure-islocked")
    driver.patch(speed=0, doors=[], is_locked=True)
    return driver


def test_a_long_response_can_be_forced(sim: SimulatorHarness) -> None:
    driver = locked(sim)
    sim.inject_faults(longAnswers=1)

    response = driver.post3("/commands/security/unlock")

    assert (response.status_code, "content-length" in response.headers) == (202, False)
    assert response.json()["data"]["attributes"]["status"] == {"value": "SUCCESS"}


@pytest.mark.parametrize(("status", "still_locked"), [("FAILURE", True), ("PENDING", False)])
def test_a_command_can_end_with_another_status(
    sim: SimulatorHarness, status: str, still_locked: bool
) -> None:
    driver = locked(sim)
    sim.inject_faults(commandStatus=[status])

    response = driver.post3("/commands/security/unlock")

    assert response.json()["data"]["attributes"]["status"] == {"value": status}
    assert driver.get("/security").json()["isLocked"] is still_locked


def test_an_error_can_be_forced_with_another_http_status(sim: SimulatorHarness) -> None:
    driver = locked(sim)
    sim.inject_faults(answerWith=["UPSTREAM:NO_RESPONSE:504"])

    response = driver.post3("/commands/security/unlock")

    assert (response.status_code, error(response)) == (504, ("504", "UPSTREAM", "NO_RESPONSE"))


def test_commands_take_the_time_they_are_set_to(simulate: Simulate) -> None:
    driver = simulate(command_latency=(0.2, 0.25)).driver()
    started = time.monotonic()

    driver.post3("/commands/security/lock")

    assert time.monotonic() - started >= 0.2
