"""How the simulator's clock maps to a vehicle's daily plan."""

import json

import pytest

from simulator.vehicles.plan_clock import PlanClock


def test_plan_time_follows_the_clock_at_a_fixed_offset() -> None:
    clock = PlanClock(100.0)

    assert clock.plan_time(1_000.0) == 900.0
    assert clock.clock_time(900.0) == 1_000.0
    assert not clock.is_still(1_000.0)
    assert clock.held_since() is None


def test_a_held_plan_is_frozen_from_the_moment_of_the_hold() -> None:
    clock = PlanClock()
    clock.hold(500.0)

    assert (clock.plan_time(400.0), clock.is_still(400.0)) == (400.0, False)
    assert (clock.plan_time(9_000.0), clock.is_still(9_000.0)) == (500.0, True)
    assert clock.held_since() == 500.0


def test_a_released_plan_continues_where_it_was_held() -> None:
    clock = PlanClock()
    clock.hold(500.0)
    clock.release(800.0)

    assert clock.plan_time(810.0) == 510.0
    assert clock.clock_time(510.0) == 810.0
    assert clock.clock_time(400.0) == 400.0, "the past keeps its times"


def test_a_hold_that_is_released_before_it_begins_delays_nothing() -> None:
    clock = PlanClock()
    clock.hold(500.0)
    clock.release(300.0)

    assert clock.plan_time(900.0) == 900.0


def test_a_plan_can_skip_ahead() -> None:
    clock = PlanClock()
    clock.skip_to(700.0, now=500.0)

    assert clock.plan_time(500.0) == 700.0
    assert clock.offset == -200.0


def test_a_dump_restores_the_same_clock() -> None:
    clock = PlanClock(5.0)
    clock.hold(500.0)
    clock.release(800.0)
    clock.hold(900.0)
    clock.reported_at = 1_300.0

    restored = PlanClock.load(json.loads(json.dumps(clock.dump())))

    assert restored.dump() == clock.dump()
    assert [restored.plan_time(at) for at in (700.0, 1_000.0, 5_000.0)] == [
        clock.plan_time(at) for at in (700.0, 1_000.0, 5_000.0)
    ]


@pytest.mark.parametrize("holds", [10, 200])
def test_many_holds_need_little_memory_and_keep_the_plan_continuous(holds: int) -> None:
    clock, now = PlanClock(), 0.0
    for _ in range(holds):
        clock.hold(clock.plan_time(now))
        now += 60.0
        clock.release(now)
        now += 1.0

    assert clock.plan_time(now) == pytest.approx(float(holds))
    assert len(clock.dump()["offsets"]) < 60
