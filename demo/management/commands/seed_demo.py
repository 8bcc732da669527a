"""Creates the demo's users and fleets, and connects vehicles of the simulator through the real Connect flow."""

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

OTHER_FLEET_VEHICLES = 3
# Places where the simulator's vehicles go with the demo's seed.
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
    help = "Creates the demo's users and fleets and connects vehicles. Existing ones stay unchanged."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This isn't a demo (DEMO is not true), so no demo fleet is created.")
        env = environ.Env()
        manager = _user(
            email=env("DEMO_EMAIL"), password=env("DEMO_PASSWORD"), name="Morgan Reyes", staff=True
        )
        other = _user(
            email=env("DEMO_OTHER_EMAIL"), password=env("DEMO_OTHER_PASSWORD"), name="Sam Okafor", staff=False
        )
        fleets = [
            (
                _fleet("Bay Couriers", "bay-couriers", manager, settings.SMARTCAR_API_VERSION),
                manager,
                env.int("DEMO_VEHICLES", 12),
            ),
            (
                _fleet("Harbor Rentals", "harbor-rentals", other, SmartcarApiVersion.V2),
                other,
                OTHER_FLEET_VEHICLES,
            ),
        ]
        _create_places(fleets[0][0])
        with httpx.Client(base_url=_simulator(), timeout=30) as simulator:
            accounts = _accounts(simulator)
            for fleet, owner, target in fleets:
                connected = _connect_vehicles(simulator, accounts, fleet=fleet, owner=owner, target=target)
                _name_vehicles(fleet)
                self.stdout.write(f"{fleet}: {connected} vehicles")


def _simulator() -> str:
    return str(settings.SMARTCAR_ORIGINS["connect"]).removesuffix("/connect")


def _user(*, email: str, password: str, name: str, staff: bool) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        first, last = name.split()
        create = User.objects.create_superuser if staff else User.objects.create_user
        return create(email, password, first_name=first, last_name=last)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def _fleet(name: str, slug: str, owner: User, api_version: str) -> Fleet:
    existing = Fleet.objects.filter(slug=slug).first()
    return existing or create_fleet(name=name, slug=slug, owner=owner, api_version=api_version)


def _accounts(simulator: httpx.Client) -> Iterator[list[str]]:
    """Yields the vehicles of each manufacturer account, without accounts that have connected vehicles."""
    connected = set(Connection.objects.values_list("vehicle__smartcar_id", flat=True))
    by_account: dict[str, list[str]] = {}
    for vehicle in simulator.get("/control/vehicles").raise_for_status().json()["vehicles"]:
        by_account.setdefault(vehicle["account"], []).append(vehicle["id"])
    return iter([vehicle_ids for vehicle_ids in by_account.values() if not connected & set(vehicle_ids)])


def _connect_vehicles(
    simulator: httpx.Client, accounts: Iterator[list[str]], *, fleet: Fleet, owner: User, target: int
) -> int:
    count = Connection.objects.filter(fleet=fleet).count()
    while count < target:
        vehicle_ids = next(accounts, None)
        if vehicle_ids is None:
            break
        try:
            result = _run_connect_flow(
                simulator, fleet=fleet, owner=owner, vehicle_ids=vehicle_ids[: target - count]
            )
        except AuthorizationFailedError as refusal:
            raise CommandError(
                f"The simulator's vehicles couldn't be connected: {refusal.error.text}"
            ) from refusal
        count += len(result.connections)
    return count


def _run_connect_flow(
    simulator: httpx.Client, *, fleet: Fleet, owner: User, vehicle_ids: list[str]
) -> oauth.CallbackResult:
    session = secrets.token_urlsafe(32)
    url = oauth.start(fleet=fleet, user=owner, session_secret=session)
    response = simulator.post(
        "/control/grants", json={"url": url, "vehicleIds": vehicle_ids}
    ).raise_for_status()
    params = dict(parse_qsl(urlsplit(response.json()["redirect"]).query))
    return oauth.handle_callback(params=params, user=owner, session_secret=session)


def _create_places(fleet: Fleet) -> None:
    if not Place.objects.filter(fleet=fleet).exists():
        Place.objects.bulk_create(
            Place(fleet=fleet, name=name, kind=kind, latitude=latitude, longitude=longitude, radius=200)
            for name, kind, latitude, longitude in PLACES
        )


def _name_vehicles(fleet: Fleet) -> None:
    for number, vehicle in enumerate(Vehicle.objects.filter(fleet=fleet).order_by("pk"), start=1):
        if not vehicle.plate:
            vehicle.plate = f"8{vehicle.smartcar_id[:3].upper()}{100 + vehicle.pk % 900}"
            vehicle.name = f"{fleet.name.split()[1].rstrip('s')} {number:02}"
            vehicle.save(update_fields=["plate", "name"])
