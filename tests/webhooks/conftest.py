import pytest

from accounts.models import SmartcarApiVersion
from connect.models import Connection
from vehicles.models import Vehicle


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    """The vehicle is connected."""
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version=SmartcarApiVersion.V3,
        mode="live",
    )
