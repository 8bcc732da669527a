"""A fleet of many vehicles for measuring its pages, with a manager's session."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass

import orjson

from bench import signals

_CITIES = (
    *((52.52, 13.40), (48.85, 2.35), (51.51, -0.13), (40.42, -3.70), (41.90, 12.50), (50.85, 4.35)),
    *((48.21, 16.37), (52.23, 21.01), (59.33, 18.07), (55.68, 12.57), (47.38, 8.54), (45.46, 9.19)),
)
_MAKES = ("TESLA", "BMW", "VOLKSWAGEN", "FORD", "HYUNDAI", "KIA")
_SIGNALS = """
    INSERT INTO vehicles_latestsignal
        (vehicle_id, code, body, observed_at, oem_updated_at, retrieved_at, status, error_type, error_code,
         error_description, reported_at, notes)
    SELECT vehicle.id, row.code, row.body, now() - interval '1 minute' * (vehicle.id %% 90), now(), now(), 'SUCCESS',
           '', '', '', now(), '{}'
    FROM vehicles_vehicle AS vehicle, json_to_recordset(%s::json) AS row (code text, body jsonb)
    WHERE vehicle.fleet_id = %s
"""
_UPDATE_BODIES = """
    UPDATE vehicles_latestsignal AS state SET body = row.body
    FROM json_to_recordset(%s::json) AS row (vehicle_id bigint, code text, body jsonb)
    WHERE state.vehicle_id = row.vehicle_id AND state.code = row.code
"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet's slug, its vehicles by our ID and Smartcar's, and the cookie of a manager's session."""

    slug: str
    vehicles: dict[int, str]
    session: str


def make(*, slug: str, vehicles: int) -> Fleet:
    """Creates a fleet whose vehicles reported thirty signals within the last 90 minutes."""
    from django.db import connection

    from accounts.models import User
    from accounts.services import create_fleet
    from connect.models import Connection, ConnectionState
    from vehicles import summaries
    from vehicles.models import Vehicle

    chance = random.Random(1)
    owner = User.objects.create_user(f"{slug}@fleet.example")
    fleet = create_fleet(name=slug.title(), slug=slug, owner=owner, api_version="v3")
    created = Vehicle.objects.bulk_create(
        [
            Vehicle(
                fleet=fleet,
                smartcar_id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                name=f"Vehicle {number:05}",
                plate=f"F-{number:05}",
                make=chance.choice(_MAKES),
                model="Model",
                year=2024,
                driver=f"Driver {number % 997}",
            )
            for number in range(vehicles)
        ],
        batch_size=2000,
    )
    Connection.objects.bulk_create(
        [
            Connection(
                fleet=fleet,
                vehicle=vehicle,
                smartcar_user_id=f"{slug}-{vehicle.pk}",
                api_version="v3",
                mode="live",
                state=ConnectionState.ACTIVE if chance.random() > 0.02 else ConnectionState.STALE,
            )
            for vehicle in created
        ],
        batch_size=2000,
    )
    with connection.cursor() as cursor:
        cursor.execute(_SIGNALS, [orjson.dumps(_signal_bodies()).decode(), fleet.pk])
        cursor.execute(
            _UPDATE_BODIES,
            [
                orjson.dumps(
                    [row for vehicle in created for row in _vehicle_signals(vehicle.pk, chance)]
                ).decode()
            ],
        )
        cursor.execute("UPDATE vehicles_vehicle SET last_seen_at = now() - interval '1 minute' * (id % 150)")
        summaries.refresh_snapshots(vehicle_ids=[vehicle.pk for vehicle in created], held=True)
        cursor.execute("ANALYZE")
    return Fleet(
        slug=slug,
        vehicles={vehicle.pk: vehicle.smartcar_id for vehicle in created},
        session=_session(owner.pk),
    )


def _signal_bodies() -> list[dict[str, object]]:
    return [{"code": title.replace(".", "-").lower(), "body": body} for title, body in signals.BODIES.items()]


def _vehicle_signals(vehicle_id: int, chance: random.Random) -> list[dict[str, object]]:
    latitude, longitude = chance.choice(_CITIES)
    place = {
        "latitude": latitude + chance.gauss(0, 0.12),
        "longitude": longitude + chance.gauss(0, 0.18),
        "heading": chance.randrange(360),
    }
    bodies = {
        "location-preciselocation": place,
        "tractionbattery-stateofcharge": {"value": chance.randrange(5, 101), "unit": "percent"},
        "closure-islocked": {"value": chance.random() > 0.05},
        "charge-ischarging": {"value": chance.random() < 0.1},
        "odometer-traveleddistance": {"value": chance.randrange(1000, 200_000), "unit": "km"},
    }
    return [{"vehicle_id": vehicle_id, "code": code, "body": body} for code, body in bodies.items()]


def _session(user_id: int) -> str:
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(pk=user_id))
    return client.cookies["sessionid"].value
