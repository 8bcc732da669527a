"""The state file: what a restart must preserve."""

import stat
from pathlib import Path

import httpx
import orjson
import pytest
from starlette.testclient import TestClient

from simulator.app import create_app
from simulator.settings import Settings
from simulator.simulation import Simulation, create_simulation
from simulator.state_store import StateStore
from tests.simulator.harness import QUICK, Callback, Driver, SimulatorHarness
from tests.simulator.test_v2 import connect_driver


def restart(sim: SimulatorHarness, path: Path) -> tuple[Simulation, Callback, TestClient]:
    """Save the simulation, and start another from the file."""
    StateStore(sim.simulation, path).save()
    callback = Callback()
    simulation = create_simulation(Settings(**QUICK), transport=httpx.MockTransport(callback))
    assert StateStore(simulation, path).restore()
    return simulation, callback, TestClient(create_app(simulation), headers={"User-Agent": "test"})


def test_a_restart_keeps_tokens_grants_subscriptions_and_vehicles(
    sim: SimulatorHarness, tmp_path: Path
) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="closure-islocked")
    driver.subscribe(sim.webhook(id="w1"))
    driver.patch(is_locked=False, state_of_charge=41)
    sim.grant(
        email=sim.simulation.connections.users[driver.user_id].email, parameters={"external_id": "driver-9"}
    )
    sim.inject_faults(outage=["NOBODY"])

    simulation, callback, client = restart(sim, tmp_path / "state.json")

    with client:
        again = SimulatorHarness(client, simulation, callback)
        restored = Driver(
            again, driver.user_id, driver.vehicle_ids, driver.access_token, driver.refresh_token, ""
        )
        restored.application_token = driver.application_token
        assert restored.get("/security").json()["isLocked"] is False
        assert restored.get("/battery").json()["percentRemaining"] == pytest.approx(0.41, abs=0.02)
        assert again.token(grant_type="refresh_token", refresh_token=driver.refresh_token).status_code == 200
        assert restored.get3("/signals").json()["meta"]["totalCount"] > 10
        assert simulation.connections.users[driver.user_id].external_id == "driver-9"
        assert simulation.faults.outage == ("NOBODY",)

        restored.patch(is_locked=True)
        again.later(2)
        (event,) = callback.events("VEHICLE_STATE")
        assert event["meta"]["webhookId"] == "w1"
        assert (
            event["meta"]["sequence"]
            == sim.simulation.webhooks.for_vehicle(driver.vehicle_id)[0].sequence + 1
        )


def test_a_restart_keeps_codes_counts_capacity_choices_and_the_clock(
    sim: SimulatorHarness, tmp_path: Path
) -> None:
    code = sim.grant()["code"]
    sim.simulation.limits.billed("some-car", requests=7)
    sim.simulation.capacities["some-car"] = 77.0
    url = sim.simulation.capacity_url("some-car")
    sim.simulation.clock.advance(300)
    offset = sim.simulation.clock.offset()

    simulation, callback, client = restart(sim, tmp_path / "state.json")

    assert simulation.limits.counts == {"some-car": 7}
    assert simulation.capacities == {"some-car": 77.0}
    assert any(token in url for token in simulation.capacity_tokens)
    assert simulation.clock.offset() == pytest.approx(offset, abs=1)
    with client:
        assert SimulatorHarness(client, simulation, callback).exchange(code)["access_token"]


def test_a_first_delivery_still_to_come_comes_after_the_restart(
    sim: SimulatorHarness, tmp_path: Path
) -> None:
    driver, webhook_id = sim.driver(), sim.webhook()
    driver.post(f"/webhooks/{webhook_id}")

    simulation, callback, client = restart(sim, tmp_path / "state.json")

    with client:
        SimulatorHarness(client, simulation, callback).later(2)
    assert callback.events("VEHICLE_STATE")[0]["triggers"] == [{"type": "FIRST_DELIVERY"}]


def test_the_file_is_readable_by_its_owner_only_and_replaced_as_a_whole(
    sim: SimulatorHarness, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "state.json"
    StateStore(sim.simulation, path).save()
    sim.driver()
    StateStore(sim.simulation, path).save()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["state.json"]
    assert orjson.loads(path.read_bytes())["world"]["connections"]["users"]


def test_without_a_file_the_simulation_is_new(sim: SimulatorHarness, tmp_path: Path) -> None:
    assert not StateStore(sim.simulation, tmp_path / "none.json").restore()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"version": 99}'])
def test_an_invalid_file_is_rejected(sim: SimulatorHarness, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)

    with pytest.raises(ValueError, match="is not a state file"):
        StateStore(sim.simulation, path).restore()


def test_the_state_of_another_fleet_is_rejected_with_its_options(
    sim: SimulatorHarness, tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    StateStore(sim.simulation, path).save()

    with pytest.raises(ValueError, match="--seed 1 --vehicles 40"):
        StateStore(create_simulation(Settings(**(QUICK | {"vehicles": 41}))), path).restore()
