"""A courier's fleet around the Bay in the middle of its day, for the screenshots of the documentation."""

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
CARS = 12
DAYS = 30
# The car whose pages are shown: it charges.
SHOWN = 1
PASSWORD = "a long enough passphrase"
DRIVERS = ("Amara Diallo", "Ben Ortiz", "Chloe Nguyen", "Dev Patel", "Elena Rossi", "Farid Khan")
GROUPS = ("North", "South", "Pool")
PLACES = (
    ("Depot Mission Bay", PlaceKind.DEPOT, 37.7706, -122.3910, 350),
    ("Embarcadero Market", PlaceKind.CUSTOMER, 37.7955, -122.3937, 250),
    ("Charge Park SoMa", PlaceKind.CHARGER, 37.7786, -122.4056, 200),
)
# What single cars are up to; the others stand locked.
DOINGS: dict[int, dict[str, Any]] = {
    SHOWN: {"state_of_charge": 64, "charge_limit": 80, "plugged_in": True, "charging": True},
    2: {"is_locked": False},
    3: {"state_of_charge": 12},
    5: {"state_of_charge": 41, "plugged_in": True, "charging": True},
}
CALM: dict[str, Any] = {
    "speed": 0,
    "asleep": False,
    "reachable": True,
    "is_locked": True,
    "doors": [],
    "charging": False,
    "plugged_in": False,
}


def build(simulator_url: str) -> tuple[Fleet, User]:
    """The fleet and its owner. The simulator delivers to the site, which has to be up. Writes to the database."""
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
    cars = _cars(simulator_url, fleet=fleet, owner=owner)
    _history(cars)
    _usage(fleet, cars)
    _troubles(cars)
    _ledger(fleet, owner, cars)
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


def _cars(simulator_url: str, *, fleet: Fleet, owner: User) -> list[Vehicle]:
    """Cars connected, subscribed and delivered, makes mixed."""
    register_webhook(simulator_url, f"{settings.SITE_URL}/webhooks/smartcar/")
    known = httpx.get(f"{simulator_url}/control/vehicles", timeout=30).json()["vehicles"]
    by_make: dict[str, list[dict[str, Any]]] = {}
    # Those that stand come first: nothing can be done to one that drives.
    for car in sorted(known, key=lambda each: bool(each["state"]["driving"])):
        by_make.setdefault(car["make"], []).append(car)
    mixed = [cars[turn] for turn in range(3) for cars in by_make.values() if turn < len(cars)]
    # Electric ones in front: they have most to show.
    mixed = sorted(mixed[: 2 * CARS], key=lambda car: car["powertrain"] != "BEV")[:CARS]
    for number, car in enumerate(mixed):
        _put(simulator_url, car["id"], CALM)
        _put(simulator_url, car["id"], DOINGS.get(number, {}))
        for connection in connect(simulator_url, fleet=fleet, user=owner, vehicleIds=[car["id"]]).connections:
            subscribe(connection)
            body = {"vehicleId": car["id"]}
            httpx.post(f"{simulator_url}/control/deliver", json=body, timeout=30).raise_for_status()
    _wait_for_deliveries(fleet)
    cars = list(Vehicle.objects.filter(fleet=fleet).order_by("pk"))
    for number, vehicle in enumerate(cars):
        vehicle.name = f"Courier {number + 1:02}"
        vehicle.plate = f"8{vehicle.smartcar_id[:3].upper()}{100 + 37 * number % 900}"
        vehicle.driver = DRIVERS[number % len(DRIVERS)] if number % 4 else ""
        vehicle.group = GROUPS[number % len(GROUPS)]
        vehicle.save(update_fields=["name", "plate", "driver", "group"])
    return cars


def _put(simulator_url: str, vehicle_id: str, state: dict[str, Any]) -> None:
    """Puts the car into this state; what its drive does not know of is left out."""
    for name, value in state.items():
        httpx.patch(f"{simulator_url}/control/vehicles/{vehicle_id}", json={name: value}, timeout=30)


def _wait_for_deliveries(fleet: Fleet) -> None:
    deadline = time.monotonic() + 60
    while Vehicle.objects.filter(fleet=fleet, last_seen_at=None).exists():
        processing.process_waiting()
        assert time.monotonic() < deadline, "not every car was delivered"
        time.sleep(0.2)
    processing.process_waiting()


def _history(cars: list[Vehicle]) -> None:
    """A month in which each car drives by day and charges by night; it ends with what the car told last."""
    for car in cars:
        chance = random.Random(car.pk)
        latest = {each.code: each.value for each in LatestSignal.objects.filter(vehicle=car)}
        readings: list[NewReading] = []
        charge = float(latest.get(catalogue.STATE_OF_CHARGE.code) or 60)
        odometer = float(latest.get(catalogue.ODOMETER.code) or 20_000)
        now = timezone.now()
        # Backwards from now: before a drive there was more in the battery, before a charge less.
        for step in range(1, DAYS * 48):
            at = now - timedelta(minutes=30 * step)
            hour = at.astimezone(ZoneInfo(CITY)).hour
            driven = 7 <= hour < 19 and chance.random() < 0.55
            charging = (hour < 6 or hour >= 21) and charge > 30
            if driven:
                used = chance.uniform(2, 6)
                charge, odometer = min(95.0, charge + used), odometer - used * 4
            elif charging:
                charge = max(28.0, charge - chance.uniform(4, 9))
            told: dict[Signal, float | bool] = {
                catalogue.STATE_OF_CHARGE: round(charge, 1),
                catalogue.RANGE: round(charge * 4.1, 1),
                catalogue.ODOMETER: round(odometer, 1),
                catalogue.EXTERNAL_TEMPERATURE: round(9 + 6 * sin(pi * (hour - 8) / 12), 1),
                catalogue.IS_CHARGING: charging,
            }
            readings += [
                _reading(car, signal, value, at) for signal, value in told.items() if signal.code in latest
            ]
        insert_readings(readings=readings)


def _reading(car: Vehicle, signal: Signal, value: float | bool, at: datetime) -> NewReading:
    unit = {"unit": signal.unit.value} if signal.unit else {}
    return NewReading(car.pk, signal.code, at, {"value": value} | unit)


def _usage(fleet: Fleet, cars: list[Vehicle]) -> None:
    """What was asked of each car this month."""
    chance = random.Random(1)
    FleetAllowance.objects.create(fleet=fleet, calls=300)
    for car in cars:
        for purpose, most in (
            (CallPurpose.COMMAND, 60),
            (CallPurpose.PERSON, 20),
            (CallPurpose.BACKGROUND, 260),
        ):
            quota.count_calls(vehicle_id=car.pk, purpose=purpose, calls=chance.randint(1, most))


def _troubles(cars: list[Vehicle]) -> None:
    """One driver has to sign in again; one battery is low."""
    lost = Connection.objects.get(vehicle=cars[7])
    with transaction.atomic():
        lost.move_to(
            ConnectionState.NEEDS_REAUTHENTICATION,
            now=timezone.now(),
            evidence=StateEvidence.REQUEST.message(request="7f3c"),
        )
    battery = {"level": 12.0, "threshold": 20, "fuel": False}
    conditions = [
        AlertCondition(
            AlertType.CONNECTION, lost.fleet_id, lost.vehicle_id, lost.pk, payload={"state": lost.state}
        ),
        AlertCondition(AlertType.BATTERY, lost.fleet_id, cars[3].pk, cars[3].pk, payload=battery),
    ]
    alerts.raise_alerts(conditions=conditions, now=timezone.now() - timedelta(minutes=40))


def _ledger(fleet: Fleet, owner: User, cars: list[Vehicle]) -> None:
    """The commands of a morning, one ended in each way that a manager may see."""
    now = timezone.now()
    asked: tuple[tuple[Vehicle, CommandType, dict[str, Any], CommandState, str], ...] = (
        (cars[SHOWN], CommandType.START_CHARGE, {}, CommandState.CONFIRMED, ""),
        (cars[0], CommandType.LOCK, {}, CommandState.CONFIRMED, ""),
        (cars[4], CommandType.UNLOCK, {}, CommandState.CONFIRMED, ""),
        (cars[6], CommandType.LOCK, {}, CommandState.UNCONFIRMED, ""),
        (cars[SHOWN], CommandType.SET_CHARGE_LIMIT, {"percent": 80}, CommandState.CONFIRMED, ""),
        (cars[8], CommandType.LOCK, {}, CommandState.EXPIRED, ""),
        (cars[SHOWN], CommandType.LOCK, {}, CommandState.CONFIRMED, ""),
    )
    for number, (car, kind, parameters, state, message) in enumerate(asked):
        at = now - timedelta(minutes=11 * (len(asked) - number))
        command = Command.objects.create(
            fleet=fleet,
            vehicle=car,
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
