"""Deliveries of several Smartcar applications. Each applies only to the vehicles that are connected with it."""

import pytest

from accounts.models import Fleet, User
from accounts.services import create_fleet
from connect.applications import registry, services
from connect.applications.models import SmartcarApplication
from connect.applications.services import Secrets
from connect.models import Connection
from tests.webhooks.helpers import post, state_of
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from webhooks import processing
from webhooks.models import EntryState, InboxEntry
from webhooks.signature import sign

pytestmark = pytest.mark.django_db
CAR, TOKEN = "shared-car", "management-token-of-the-second-application"
AT = 1_760_000_000_000


@pytest.fixture
def second() -> SmartcarApplication:
    row = SmartcarApplication(name="Second", application_id="app-2", client_id="client_2", webhook_id="wh-2")
    saved = services.save_application(row=row, secrets=Secrets(management_tokens=(TOKEN,)))
    registry.clear_key_cache()
    return saved


def connect_vehicle(fleet: Fleet, application: SmartcarApplication | None) -> Vehicle:
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=CAR)
    Connection.objects.create(
        fleet=fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        application=application,
    )
    return vehicle


def lock_status(vehicle: Vehicle) -> object:
    row = LatestSignal.objects.filter(vehicle=vehicle, code=catalogue.IS_LOCKED.code).first()
    return row.value if row else None


def test_delivery_is_recorded_only_for_the_fleets_of_its_application(
    fleet: Fleet, owner: User, second: SmartcarApplication
) -> None:
    other = create_fleet(name="Other", slug="other", owner=owner, api_version="v3")
    vehicle, other_vehicle = connect_vehicle(fleet, None), connect_vehicle(other, second)
    body = state_of(CAR, locked=True, at=AT)
    post(body)
    processing.process_waiting()
    assert (lock_status(vehicle), lock_status(other_vehicle)) == (True, None)
    body = state_of(CAR, event_id="event-2", locked=False, at=AT + 1000)
    assert post(body, signed=sign(token=TOKEN, message=body)).status_code == 200
    processing.process_waiting()
    assert (lock_status(vehicle), lock_status(other_vehicle)) == (True, False)


def test_delivery_of_another_application_is_quarantined_despite_our_connection(
    fleet: Fleet, owner: User, second: SmartcarApplication
) -> None:
    vehicle = connect_vehicle(fleet, None)
    body = state_of(CAR, locked=True, at=AT)
    post(body, signed=sign(token=TOKEN, message=body))
    processing.process_waiting()
    assert InboxEntry.objects.get().state == EntryState.QUARANTINED
    assert processing.release_quarantined() == 0
    other = create_fleet(name="Other", slug="other", owner=owner, api_version="v3")
    other_vehicle = connect_vehicle(other, second)
    assert processing.release_quarantined() == 1
    processing.process_waiting()
    assert (lock_status(vehicle), lock_status(other_vehicle)) == (None, True)
