"""What deliveries say about the vehicle itself fills what its row lacks."""

import json
from typing import Any

import pytest

from accounts.models import Fleet
from connect.models import Connection
from tests.webhooks.helpers import post, state_of
from vehicles.models import Vehicle
from vehicles.observations import VehicleFacts
from vehicles.services import upsert_vehicle
from webhooks import processing

pytestmark = pytest.mark.django_db
AT = 1_760_000_000_000
BLANK = {"make": "", "model": "", "year": None, "powertrain": ""}


def deliver(vehicle: Vehicle, *, event_id: str, at: int = AT, **facts: Any) -> Vehicle:
    event = json.loads(state_of(vehicle.smartcar_id, event_id=event_id, locked=True, at=at))
    event["data"]["vehicle"] = {"id": vehicle.smartcar_id, **facts}
    post(json.dumps(event).encode())
    processing.process_waiting()
    vehicle.refresh_from_db()
    return vehicle


def facts_of(vehicle: Vehicle) -> tuple[Any, ...]:
    return (vehicle.make, vehicle.model, vehicle.year, vehicle.powertrain)


def test_powertrain_that_was_unknown_at_first_is_filled_in_later(
    vehicle: Vehicle, connection: Connection
) -> None:
    Vehicle.objects.update(**BLANK)
    first: dict[str, Any] = {"make": "Volkswagen", "model": "ID.7", "year": 2024, "powertrainType": None}
    assert facts_of(deliver(vehicle, event_id="a", **first)) == ("VOLKSWAGEN", "ID.7", 2024, "")
    later = deliver(vehicle, event_id="b", at=AT + 60_000, **first | {"powertrainType": "BEV"})
    assert later.powertrain == "BEV"


def test_known_facts_are_retained(vehicle: Vehicle, connection: Connection) -> None:
    Vehicle.objects.update(make="KIA", model="EV6", year=2023, powertrain="")
    deliver(vehicle, event_id="a", make="TESLA", model="Model 3", year=2020, powertrainType="bev")
    assert facts_of(vehicle) == ("KIA", "EV6", 2023, "BEV")


def test_facts_of_several_deliveries_in_one_batch_complete_each_other(
    vehicle: Vehicle, connection: Connection
) -> None:
    Vehicle.objects.update(**BLANK)
    parts: list[dict[str, Any]] = [{"make": "KIA"}, {"year": 2023}, {"powertrainType": "PHEV"}]
    for number, facts in enumerate(parts):
        event = json.loads(state_of(vehicle.smartcar_id, event_id=str(number), locked=True, at=AT + number))
        event["data"]["vehicle"] = {"id": vehicle.smartcar_id, **facts}
        post(json.dumps(event).encode())
    processing.process_waiting()
    vehicle.refresh_from_db()
    assert facts_of(vehicle) == ("KIA", "", 2023, "PHEV")


def test_facts_longer_than_their_columns_are_cut(vehicle: Vehicle, connection: Connection) -> None:
    Vehicle.objects.update(**BLANK)
    deliver(vehicle, event_id="a", make="m" * 90, model="x" * 95, powertrainType="EXTENDED RANGE")
    assert facts_of(vehicle) == ("M" * 60, "x" * 80, None, "")


def test_upsert_cuts_facts_to_their_columns(fleet: Fleet) -> None:
    facts = VehicleFacts("new", make="m" * 90, model="x" * 95, year=2024, powertrain="phev")
    assert facts_of(upsert_vehicle(fleet=fleet, facts=facts)) == ("M" * 60, "x" * 80, 2024, "PHEV")
