"""Simulators to test: `sim` with the tests' usual settings, `simulate` with others."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.simulator.harness import Simulated, simulated

Simulate = Callable[..., Simulated]


@pytest.fixture
def simulate() -> Iterator[Simulate]:
    with ExitStack() as stack:

        def make(**settings: Any) -> Simulated:
            client, world, callback = simulated(**settings)
            return Simulated(stack.enter_context(client), world, callback)

        yield make


@pytest.fixture
def sim(simulate: Simulate) -> Simulated:
    return simulate()
