"""Start options of the simulator: vehicles held from the start, the time of day, and the clock."""

from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.settings import Settings, from_command_line
from simulator.simulation import create_simulation
from tests.simulator.harness import NIGHT, QUICK

DAY = 86_400.0
NOON = NIGHT + 9 * 3600.0
STILL = (
    "driving",
    "locked",
    "plugged",
    "charging",
    "soc",
    "latitude",
    "longitude",
    "odometer",
    "asleep",
    "outside",
)


def test_hold_all_can_be_chosen_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIMULATOR_HOLD_ALL", raising=False)

    assert not from_command_line([]).hold_all
    assert from_command_line(["--hold-all"]).hold_all


@pytest.mark.parametrize(("value", "hold_all"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_hold_all_can_be_chosen_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str, hold_all: bool
) -> None:
    monkeypatch.setenv("SIMULATOR_HOLD_ALL", value)

    assert from_command_line([]).hold_all is hold_all
    assert not from_command_line(["--no-hold-all"]).hold_all


def test_a_start_time_of_day_starts_the_vehicles_then_and_keeps_the_real_clock() -> None:
    settings = from_command_line(["--start", "03:00"])

    assert settings.start is None
    assert settings.plan_start is not None
    night = create_simulation(Settings(vehicles=4, plan_start=settings.plan_start))
    assert night.now() == pytest.approx(datetime.now(UTC).timestamp(), abs=5)
    assert settings.plan_start == NIGHT


def test_an_iso_start_time_starts_the_clock() -> None:
    settings = from_command_line(["--start", "2026-11-04T11:00:00+00:00"])

    assert (settings.start, settings.plan_start) == (NIGHT, None)


@pytest.mark.parametrize("text", ["25:00", "noon", "3"])
def test_an_invalid_start_time_is_rejected(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        from_command_line(["--start", text])
    assert "--start must be" in capsys.readouterr().err


def test_with_a_start_time_of_day_the_date_of_a_run_changes_nothing_about_the_vehicles() -> None:
    def states(start: float) -> list[dict[str, Any]]:
        simulation = create_simulation(
            Settings(**(QUICK | {"start": start, "plan_start": NIGHT, "hold_all": True}))
        )
        states = [each.state(now=start) for each in simulation.fleet.vehicles.values()]
        # Rounded, because the mapping between two clocks loses some of the last digits.
        return [
            {name: _rounded(state[name]) for name in (*STILL, "fuel", "tires", "faults")} for state in states
        ]

    assert states(NIGHT + 17 * DAY + 4321) == states(NIGHT) == states(NIGHT - 400 * DAY)


def _rounded(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value


def test_reports_carry_the_clock_time_whatever_the_time_of_the_plan() -> None:
    start = NIGHT + 500 * DAY
    simulation = create_simulation(Settings(**(QUICK | {"start": start, "plan_start": NIGHT})))

    for vehicle in simulation.fleet.vehicles.values():
        assert start - 2 * DAY < vehicle.last_report(start) <= start < vehicle.next_report(start)
        for signal in vehicle.signals(now=start):
            assert signal.oem_updated_at in (None, vehicle.last_report(start))


def test_the_same_seed_gives_the_same_command_latencies() -> None:
    one, other, third = (create_simulation(Settings(vehicles=1, seed=seed)) for seed in (1, 1, 2))

    draws = [[each.latencies.random() for _ in range(5)] for each in (one, other, third)]

    assert draws[0] == draws[1] != draws[2]
