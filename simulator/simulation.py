"""The state of one application in a running simulator, and the rules that involve several parts of that state."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from simulator.clock import Clock
from simulator.connections import Connection, Connections, User
from simulator.deliveries import WebhookSender
from simulator.event_feed import EventFeed
from simulator.fault_injection import Faults
from simulator.limits import Limits
from simulator.load.process import Load
from simulator.polling import Poller
from simulator.request_log import RequestLog
from simulator.settings import Settings
from simulator.tokens import TokenStore
from simulator.vehicles import CATALOGUE, Fleet, Vehicle
from simulator.webhooks import Webhooks

DIGITAL_KEY = "connectivitystatus-isdigitalkeypaired"
ForcedError = tuple[str, str | None]


@dataclass(slots=True)
class Simulation:
    """The state of one application. Create the first with ``create_simulation``."""

    settings: Settings
    clock: Clock
    fleet: Fleet
    faults: Faults
    connections: Connections
    tokens: TokenStore
    webhooks: Webhooks
    limits: Limits
    sender: WebhookSender
    requests: RequestLog
    load: Load = field(default_factory=Load)
    capacities: dict[str, float] = field(default_factory=dict)
    capacity_tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    feed: EventFeed = field(init=False)
    poller: Poller = field(init=False)
    changed: bool = False
    latencies: Random = field(init=False)

    def __post_init__(self) -> None:
        self.feed = EventFeed(self)
        self.poller = Poller(self)
        self.latencies = Random(self.settings.seed)  # noqa: S311 - repeatable runs

    def now(self) -> float:
        """Return the simulated time in epoch seconds."""
        return self.clock.now()

    def vehicle(self, vehicle_id: str) -> Vehicle | None:
        """Return the vehicle with this id, or None."""
        return self.fleet.vehicles.get(vehicle_id)

    def account_error(self, *, user_id: str, vehicle_id: str) -> ForcedError | None:
        """Return the present error of the driver's account or of the whole make, or None."""
        user = self.connections.users.get(user_id)
        forced = self.faults.forced_error() or (user.error if user else None)
        if forced:
            return forced
        expired = self.faults.reauthenticate
        if user_id in expired or vehicle_id in expired:
            return ("CONNECTED_SERVICES_ACCOUNT", "AUTHENTICATION_FAILED")
        vehicle = self.vehicle(vehicle_id)
        if vehicle is None:
            return ("CONNECTED_SERVICES_ACCOUNT", "VEHICLE_MISSING")
        if vehicle.make in self.faults.outage:
            return ("UPSTREAM", "NO_RESPONSE")
        return None

    def key_paired(self, vehicle: Vehicle) -> bool:
        """Return whether the digital key that some makes require is paired. True for vehicles that need none."""
        if {vehicle.id, vehicle.make} & set(self.faults.virtual_key_missing):
            return False
        body = vehicle.signal(DIGITAL_KEY, now=self.now()).body
        return body is None or bool(body["value"])

    def beyond_plan(self, vehicle_id: str) -> bool:
        """Return whether the vehicle exceeds the plan's limit. The vehicles connected first are within the limit."""
        limit = self.settings.vehicle_limit
        if not limit:
            return False
        order = list(dict.fromkeys(each.vehicle_id for each in self.connections.by_key.values()))
        return vehicle_id in order[limit:]

    def permits(self, connection: Connection, permission: str) -> bool:
        """Return whether the driver granted the permission and it hasn't been revoked since."""
        return permission in connection.permissions and permission not in self.faults.revoked_permissions

    def reauthenticate_url(self, vehicle_id: str) -> str:
        """Return the partly filled address in the resolution of an AUTHENTICATION_FAILED error."""
        application = self.settings.credentials.application_id
        return (
            f"{self.settings.origin}/connect/oauth/reauthenticate"
            f"?response_type=vehicle_id&client_id={application}&vehicle_id={vehicle_id}"
        )

    def capacity_url(self, vehicle_id: str) -> str:
        """Return an address where the driver can choose the battery capacity, valid for 30 days."""
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
        """Connect vehicles to the application. Webhooks with automatic subscription subscribe them."""
        now = self.now()
        granted = [
            self.connections.grant(
                user_id=user.id, vehicle_id=each, permissions=permissions, mode=mode, now=now
            )
            for each in vehicle_ids
        ]
        for connection in granted:
            self.feed.auto_subscribe(connection)
        self.changed = True
        return granted

    def disconnect(self, connection: Connection, *, revoke_tokens: bool = True) -> None:
        """Remove one connection with its tokens (unless told otherwise), subscriptions and stored signals."""
        self.connections.remove(connection)
        if revoke_tokens:
            self.tokens.revoke_vehicle(user_id=connection.user_id, vehicle_id=connection.vehicle_id)
        for each in self.webhooks.for_vehicle(connection.vehicle_id, user_id=connection.user_id):
            self.webhooks.unsubscribe(each)
        self.feed.store.pop((connection.user_id, connection.vehicle_id), None)
        self.changed = True

    def remove_user(self, user_id: str) -> None:
        """Remove a driver with all data."""
        for each in self.connections.select(user_id=user_id):
            self.disconnect(each)
        self.tokens.revoke_user(user_id=user_id)
        self.connections.users.pop(user_id, None)

    def reset(self, *, webhooks: bool) -> None:
        """Remove grants, tokens, subscriptions, faults and requests, and webhooks if requested.

        Held vehicles return to their seeded plans. With ``settings.hold_all`` every vehicle returns to its state at
        the start and is held again.
        """
        self.connections.clear()
        self.tokens.clear()
        self.webhooks.clear(webhooks=webhooks)
        self.limits.clear()
        self.faults.clear()
        self.requests.clear()
        self.sender.clear()
        self.feed.clear()
        self.poller.clear()
        self.capacities.clear()
        self.capacity_tokens.clear()
        if self.settings.hold_all:
            self.fleet.hold_as_started(now=self.now())
        else:
            self.fleet.reset_plans()
        self.changed = True

    def snapshot(self) -> dict[str, Any]:
        """Return everything except the fleet that must survive a restart. orjson can write it with sets as lists."""
        return {
            "offset": self.clock.offset(),
            "speed": self.clock.speed,
            "connections": self.connections.snapshot(),
            "tokens": self.tokens.snapshot(),
            "webhooks": self.webhooks.snapshot(),
            "limits": self.limits.snapshot(),
            "troubles": self.faults.as_json(),
            "capacities": self.capacities,
            "capacityTokens": self.capacity_tokens,
            "signals": self.feed.snapshot(),
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Restore what ``snapshot`` returned."""
        self.clock.restore(offset=saved["offset"])
        self.connections.restore(saved["connections"])
        self.tokens.restore(saved["tokens"])
        self.webhooks.restore(saved["webhooks"])
        self.limits.restore(saved["limits"])
        self.faults.configure(saved["troubles"])
        self.capacities = dict(saved["capacities"])
        self.capacity_tokens = {key: (each[0], each[1]) for key, each in saved["capacityTokens"].items()}
        self.feed.restore(saved["signals"])


def create_simulation(settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> Simulation:
    """Return a new simulation without connections. ``transport`` carries its deliveries."""
    clock = Clock(speed=settings.speed) if settings.start is None else Clock(settings.speed, settings.start)
    faults = Faults()
    faults.configure(settings.faults)
    start = clock.now()
    fleet = Fleet(
        seed=settings.seed,
        vehicles=settings.vehicles,
        start=start,
        plan_start=settings.plan_start,
        munich=settings.munich,
    )
    if settings.hold_all:
        fleet.hold_as_started(now=start)
    return Simulation(
        settings=settings,
        clock=clock,
        fleet=fleet,
        faults=faults,
        connections=Connections(),
        tokens=TokenStore(reuse=settings.refresh_reuse),
        webhooks=Webhooks(),
        limits=Limits(settings=settings, clock=clock),
        sender=WebhookSender(settings=settings, clock=clock, faults=faults, transport=transport),
        requests=RequestLog(),
    )


def applicable_permissions(vehicle: Vehicle) -> set[str]:
    """Return the permissions that apply to this vehicle: those with a signal or a command."""
    found = {entry.permission for code, entry in CATALOGUE.items() if vehicle.supports(code)}
    found |= {"control_security", "control_navigation"}
    if vehicle.powertrain != "ICE":
        found |= {"control_charge", "read_charge_events", "read_charge_locations"}
    return found
