"""A courier fleet in the Bay Area during a working day, for the screenshots of the documentation."""

import random
import time
from datetime import datetime, timedelta
from math import pi, sin
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Fleet, Role, SmartcarApiVersion, User
from accounts.services import add_member, create_fleet
from alerts import services as alerts
from alerts.types import AlertCondition, AlertType
from commands.models import Command, CommandState
from commands.types import CommandType
from connect.messages import StateEvidence
from connect.models import Connection, ConnectionState
from connect.usage import quota
from connect.usage.models import FleetAllowance
from smartcar_api.ratelimit.priority import CallPurpose
from tests.connect.invited import invited
from tests.smartcar import connect, register_webhook, subscribe
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle
from vehicles.places.models import Place, PlaceKind
from vehicles.readings import NewReading, insert_readings
from webhooks import processing

CITY = "America/Los_Angeles"
VEHICLE_COUNT = 12
DAYS = 30
# The vehicle whose pages are shown. It is charging.
SHOWN_INDEX = 1
PASSWORD = "a long enough passphrase"
DRIVERS = ("Amara Diallo", "Ben Ortiz", "Chloe Nguyen", "Dev Patel", "Elena Rossi", "Farid Khan")
GROUPS = ("North", "South", "Pool")
PLACES = (
    ("Depot Mission Bay", PlaceKind.DEPOT, 37.7706, -122.3910, 350),
    ("Embarcadero Market", PlaceKind.CUSTOMER, 37.7955, -122.3937, 250),
    ("Charge Park SoMa", PlaceKind.CHARGER, 37.7786, -122.4056, 200),
)
# States of single vehicles. The others are parked and locked.
STATES: dict[int, dict[str, Any]] = {
    SHOWN_INDEX: {"state_of_charge": 64, "charge_limit": 80, "plugged_in": True, "charging": True},
    2: {"is_locked": False},
    3: {"state_of_charge": 12},
    5: {"state_of_charge": 41, "plugged_in": True, "charging": True},
}
PARKED: dict[str, Any] = {
    "speed": 0,
    "asleep": False,
    "reachable": True,
    "is_locked": True,
    "doors": [],
    "charging": False,
    "plugged_in": False,
}


def build(simulator_url: str) -> tuple[Fleet, User]:
    """Create and return the fleet and its owner. The site must be running, because the simulator delivers to it."""
    owner = User.objects.create_user(
        "morgan@bay-couriers.example", PASSWORD, first_name="Morgan", last_name="Reyes"
    )
    fleet = create_fleet(
        name="Bay Couriers", slug="bay-couriers", owner=owner, api_version=SmartcarApiVersion.V3
    )
    fleet.time_zone = CITY
    fleet.save()
    _members(fleet, owner)
    for name, kind, latitude, longitude, radius in PLACES:
        Place.objects.create(
            fleet=fleet, name=name, kind=kind, latitude=latitude, longitude=longitude, radius=radius
        )
    vehicles = _vehicles(simulator_url, fleet=fleet, owner=owner)
    _history(vehicles)
    _usage(fleet, vehicles)
    _raise_alerts(vehicles)
    _command_history(fleet, owner, vehicles)
    for driver in ("Grace Liu", "Hugo Martin"):
        invited(fleet=fleet, user=owner, driver_name=driver)
    return fleet, owner


def _members(fleet: Fleet, owner: User) -> None:
    for email, first, last, role in (
        ("sam@bay-couriers.example", "Sam", "Okafor", Role.MANAGER),
        ("kim@bay-couriers.example", "Kim", "Larsen", Role.VIEWER),
    ):
        user = User.objects.create_user(email, first_name=first, last_name=last)
        add_member(fleet=fleet, user=user, role=role, actor=owner)


def _vehicles(simulator_url: str, *, fleet: Fleet, owner: User) -> list[Vehicle]:
    """Connect and subscribe vehicles of different makes, and return them after their first deliveries."""
    register_webhook(simulator_url, f"{settings.SITE_URL}/webhooks/smartcar/")
    candidates = httpx.get(f"{simulator_url}/control/vehicles", timeout=30).json()["vehicles"]
    by_make: dict[str, list[dict[str, Any]]] = {}
    # Parked vehicles first, because the state of a driving vehicle can't be changed.
    for candidate in sorted(candidates, key=lambda each: bool(each["state"]["driving"])):
        by_make.setdefault(candidate["make"], []).append(candidate)
    mixed = [vehicles[index] for index in range(3) for vehicles in by_make.values() if index < len(vehicles)]
    # Electric vehicles first, because they report the most data.
    mixed = sorted(mixed[: 2 * VEHICLE_COUNT], key=lambda candidate: candidate["powertrain"] != "BEV")[
        :VEHICLE_COUNT
    ]
    for number, candidate in enumerate(mixed):
        _set_state(simulator_url, candidate["id"], PARKED)
        _set_state(simulator_url, candidate["id"], STATES.get(number, {}))
        for connection in connect(
            simulator_url, fleet=fleet, user=owner, vehicleIds=[candidate["id"]]
        ).connections:
            subscribe(connection)
            body = {"vehicleId": candidate["id"]}
            httpx.post(f"{simulator_url}/control/deliver", json=body, timeout=30).raise_for_status()
    _wait_for_deliveries(fleet)
    vehicles = list(Vehicle.objects.filter(fleet=fleet).order_by("pk"))
    for number, vehicle in enumerate(vehicles):
        vehicle.name = f"Courier {number + 1:02}"
        vehicle.plate = f"8{vehicle.smartcar_id[:3].upper()}{100 + 37 * number % 900}"
        vehicle.driver = DRIVERS[number % len(DRIVERS)] if number % 4 else ""
        vehicle.group = GROUPS[number % len(GROUPS)]
        vehicle.save(update_fields=["name", "plate", "driver", "group"])
    return vehicles


def _set_state(simulator_url: str, vehicle_id: str, state: dict[str, Any]) -> None:
    """Set the vehicle's state. Values that its powertrain doesn't support are ignored."""
    for name, value in state.items():
        httpx.patch(f"{simulator_url}/control/vehicles/{vehicle_id}", json={name: value}, timeout=30)


def _wait_for_deliveries(fleet: Fleet) -> None:
    deadline = time.monotonic() + 60
    while Vehicle.objects.filter(fleet=fleet, last_seen_at=None).exists():
        processing.process_waiting()
        assert time.monotonic() < deadline, "not every car was delivered"
        time.sleep(0.2)
    processing.process_waiting()


def _history(vehicles: list[Vehicle]) -> None:
    """Store a month of driving by day and charging by night, up to the last reported values."""
    for vehicle in vehicles:
        rng = random.Random(vehicle.pk)
        latest = {each.code: each.value for each in LatestSignal.objects.filter(vehicle=vehicle)}
        readings: list[NewReading] = []
        charge = float(latest.get(catalogue.STATE_OF_CHARGE.code) or 60)
        odometer = float(latest.get(catalogue.ODOMETER.code) or 20_000)
        now = timezone.now()
        # Backwards from now: the battery was fuller before a drive, and emptier before a charge.
        for step in range(1, DAYS * 48):
            at = now - timedelta(minutes=30 * step)
            hour = at.astimezone(ZoneInfo(CITY)).hour
            driven = 7 <= hour < 19 and rng.random() < 0.55
            charging = (hour < 6 or hour >= 21) and charge > 30
            if driven:
                used = rng.uniform(2, 6)
                charge, odometer = min(95.0, charge + used), odometer - used * 4
            elif charging:
                charge = max(28.0, charge - rng.uniform(4, 9))
            values: dict[Signal, float | bool] = {
                catalogue.STATE_OF_CHARGE: round(charge, 1),
                catalogue.RANGE: round(charge * 4.1, 1),
                catalogue.ODOMETER: round(odometer, 1),
                catalogue.EXTERNAL_TEMPERATURE: round(9 + 6 * sin(pi * (hour - 8) / 12), 1),
                catalogue.IS_CHARGING: charging,
            }
            readings += [
                _reading(vehicle, signal, value, at)
                for signal, value in values.items()
                if signal.code in latest
            ]
        insert_readings(readings=readings)


