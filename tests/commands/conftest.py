"""A vehicle that can receive commands."""

import pytest

from connect.models import Connection, ConnectionState
from vehicles.models import Vehicle


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    """The vehicle's working connection, over v3."""
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )
