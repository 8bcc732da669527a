"""Makes the demo's people and fleets, and connects cars of the simulator through the real Connect flow."""

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import environ
import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Fleet, SmartcarApiVersion, User
from accounts.services import create_fleet
from connect import oauth
from connect.models import Connection
from connect.oauth_errors import AuthorizationFailedError
from vehicles.models import Place, PlaceKind, Vehicle

OTHER_FLEET_CARS = 3
# Where the simulator's cars go, in the world of the demo's seed.
PLACES = (
    ("Depot Sunset", PlaceKind.DEPOT, 37.76819, -122.49912),
    ("Depot Visitacion Valley", PlaceKind.DEPOT, 37.71414, -122.41533),
    ("Depot Presidio", PlaceKind.DEPOT, 37.79214, -122.45994),
    ("Depot Lakeside", PlaceKind.DEPOT, 37.71485, -122.47313),
    ("Charger Parkside", PlaceKind.CHARGER, 37.74029, -122.47696),
    ("Charger Pacific Heights", PlaceKind.CHARGER, 37.79128, -122.42973),
    ("Charger SoMa", PlaceKind.CHARGER, 37.78271, -122.4026),
)


class Command(BaseCommand):
    help = "Makes the demo's people and fleets and connects cars; what is there already is left as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is not a demo (DEMO is not true), so no demo fleet is made.")
        env = environ.Env()
        boss = _user(email=env("DEMO_EMAIL"), password=env("DEMO_PASSWORD"), name="Morgan Reyes", staff=True)
        other = _user(
            email=env("DEMO_OTHER_EMAIL"), password=env("DEMO_OTHER_PASSWORD"), name="Sam Okafor", staff=False
        )
        fleets = [
            (
                _fleet("Bay Couriers", "bay-couriers", boss, settings.SMARTCAR_API_VERSION),
                boss,
                env.int("DEMO_VEHICLES", 12),
            ),
            (
                _fleet("Harbor Rentals", "harbor-rentals", other, SmartcarApiVersion.V2),
                other,
                OTHER_FLEET_CARS,
            ),
        ]
        _name_places(fleets[0][0])
        with httpx.Client(base_url=_simulator(), timeout=30) as simulator:
            accounts = _accounts(simulator)
            for fleet, owner, wanted in fleets:
                connected = _connect_cars(simulator, accounts, fleet=fleet, owner=owner, wanted=wanted)
                _name_cars(fleet)
                self.stdout.write(f"{fleet}: {connected} cars")


def _simulator() -> str:
    return str(settings.SMARTCAR_ORIGINS["connect"]).removesuffix("/connect")


def _user(*, email: str, password: str, name: str, staff: bool) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        first, last = name.split()
        make = User.objects.create_superuser if staff else User.objects.create_user
        return make(email, password, first_name=first, last_name=last)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def _fleet(name: str, slug: str, owner: User, api_version: str) -> Fleet:
    known = Fleet.objects.filter(slug=slug).first()
    return known or create_fleet(name=name, slug=slug, owner=owner, api_version=api_version)


def _accounts(simulator: httpx.Client) -> Iterator[list[str]]:
    """The cars of one maker's account after the other, those of connected ones left out."""
    connected = set(Connection.objects.values_list("vehicle__smartcar_id", flat=True))
    by_account: dict[str, list[str]] = {}
    for car in simulator.get("/control/vehicles").raise_for_status().json()["vehicles"]:
        by_account.setdefault(car["account"], []).append(car["id"])
    return iter([cars for cars in by_account.values() if not connected & set(cars)])


def _connect_cars(
    simulator: httpx.Client, accounts: Iterator[list[str]], *, fleet: Fleet, owner: User, wanted: int
) -> int:
    count = Connection.objects.filter(fleet=fleet).count()
    while count < wanted:
        cars = next(accounts, None)
        if cars is None:
            break
        try:
            arrival = _drive_through_connect(simulator, fleet=fleet, owner=owner, cars=cars[: wanted - count])
        except AuthorizationFailedError as refusal:
            raise CommandError(
                f"The simulator's cars could not be connected: {refusal.error.text}"
            ) from refusal
        count += len(arrival.connections)
    return count


def _drive_through_connect(
    simulator: httpx.Client, *, fleet: Fleet, owner: User, cars: list[str]
) -> oauth.CallbackResult:
    session = secrets.token_urlsafe(32)
    url = oauth.start(fleet=fleet, user=owner, session_secret=session)
    answer = simulator.post("/control/grants", json={"url": url, "vehicleIds": cars}).raise_for_status()
    params = dict(parse_qsl(urlsplit(answer.json()["redirect"]).query))
    return oauth.handle_callback(params=params, user=owner, session_secret=session)


def _name_places(fleet: Fleet) -> None:
    if not Place.objects.filter(fleet=fleet).exists():
        Place.objects.bulk_create(
            Place(fleet=fleet, name=name, kind=kind, latitude=latitude, longitude=longitude, radius=200)
            for name, kind, latitude, longitude in PLACES
        )


def _name_cars(fleet: Fleet) -> None:
    for number, car in enumerate(Vehicle.objects.filter(fleet=fleet).order_by("pk"), start=1):
        if not car.plate:
            car.plate = f"8{car.smartcar_id[:3].upper()}{100 + car.pk % 900}"
            car.name = f"{fleet.name.split()[1].rstrip('s')} {number:02}"
            car.save(update_fields=["plate", "name"])
