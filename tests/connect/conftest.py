from collections.abc import Iterator

import pytest

from tests.connect.helpers import reset
from tests.servers import Simulator


@pytest.fixture
def smartcar(simulator: Simulator) -> Iterator[str]:
    """The simulator's address, with nothing granted yet."""
    reset(simulator.url)
    yield simulator.url
    reset(simulator.url)
