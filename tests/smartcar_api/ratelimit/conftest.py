"""Limits for a test, on buckets, hosts and cooldowns that no other test uses."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from tests.smartcar import reset_budget

Limit = Callable[..., None]


@pytest.fixture(autouse=True)
def clear_usage() -> Iterator[None]:
    """Clears the usage of earlier tests, and of this one afterwards."""
    reset_budget()
    yield
    reset_budget()


@pytest.fixture
def limit(settings: Settings) -> Limit:
    """`limit(10)`: 10 requests at once, and practically no refill during a test."""

    def switch_on(most: int, per_minute: float = 0.01) -> None:
        settings.SMARTCAR_REQUEST_BUCKET = most
        settings.SMARTCAR_REQUEST_REFILL = per_minute

    return switch_on


@pytest.fixture
def application() -> str:
    """The ID of an application whose bucket is full."""
    return str(uuid.uuid4())
