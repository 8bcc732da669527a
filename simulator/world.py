"""Everything one running simulator holds, and the rules that need several parts of it at once."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from simulator.cars import CATALOGUE, Car, Garage
from simulator.clock import Clock
from simulator.connections import Connection, Connections, User
from simulator.deliveries import Courier
from simulator.feed import Feed
from simulator.limits import Limits
from simulator.load.process import Load
from simulator.requestlog import RequestLog
from simulator.settings import Settings
from simulator.tokens import TokenBook
from simulator.troubles import Troubles
from simulator.watching import Watch
from simulator.webhooks import Webhooks

DIGITAL_KEY = "connectivitystatus-isdigitalkeypaired"
ForcedError = tuple[str, str | None]


@dataclass(slots=True)
class World:
    """The simulator's memory. Build it with ``make_world``."""

    settings: Settings
    clock: Clock
    garage: Garage
    troubles: Troubles
    connections: Connections
    tokens: TokenBook
    webhooks: Webhooks
    limits: Limits
    courier: Courier
    requests: RequestLog
    load: Load = field(default_factory=Load)
    capacities: dict[str, float] = field(default_factory=dict)
    capacity_tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    feed: Feed = field(init=False)
    watch: Watch = field(init=False)
    changed: bool = False

    def __post_init__(self) -> None:
        self.feed = Feed(self)
        self.watch = Watch(self)

    def now(self) -> float:
        """Simulated epoch seconds."""
        return self.clock.now()

    def car(self, vehicle_id: str) -> Car | None:
        """The car with that vehicle id, or None."""
        return self.garage.cars.get(vehicle_id)

    def account_error(self, *, user_id: str, vehicle_id: str) -> ForcedError | None:
        """What is wrong with the driver's account or the whole make just now, or None."""
        user = self.connections.users.get(user_id)
        forced = self.troubles.forced_error() or (user.error if user else None)
        if forced:
            return forced
        expired = self.troubles.reauthenticate
        if user_id in expired or vehicle_id in expired:
            return ("CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED")
        car = self.car(vehicle_id)
        if car is None:
            return ("CONNECTED_SERVICES_ACCOUNT", "VEHICLE_MISSING")
        if car.make in self.troubles.outage:
            return ("UPSTREAM", "NO_RESPONSE")
        return None

    def key_paired(self, car: Car) -> bool:
        """Whether the digital key that some makes ask for is paired; true for cars that need none."""
        if {car.id, car.make} & set(self.troubles.virtual_key_missing):
            return False
        body = car.signal(DIGITAL_KEY, now=self.now()).body
        return body is None or bool(body["value"])

    def beyond_plan(self, vehicle_id: str) -> bool:
        """Whether the car is one more than the plan allows; those connected first are within it."""
        most = self.settings.vehicle_limit
        if not most:
            return False
        order = list(dict.fromkeys(each.vehicle_id for each in self.connections.by_key.values()))
        return vehicle_id in order[most:]

    def permits(self, connection: Connection, permission: str) -> bool:
        """Whether the driver granted it and it was not revoked since."""
        return permission in connection.permissions and permission not in self.troubles.revoked_permissions

    def reauthenticate_url(self, vehicle_id: str) -> str:
        """The partly filled address an AUTHENTICATION_FAILED error carries in its resolution."""
        application = self.settings.credentials.application_id
        return (
            f"{self.settings.origin}/connect/oauth/reauthenticate"
            f"?response_type=vehicle_id&client_id={application}&vehicle_id={vehicle_id}"
        )

    def capacity_url(self, vehicle_id: str) -> str:
        """An address where the driver can choose the battery capacity; valid for 30 days."""
        token = secrets.token_urlsafe(24)
        self.capacity_tokens[token] = (vehicle_id, self.now() + 30 * 86400)
        application = self.settings.credentials.application_id
        return (
            f"{self.settings.origin}/connect/battery-capacity?vehicle_id={vehicle_id}"
            f"&client_id={application}&token={token}&response_type=vehicle_id&redirect_uri="
        )

    def grant(
        self, *, user: User, vehicle_ids: Iterable[str], permissions: tuple[str, ...], mode: str
    ) -> list[Connection]:
        """Connect cars to the application; webhooks that enrol by themselves subscribe them."""
        now = self.now()
        made = [
            self.connections.grant(
                user_id=user.id, vehicle_id=each, permissions=permissions, mode=mode, now=now
            )
            for each in vehicle_ids
        ]
        for connection in made:
            self.feed.enrol(connection)
        self.changed = True
        return made

    def disconnect(self, connection: Connection) -> None:
        """Undo one connection: its tokens, its subscriptions, its stored signals."""
        self.connections.remove(connection)
        self.tokens.revoke_vehicle(user_id=connection.user_id, vehicle_id=connection.vehicle_id)
        for each in self.webhooks.of_vehicle(connection.vehicle_id, user_id=connection.user_id):
            self.webhooks.unsubscribe(each)
        self.feed.store.pop((connection.user_id, connection.vehicle_id), None)
        self.changed = True

    def remove_user(self, user_id: str) -> None:
        """Forget a driver with everything of theirs."""
        for each in self.connections.select(user_id=user_id):
            self.disconnect(each)
        self.tokens.revoke_user(user_id=user_id)
        self.connections.users.pop(user_id, None)

    def reset(self, *, webhooks: bool) -> None:
        """Forget grants, tokens, subscriptions, troubles and requests; webhooks only if asked."""
        self.connections.clear()
        self.tokens.clear()
        self.webhooks.clear(webhooks=webhooks)
        self.limits.clear()
        self.troubles.clear()
        self.requests.clear()
        self.courier.forget()
        self.feed.clear()
        self.watch.clear()
        self.capacities.clear()
        self.capacity_tokens.clear()
        self.changed = True

    def snapshot(self) -> dict[str, Any]:
        """Everything but the garage that a restart must not lose, as orjson can write it with sets as lists."""
        return {
            "offset": self.clock.offset(),
            "speed": self.clock.speed,
            "connections": self.connections.snapshot(),
            "tokens": self.tokens.snapshot(),
            "webhooks": self.webhooks.snapshot(),
            "limits": self.limits.snapshot(),
            "troubles": self.troubles.as_json(),
            "capacities": self.capacities,
            "capacityTokens": self.capacity_tokens,
            "signals": self.feed.snapshot(),
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Take back what ``snapshot`` gave."""
        self.clock.restore(offset=saved["offset"])
        self.connections.restore(saved["connections"])
        self.tokens.restore(saved["tokens"])
        self.webhooks.restore(saved["webhooks"])
        self.limits.restore(saved["limits"])
        self.troubles.switch(saved["troubles"])
        self.capacities = dict(saved["capacities"])
        self.capacity_tokens = {key: (each[0], each[1]) for key, each in saved["capacityTokens"].items()}
        self.feed.restore(saved["signals"])


def make_world(settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> World:
    """A fresh world of ``settings.vehicles`` cars, no driver connected yet. ``transport`` carries its deliveries."""
    clock = Clock(speed=settings.speed) if settings.start is None else Clock(settings.speed, settings.start)
    troubles = Troubles()
    troubles.switch(settings.troubles)
    return World(
        settings=settings,
        clock=clock,
        garage=Garage(seed=settings.seed, vehicles=settings.vehicles, start=clock.now()),
        troubles=troubles,
        connections=Connections(),
        tokens=TokenBook(reuse=settings.refresh_reuse),
        webhooks=Webhooks(),
        limits=Limits(settings=settings, clock=clock),
        courier=Courier(settings=settings, clock=clock, troubles=troubles, transport=transport),
        requests=RequestLog(),
    )


def permissions_of(car: Car) -> set[str]:
    """The permissions that mean something for this car: it has a signal or a command behind them."""
    found = {entry.permission for code, entry in CATALOGUE.items() if car.supports(code)}
    found |= {"control_security", "control_navigation"}
    if car.powertrain != "ICE":
        found |= {"control_charge", "read_charge_events", "read_charge_locations"}
    return found
