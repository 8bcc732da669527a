"""Creates the connected vehicles of a scenario."""

from accounts.models import Fleet, SmartcarApiVersion
from connect.models import Connection
from tests.webhooks.faults.events import Scenario
from vehicles.models import Vehicle


def make(number: int) -> None:
    """Creates a fleet with the vehicles of a scenario."""
    fleet = Fleet.objects.create(name="Faults", slug="faults", api_version=SmartcarApiVersion.V3)
    vehicles = Vehicle.objects.bulk_create(
        Vehicle(fleet=fleet, smartcar_id=vehicle_id) for vehicle_id in Scenario(number, 0, 0).vehicle_ids()
    )
    Connection.objects.bulk_create(
        Connection(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id="user-1",
            api_version=SmartcarApiVersion.V3,
            mode="live",
        )
        for vehicle in vehicles
    )
