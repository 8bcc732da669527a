"""A live site with data for every operation of the API, and its description."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.models import Membership, User
from accounts.tokens.services import issue_token
from commands.models import Command, CommandState
from commands.types import CommandType
from connect.models import Connection, ConnectionState
from vehicles import catalogue
from vehicles.models import Vehicle
from vehicles.observations import SignalReading, SignalStatus
from vehicles.services import ReceivedReading, ingest_readings
from webhooks.models import EntryState, InboxEntry

LATITUDE, LONGITUDE = 37.75, -122.44
_BODIES: dict[str, dict[str, Any]] = {
    catalogue.STATE_OF_CHARGE.code: {"value": 61, "unit": "percent"},
    catalogue.PRECISE_LOCATION.code: {"latitude": LATITUDE, "longitude": LONGITUDE, "heading": 90},
    catalogue.DOORS.code: {
        "values": [{"row": 0, "column": 0, "isOpen": True, "isLocked": None}],
        "rowCount": 1,
        "columnCount": 1,
    },
    catalogue.TIRES.code: {
        "values": [{"row": 0, "column": 0, "tirePressure": 230}],
        "rowCount": 1,
        "columnCount": 1,
        "unit": "kPa",
    },
    catalogue.IS_LOCKED.code: {"value": True},
}


@dataclass(frozen=True)
class Site:
    """A running site: its URL, a token for commands of the fleet's owner, and what there is to ask for."""

    url: str
    token: str
    vehicle_id: str
    command_id: int
    delivery_id: int

    def description(self) -> dict[str, Any]:
        """Returns the site's OpenAPI description."""
        answer = httpx.get(
            f"{self.url}/api/v1/schema/", headers={"Accept": "application/json"}, trust_env=False
        )
        description: dict[str, Any] = answer.raise_for_status().json()
        return description

    def operations(self) -> dict[str, dict[str, Any]]:
        """Returns the described operations by their ID."""
        paths = self.description()["paths"].values()
        return {operation["operationId"]: operation for path in paths for operation in path.values()}


@pytest.fixture
def api_site(live_server: LiveServer, owner: User, vehicle: Vehicle) -> Site:
    now = timezone.now()
    with transaction.atomic():
        ingest_readings(
            batch=[
                ReceivedReading(
                    vehicle_id=vehicle.pk,
                    observation=SignalReading(
                        code, SignalStatus.SUCCESS, body=body, oem_updated_at=now - timedelta(minutes=5)
                    ),
                    received_at=now,
                    sequence=None,
                )
                for code, body in _BODIES.items()
            ]
        )
    Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )
    command = Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        kind=CommandType.LOCK,
        api_version="v3",
        state=CommandState.WAITING,
        requested_at=now,
        expires_at=now + timedelta(hours=1),
    )
    # A fleet sees what came after its connection.
    delivery = InboxEntry.objects.create(
        received_at=timezone.now(),
        body=b'{"eventType": "VEHICLE_STATE"}',
        state=EntryState.PROCESSED,
        smartcar_vehicle_id=vehicle.smartcar_id,
    )
    membership = Membership.objects.select_related("user", "fleet").get(user=owner)
    token = issue_token(membership=membership, name="Generated client", may_command=True).secret
    return Site(live_server.url, token, vehicle.smartcar_id, command.pk, delivery.pk)
