"""Fixtures for simulators under test: `sim` with the tests' usual settings, `simulate` with others."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.simulator.harness import SimulatorHarness, start_harness

Simulate = Callable[..., SimulatorHarness]


@pytest.fixture
def simulate() -> Iterator[Simulate]:
    with ExitStack() as stack:

        def make(**settings: Any) -> SimulatorHarness:
            client, simulation, callback = start_harness(**settings)
            return SimulatorHarness(stack.enter_context(client), simulation, callback)

        yield make


@pytest.fixture
def sim(simulate: Simulate) -> SimulatorHarness:
    return simulate()
