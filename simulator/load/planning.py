"""Planning a load: its vehicles and drivers, and examples of their signals."""

from collections.abc import Iterable
from typing import Any

from simulator.connections import Connection
from simulator.load.plan import Plan
from simulator.payloads import address, vehicle_state
from simulator.simulation import Simulation
from simulator.webhooks import Webhook

SHAPES = 200


def make_plan(
    simulation: Simulation,
    webhook: Webhook,
    *,
    rate: float,
    seconds: float,
    connections: int,
    everything: bool,
) -> Plan:
    """Return a plan for the vehicles subscribed to a webhook, or for all vehicles.

    Raises:
        ValueError: There is no such vehicle.
    """
    selected = list(_all_vehicles(simulation)) if everything else list(_subscribed(simulation, webhook))
    if not selected:
        raise ValueError("no vehicle is subscribed to the webhook")
    shapes = [_example(simulation, webhook, each)["data"]["signals"] for each in selected[:SHAPES]]
    vehicles = []
    for number, connection in enumerate(selected):
        subject = simulation.feed.subject(webhook, connection, sequence=0)
        data = vehicle_state(subject=subject, readings=[], triggers=[], event_id="")["data"]
        vehicles.append({"user": data["user"], "vehicle": data["vehicle"], "shape": number % len(shapes)})
    meta = address(_example(simulation, webhook, selected[0]), delivery_id="", now=0)["meta"]
    return Plan(
        uri=webhook.callback_uri,
        key=simulation.settings.credentials.management_tokens[0],
        rate=rate,
        seconds=seconds,
        connections=connections,
        meta=meta,
        shapes=shapes,
        vehicles=vehicles,
    )


def _subscribed(simulation: Simulation, webhook: Webhook) -> Iterable[Connection]:
    for each in simulation.webhooks.subscriptions.values():
        connection = simulation.connections.get(user_id=each.user_id, vehicle_id=each.vehicle_id)
        if each.webhook_id == webhook.id and connection is not None:
            yield connection


def _all_vehicles(simulation: Simulation) -> Iterable[Connection]:
    for account in simulation.fleet.accounts.values():
        for vehicle_id in account.vehicle_ids:
            yield Connection(
                id="",
                user_id=account.user_id,
                vehicle_id=vehicle_id,
                permissions=(),
                mode="live",
                created_at=0.0,
                updated_at=0.0,
            )


def _example(simulation: Simulation, webhook: Webhook, connection: Connection) -> dict[str, Any]:
    readings = [
        each
        for each in (simulation.feed.read(connection, code) for code in webhook.signals)
        if not each.error
    ]
    subject = simulation.feed.subject(webhook, connection, sequence=1)
    return vehicle_state(subject=subject, readings=readings, triggers=[], event_id="")
