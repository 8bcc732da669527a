"""What Smartcar's webhooks send, and when: collecting a vehicle's signals and turning changes into events.

A vehicle reports at its make's interval, and at once when a lock, door, plug or the like changes. For every report in
which a trigger changed, the webhook receives an event with all signals of its configuration.
"""

from __future__ import annotations

import heapq
import itertools
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from simulator import errors
from simulator.payloads import FIRST_DELIVERY, ErrorEntry, Reading, Subject, vehicle_error, vehicle_state
from simulator.unit_quirks import apply_unit_quirk
from simulator.vehicles import CATALOGUE, Change, Signal, Vehicle
from simulator.webhooks import AlreadySubscribed, Subscription, Webhook

if TYPE_CHECKING:
    from simulator.connections import Connection
    from simulator.simulation import Simulation

FIRST_AFTER = 1.0
MOMENT = 0.1  # Real seconds for which publishing may block everything else.


class EventFeed:
    """Decides which events to publish, holds Smartcar's signal store, and passes events to the webhook sender."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._due: list[tuple[float, int, str]] = []
        self._later: list[tuple[float, int, Change]] = []
        self._order = itertools.count()
        self._frozen_at: dict[tuple[str, str], float] = {}
        self.store: dict[tuple[str, str], bytes] = {}

    # -- subscribing ---------------------------------------------------------------------------------------

    def auto_subscribe(self, connection: Connection) -> None:
        """Subscribe a new connection to the webhooks with automatic subscription."""
        for webhook in self._simulation.webhooks.by_id.values():
            if webhook.auto_subscribe:
                try:
                    self.subscribe(webhook_id=webhook.id, connection=connection)
                except AlreadySubscribed:
                    continue

    def subscribe(self, *, webhook_id: str, connection: Connection) -> Subscription:
        """Subscribe a vehicle and schedule the first delivery.

        Raises:
            AlreadySubscribed: The vehicle is subscribed to the webhook.
        """
        simulation = self._simulation
        subscription = simulation.webhooks.subscribe(
            webhook_id=webhook_id,
            user_id=connection.user_id,
            vehicle_id=connection.vehicle_id,
            now=simulation.now(),
        )
        self._plan(subscription, simulation.now() + FIRST_AFTER)
        simulation.poller.add(subscription.vehicle_id)
        simulation.changed = True
        return subscription

    def recheck(self, vehicle_ids: Iterable[str] | None = None) -> None:
        """Check these vehicles (or all) in the next round, because something about their accounts changed."""
        now = self._simulation.now()
        selected = None if vehicle_ids is None else set(vehicle_ids)
        for each in self._simulation.webhooks.subscriptions.values():
            if selected is None or each.vehicle_id in selected:
                self._plan(each, now)
                self._simulation.poller.add(each.vehicle_id)

    def _plan(self, subscription: Subscription, due: float) -> None:
        heapq.heappush(self._due, (due, next(self._order), subscription.id))

    # -- changes -------------------------------------------------------------------------------------------

    def record_changes(self, changes: Iterable[Change]) -> None:
        """Record what vehicles reported. Changes to triggers are published in the next round."""
        now = self._simulation.now()
        for change in changes:
            for subscription, webhook in self._simulation.webhooks.live(change.vehicle_id):
                fired = set(change.codes) & set(webhook.triggers)
                if fired and not subscription.pending:
                    self._plan(subscription, now)
                subscription.pending |= fired

    def record_changes_later(self, change: Change, *, after: float) -> None:
        """Record a change some simulated seconds from now, because manufacturers learn of their own commands late."""
        heapq.heappush(self._later, (self._simulation.now() + after, next(self._order), change))

    def publish_due(self) -> bool:
        """Publish what is due, as far as time and the sender's capacity allow. Return whether that was everything."""
        while self._later and self._later[0][0] <= self._simulation.now():
            self.record_changes([heapq.heappop(self._later)[2]])
        now, until = self._simulation.now(), time.monotonic() + MOMENT
        while self._due and self._due[0][0] <= now:
            if time.monotonic() > until or self._simulation.sender.overloaded:
                return False
            subscription_id = heapq.heappop(self._due)[2]
            subscription = self._simulation.webhooks.subscriptions.get(subscription_id)
            if subscription is not None:
                self.publish(subscription)
        return True

    # -- events --------------------------------------------------------------------------------------------

    def publish(self, subscription: Subscription, *, force: bool = False) -> None:
        """Collect the vehicle's signals and send what there is to send: state, errors raised, errors resolved."""
        simulation = self._simulation
        webhook = simulation.webhooks.by_id.get(subscription.webhook_id)
        connection = simulation.connections.get(
            user_id=subscription.user_id, vehicle_id=subscription.vehicle_id
        )
        vehicle = simulation.vehicle(subscription.vehicle_id)
        if not (webhook and webhook.enabled and webhook.verified and connection and vehicle):
            return
        problem = simulation.account_error(user_id=connection.user_id, vehicle_id=vehicle.id)
        if problem:
            published_error = ("VEHICLE_STATE", "UNREACHABLE") if problem[0] == "UPSTREAM" else problem
            self._mark_failed(connection, published_error)
            self._publish_errors(subscription, webhook, connection, {published_error: ()}, resolve=False)
            return
        readings = self.collect(connection, vehicle, webhook.signals)
        if subscription.pending or force or not subscription.first_sent:
            self._publish_state(subscription, webhook, connection, readings)
        failed: dict[tuple[str, str | None], tuple[Reading, ...]] = {}
        for each in readings:
            if each.error and each.code in webhook.signals:
                failed[each.error] = (*failed.get(each.error, ()), each)
        self._publish_errors(subscription, webhook, connection, failed, resolve=True)

    def _publish_state(
        self,
        subscription: Subscription,
        webhook: Webhook,
        connection: Connection,
        readings: Sequence[Reading],
    ) -> None:
        simulation = self._simulation
        fired = sorted(subscription.pending) if subscription.first_sent else []
        triggers = [
            {"name": CATALOGUE[code].name, "code": code, "group": CATALOGUE[code].group} for code in fired
        ]
        subscription.sequence += 1
        event = vehicle_state(
            subject=self.subject(webhook, connection, sequence=subscription.sequence),
            readings=[each for each in readings if each.code in webhook.signals],
            triggers=triggers,
            event_id=str(uuid.uuid4()),
            first=not subscription.first_sent,
        )
        simulation.sender.send(
            event,
            uri=webhook.callback_uri,
            webhook_id=webhook.id,
            vehicle_id=connection.vehicle_id,
            user_id=connection.user_id,
            event_type="VEHICLE_STATE",
            triggers=fired if subscription.first_sent else [FIRST_DELIVERY],
        )
        subscription.first_sent = True
        subscription.pending.clear()
        subscription.delivered_at = simulation.now()
        simulation.changed = True

    def _publish_errors(
        self,
        subscription: Subscription,
        webhook: Webhook,
        connection: Connection,
        failed: dict[tuple[str, str | None], tuple[Reading, ...]],
        *,
        resolve: bool,
    ) -> None:
        simulation = self._simulation
        raised = [error for error in failed if error not in subscription.errors]
        resolved = [error for error in subscription.errors if error not in failed] if resolve else []
        if not raised and not resolved:
            return
        subscription.errors = (subscription.errors | set(raised)) - set(resolved)
        if webhook.variant == "legacy":
            return  # Version 2.0 has no such event.
        faults = [self._error_entry(connection, error, "ERROR", failed[error]) for error in raised]
        faults += [self._error_entry(connection, error, "RESOLVED", ()) for error in resolved]
        subscription.sequence += 1
        event = vehicle_error(
            subject=self.subject(webhook, connection, sequence=subscription.sequence),
            faults=faults,
            event_id=str(uuid.uuid4()),
        )
        simulation.sender.send(
            event,
            uri=webhook.error_callback_uri or webhook.callback_uri,
            webhook_id=webhook.id,
            vehicle_id=connection.vehicle_id,
            user_id=connection.user_id,
            event_type="VEHICLE_ERROR",
            triggers=[f"{each.kind}:{each.code}:{each.state}" for each in faults],
        )
        simulation.changed = True

    def _error_entry(
        self,
        connection: Connection,
        error: tuple[str, str | None],
        state: str,
        readings: Sequence[Reading],
    ) -> ErrorEntry:
        rejection = errors.ApiError(*error, url=self._simulation.reauthenticate_url(connection.vehicle_id))
        return ErrorEntry(
            kind=error[0],
            code=error[1],
            state=state,
            description=rejection.text.description,
            message=rejection.text.message,
            doc_url=errors.doc_url(*error),
            resolution=errors.resolution(rejection),
            signals=tuple(each.key for each in readings),
        )

    def subject(self, webhook: Webhook, connection: Connection, *, sequence: int) -> Subject:
        """Return the user, vehicle and webhook of an event."""
        simulation = self._simulation
        vehicle = simulation.fleet.vehicles[connection.vehicle_id]
        user = simulation.connections.users.get(connection.user_id)
        return Subject(
            user_id=connection.user_id,
            external_id=user.external_id if user else None,
            vehicle_id=vehicle.id,
            make=vehicle.make,
            model=vehicle.model,
            year=vehicle.year,
            vin=vehicle.vin,
            powertrain=vehicle.powertrain,
            mode=connection.mode,
            webhook_id=webhook.id,
            webhook_name=webhook.name,
            application_id=simulation.settings.credentials.application_id,
            variant=webhook.variant,
            sequence=sequence,
        )

    # -- the store -----------------------------------------------------------------------------------------

    def collect(self, connection: Connection, vehicle: Vehicle, configured: Iterable[str]) -> list[Reading]:
        """Read everything that the grant and the webhook include, and put it in Smartcar's store."""
        now = self._simulation.now()
        wanted = set(configured)
        before = (
            {each.code: each for each in self.stored(connection)}
            if self._simulation.faults.stale_bodies
            else {}
        )
        readings = []
        for signal in vehicle.signals(now=now):
            code, granted = (
                signal.code,
                self._simulation.permits(connection, CATALOGUE[signal.code].permission),
            )
            if code in wanted and not granted:
                readings.append(_failed_reading(code, ("PERMISSION", None), now))
            elif granted and (code in wanted or vehicle.supports(code)):
                readings.append(self._with_faults(self._reading(vehicle, signal, now), before.get(code)))
        self.store[connection.user_id, connection.vehicle_id] = _pack(readings)
        return readings

    def _mark_failed(self, connection: Connection, error: tuple[str, str | None]) -> None:
        """Mark every stored signal with an error of the account. The old bodies stay, as captured responses show."""
        stored = [replace(each, error=each.error or error) for each in self.stored(connection)]
        if stored:
            self.store[connection.user_id, connection.vehicle_id] = _pack(stored)

    def _reading(self, vehicle: Vehicle, signal: Signal, now: float) -> Reading:
        return Reading(
            code=signal.code,
            group=signal.group,
            name=signal.name,
            body=self._chosen_capacity(vehicle, signal.code, signal.body),
            oem_updated_at=self._oem_time(vehicle, signal),
            retrieved_at=now,
            error=signal.error,
        )

    def _oem_time(self, vehicle: Vehicle, signal: Signal) -> float | None:
        """Return when the manufacturer says that it got the signal: true, or wrong by fault injection."""
        faults, at = self._simulation.faults, signal.oem_updated_at
        if at is None:
            return None
        if {vehicle.id, vehicle.make} & set(faults.clocks_frozen):
            at = self._frozen_at.setdefault((vehicle.id, signal.code), at)
        else:
            self._frozen_at.pop((vehicle.id, signal.code), None)
        return at + faults.clocks_ahead

    def _with_faults(self, reading: Reading, before: Reading | None) -> Reading:
        """Return the reading after fault injection: an old body with an error, or wrong units."""
        faults = self._simulation.faults
        if reading.body is not None and faults.occurs(faults.stale_bodies):
            old = before or reading
            return replace(
                reading, body=old.body, oem_updated_at=old.oem_updated_at, error=("UPSTREAM", "NO_RESPONSE")
            )
        return apply_unit_quirk(reading) if faults.occurs(faults.lying_units) else reading

    def _chosen_capacity(
        self, vehicle: Vehicle, code: str, body: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        capacity = self._simulation.capacities.get(vehicle.id)
        if code != "tractionbattery-nominalcapacity" or capacity is None or body is None:
            return body
        return body | {"capacity": capacity, "source": "USER_SELECTED"}

    def read(self, connection: Connection, code: str) -> Reading:
        """Return one signal from the manufacturer, as the v2 reads do. The caller checks the permission."""
        vehicle = self._simulation.fleet.vehicles[connection.vehicle_id]
        now = self._simulation.now()
        return self._reading(vehicle, vehicle.signal(code, now=now), now)

    def stored(self, connection: Connection) -> list[Reading]:
        """Return the stored signals of a connection. Empty until the vehicle has been subscribed."""
        packed = self.store.get((connection.user_id, connection.vehicle_id))
        return _unpack(packed) if packed else []

    def clear(self) -> None:
        """Remove what is scheduled and stored."""
        self._frozen_at.clear()
        self._due.clear()
        self._later.clear()
        self.store.clear()

    def snapshot(self) -> list[Any]:
        """Return the store as JSON-compatible values."""
        return [[user, vehicle, orjson.Fragment(packed)] for (user, vehicle), packed in self.store.items()]

    def restore(self, saved: list[Any]) -> None:
        """Restore the store, and schedule the deliveries that were pending."""
        self.store = {(user, vehicle): orjson.dumps(packed) for user, vehicle, packed in saved}
        now = self._simulation.now()
        for each in self._simulation.webhooks.subscriptions.values():
            self._simulation.poller.add(each.vehicle_id)
            if each.pending or not each.first_sent:
                self._plan(each, now + FIRST_AFTER)


def _failed_reading(code: str, error: tuple[str, str | None], now: float) -> Reading:
    entry = CATALOGUE[code]
    return Reading(
        code=code,
        group=entry.group,
        name=entry.name,
        body=None,
        oem_updated_at=None,
        retrieved_at=now,
        error=error,
    )


def _pack(readings: Sequence[Reading]) -> bytes:
    return orjson.dumps(
        [[each.code, each.body, each.oem_updated_at, each.retrieved_at, each.error] for each in readings]
    )


def _unpack(packed: bytes) -> list[Reading]:
    readings = []
    for code, body, updated, retrieved, error in orjson.loads(packed):
        entry = CATALOGUE[code]
        readings.append(
            Reading(
                code=code,
                group=entry.group,
                name=entry.name,
                body=body,
                oem_updated_at=updated,
                retrieved_at=retrieved,
                error=(error[0], error[1]) if error else None,
            )
        )
    return readings
