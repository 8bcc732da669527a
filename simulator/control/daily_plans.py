"""Holding and releasing the vehicles' daily plans through the control API."""

from collections.abc import Sequence
from typing import Any

from simulator.applications import Applications
from simulator.clock import iso
from simulator.simulation import Simulation
from simulator.vehicles import Change, Vehicle
from simulator.vehicles.signal_changes import changed_codes

_FIELDS = {"hold", "parked"}


def day_as_json(vehicle: Vehicle, *, now: float) -> dict[str, Any]:
    """Return a vehicle's phase of the day, with ISO times and null where nothing is planned."""
    day = vehicle.day_status(now=now)

    def written(at: float | None) -> str | None:
        return None if at is None else iso(at)

    return {
        "vehicleId": vehicle.id,
        "held": day.held,
        "holdPending": day.hold_pending,
        "heldSince": written(day.held_since),
        "phase": day.phase,
        "asleep": day.asleep,
        "place": day.place,
        "nextDeparture": written(day.next_departure),
        "nextArrival": written(day.next_arrival),
        "nextChange": written(day.next_change),
    }


def hold_or_release(
    simulation: Simulation, applications: Applications, vehicles: Sequence[Vehicle], body: dict[str, Any]
) -> None:
    """Hold or release vehicles as a ``{"hold": true, "parked": true}`` body requests, and publish the changes.

    Raises:
        ValueError: The body is invalid.
    """
    parked = body.get("parked", False)
    if not isinstance(body.get("hold"), bool) or not isinstance(parked, bool) or not set(body) <= _FIELDS:
        raise ValueError("hold is required, and hold and parked must be true or false")
    if parked and not body["hold"]:
        raise ValueError("parked requires hold to be true")
    now = simulation.now()
    ids = [vehicle.id for vehicle in vehicles]
    subscribed = {
        each.vehicle_id
        for application in applications.simulations
        for each in application.webhooks.subscriptions.values()
    }
    before = {vehicle.id: vehicle.reported(now=now) for vehicle in vehicles if vehicle.id in subscribed}
    if body["hold"]:
        simulation.fleet.hold(ids, now=now, parked=parked)
    else:
        simulation.fleet.release(ids, now=now)
    changes = [
        Change(vehicle.id, changed_codes(vehicle, before[vehicle.id], vehicle.reported(now=now)), now)
        for vehicle in vehicles
        if vehicle.id in before
    ]
    for application in applications.simulations:
        application.feed.record_changes(changes)
    simulation.changed = True
