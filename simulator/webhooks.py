"""Webhooks and their subscriptions: what is sent where, for which vehicle of which driver."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# The default selection of a fleet manager in the Dashboard.
FLEET_SIGNALS = (
    "tractionbattery-stateofcharge",
    "tractionbattery-range",
    "tractionbattery-nominalcapacity",
    "charge-ischarging",
    "charge-ischargingcableconnected",
    "charge-ischargingportflapopen",
    "charge-detailedchargingstatus",
    "charge-chargelimits",
    "charge-timetocomplete",
    "charge-wattage",
    "charge-energyadded",
    "charge-isfastchargerpresent",
    "location-preciselocation",
    "location-isathome",
    "odometer-traveleddistance",
    "motion-currentspeed",
    "closure-islocked",
    "closure-doors",
    "closure-windows",
    "closure-fronttrunk",
    "closure-reartrunk",
    "internalcombustionengine-fuellevel",
    "internalcombustionengine-amountremaining",
    "internalcombustionengine-range",
    "internalcombustionengine-oillife",
    "wheel-tires",
    "connectivitystatus-isonline",
    "connectivitystatus-isasleep",
    "lowvoltagebattery-stateofcharge",
    "diagnostics-mil",
    "diagnostics-tirepressure",
    "diagnostics-dtccount",
    "vehicleidentification-vin",
)


@dataclass(slots=True, kw_only=True)
class Webhook:
    """The Dashboard's settings of one webhook. ``variant`` chooses the form of its payloads."""

    id: str
    name: str
    callback_uri: str
    error_callback_uri: str | None
    signals: tuple[str, ...]
    triggers: tuple[str, ...]
    variant: str
    auto_subscribe: bool = False
    enabled: bool = True
    verified: bool = False
    created_at: float
    updated_at: float


@dataclass(slots=True, kw_only=True)
class Subscription:
    """One vehicle of one driver on one webhook. ``errors`` are those raised and not resolved yet."""

    id: str
    webhook_id: str
    user_id: str
    vehicle_id: str
    created_at: float
    updated_at: float
    sequence: int = 0
    delivered_at: float = 0.0
    first_sent: bool = False
    pending: set[str] = field(default_factory=set)
    errors: set[tuple[str, str | None]] = field(default_factory=set)


class AlreadySubscribed(Exception):  # noqa: N818 - an expected outcome
    """The vehicle is subscribed to that webhook."""


@dataclass(slots=True)
class Webhooks:
    """All webhooks of the application and their subscriptions."""

    by_id: dict[str, Webhook] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    by_vehicle: dict[str, dict[tuple[str, str], Subscription]] = field(default_factory=dict)

    def put(self, webhook: Webhook) -> None:
        """Create a webhook, or change the one with its id."""
        self.by_id[webhook.id] = webhook

    def subscribe(self, *, webhook_id: str, user_id: str, vehicle_id: str, now: float) -> Subscription:
        """Subscribe a vehicle.

        Raises:
            AlreadySubscribed: The vehicle is subscribed to the webhook.
        """
        subscribed = self.by_vehicle.setdefault(vehicle_id, {})
        if (webhook_id, user_id) in subscribed:
            raise AlreadySubscribed
        subscription = Subscription(
            id=str(uuid.uuid4()),
            webhook_id=webhook_id,
            user_id=user_id,
            vehicle_id=vehicle_id,
            created_at=now,
            updated_at=now,
        )
        subscribed[webhook_id, user_id] = subscription
        self.subscriptions[subscription.id] = subscription
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End one subscription. Events on their way may still arrive."""
        self.subscriptions.pop(subscription.id, None)
        subscribed = self.by_vehicle.get(subscription.vehicle_id, {})
        subscribed.pop((subscription.webhook_id, subscription.user_id), None)
        if not subscribed:
            self.by_vehicle.pop(subscription.vehicle_id, None)

    def for_vehicle(
        self, vehicle_id: str, *, user_id: str | None = None, webhook_id: str | None = None
    ) -> list[Subscription]:
        """Return the subscriptions of one vehicle."""
        return [
            each
            for each in self.by_vehicle.get(vehicle_id, {}).values()
            if user_id in (None, each.user_id) and webhook_id in (None, each.webhook_id)
        ]

    def live(self, vehicle_id: str) -> Iterator[tuple[Subscription, Webhook]]:
        """Return the vehicle's subscriptions whose webhook is enabled and verified."""
        for each in list(self.by_vehicle.get(vehicle_id, {}).values()):
            webhook = self.by_id.get(each.webhook_id)
            if webhook and webhook.enabled and webhook.verified:
                yield each, webhook

    def clear(self, *, webhooks: bool) -> None:
        """Remove all subscriptions, and the webhooks if requested."""
        self.subscriptions.clear()
        self.by_vehicle.clear()
        if webhooks:
            self.by_id.clear()

    def snapshot(self) -> dict[str, Any]:
        """Return everything as values that orjson can write with sets as lists."""
        return {"webhooks": list(self.by_id.values()), "subscriptions": list(self.subscriptions.values())}

    def restore(self, saved: dict[str, Any]) -> None:
        """Restore what ``snapshot`` returned."""
        self.clear(webhooks=True)
        for each in saved["webhooks"]:
            lists = {"signals": tuple(each["signals"]), "triggers": tuple(each["triggers"])}
            self.put(Webhook(**(each | lists)))
        for each in saved["subscriptions"]:
            sets = {
                "pending": set(each["pending"]),
                "errors": {(kind, code) for kind, code in each["errors"]},
            }
            entry = Subscription(**(each | sets))
            self.subscriptions[entry.id] = entry
            self.by_vehicle.setdefault(entry.vehicle_id, {})[entry.webhook_id, entry.user_id] = entry