def _reading(vehicle: Vehicle, signal: Signal, value: float | bool, at: datetime) -> NewReading:
    unit = {"unit": signal.unit.value} if signal.unit else {}
    return NewReading(vehicle.pk, signal.code, at, {"value": value} | unit)


def _usage(fleet: Fleet, vehicles: list[Vehicle]) -> None:
    """Count API calls of each vehicle for this month."""
    rng = random.Random(1)
    FleetAllowance.objects.create(fleet=fleet, calls=300)
    for vehicle in vehicles:
        for purpose, limit in (
            (CallPurpose.COMMAND, 60),
            (CallPurpose.PERSON, 20),
            (CallPurpose.BACKGROUND, 260),
        ):
            quota.count_calls(vehicle_id=vehicle.pk, purpose=purpose, calls=rng.randint(1, limit))


def _raise_alerts(vehicles: list[Vehicle]) -> None:
    """Raise two alerts: one driver must sign in again, and one battery is low."""
    connection = Connection.objects.get(vehicle=vehicles[7])
    with transaction.atomic():
        connection.move_to(
            ConnectionState.NEEDS_REAUTHENTICATION,
            now=timezone.now(),
            evidence=StateEvidence.REQUEST.message(request="7f3c"),
        )
    battery = {"level": 12.0, "threshold": 20, "fuel": False}
    conditions = [
        AlertCondition(
            AlertType.CONNECTION,
            connection.fleet_id,
            connection.vehicle_id,
            connection.pk,
            payload={"state": connection.state},
        ),
        AlertCondition(
            AlertType.BATTERY, connection.fleet_id, vehicles[3].pk, vehicles[3].pk, payload=battery
        ),
    ]
    alerts.raise_alerts(conditions=conditions, now=timezone.now() - timedelta(minutes=40))


def _command_history(fleet: Fleet, owner: User, vehicles: list[Vehicle]) -> None:
    """Create the commands of a morning, with different results."""
    now = timezone.now()
    rows: tuple[tuple[Vehicle, CommandType, dict[str, Any], CommandState, str], ...] = (
        (vehicles[SHOWN_INDEX], CommandType.START_CHARGE, {}, CommandState.CONFIRMED, ""),
        (vehicles[0], CommandType.LOCK, {}, CommandState.CONFIRMED, ""),
        (vehicles[4], CommandType.UNLOCK, {}, CommandState.CONFIRMED, ""),
        (vehicles[6], CommandType.LOCK, {}, CommandState.UNCONFIRMED, ""),
        (vehicles[SHOWN_INDEX], CommandType.SET_CHARGE_LIMIT, {"percent": 80}, CommandState.CONFIRMED, ""),
        (vehicles[8], CommandType.LOCK, {}, CommandState.EXPIRED, ""),
        (vehicles[SHOWN_INDEX], CommandType.LOCK, {}, CommandState.CONFIRMED, ""),
    )
    for number, (vehicle, kind, parameters, state, message) in enumerate(rows):
        at = now - timedelta(minutes=11 * (len(rows) - number))
        command = Command.objects.create(
            fleet=fleet,
            vehicle=vehicle,
            kind=kind,
            parameters=parameters,
            api_version=fleet.api_version,
            state=state,
            smartcar_message=message,
            reason="Parcel left inside" if kind == CommandType.UNLOCK else "",
            requested_by=owner,
            requested_at=at,
            sent_at=at,
            settled_at=at + timedelta(seconds=4),
            expires_at=at + timedelta(minutes=10),
        )
        command.log_transition(to=CommandState.REQUESTED, now=at)
        command.log_transition(to=state, now=at + timedelta(seconds=4), smartcar_message=message)
