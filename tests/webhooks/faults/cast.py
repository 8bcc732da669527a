"""The cars of a story, connected."""

from accounts.models import Fleet, SmartcarApiVersion
from connect.models import Connection
from tests.webhooks.faults.events import Story
from vehicles.models import Vehicle


def make(number: int) -> None:
    """A fleet with the cars of a story."""
    fleet = Fleet.objects.create(name="Faults", slug="faults", api_version=SmartcarApiVersion.V3)
    cars = Vehicle.objects.bulk_create(
        Vehicle(fleet=fleet, smartcar_id=car_id) for car_id in Story(number, 0, 0).car_ids()
    )
    Connection.objects.bulk_create(
        Connection(
            fleet=fleet,
            vehicle=car,
            smartcar_user_id="user-1",
            api_version=SmartcarApiVersion.V3,
            mode="live",
        )
        for car in cars
    )
