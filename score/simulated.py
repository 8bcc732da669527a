"""Weeks of the simulator's vehicles with what they really did, made in this process without requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from score.weeks import Moment, TrueTrip, Week
from simulator.vehicles import Fleet, Vehicle
from simulator.vehicles.truth import Truth

_WEEK: Final = 7 * 86_400
_START: Final = 1_793_664_000.0  # 2026-11-03T00:00:00Z
_DRIVING, _PARKED = 15, 60  # seconds between moments


def weeks(*, vehicles: int, count: int, seed: int = 1) -> Iterator[Week]:
    """Yields the weeks of each vehicle in turn."""
    fleet = Fleet(seed=seed, vehicles=vehicles, start=_START)
    for vehicle_id in sorted(fleet.vehicles):
        vehicle = fleet.vehicles[vehicle_id]
        for number in range(count):
            yield _week(vehicle, number)


def _week(vehicle: Vehicle, number: int) -> Week:
    start = _START + number * _WEEK
    end = start + _WEEK
    truth = vehicle.truth(start=start, end=end, now=end + _WEEK)
    trips = [trip for trip in truth.trips if trip.end is not None and start < trip.start and trip.end < end]
    return Week(
        f"{vehicle.id}-{number}",
        tuple(_moment(vehicle, time) for time in _times(truth, start, end)),
        tuple(TrueTrip(t.start, t.end or end, t.kilometers, t.odometer_start) for t in trips),
    )


def _times(truth: Truth, start: float, end: float) -> list[int]:
    """Returns the moments at which a vehicle is looked at: more often while it drives."""
    times = set(range(int(start), int(end), _PARKED))
    for trip in truth.trips:
        first, last = max(start, trip.start), min(end, trip.end or end)
        times |= {int(first), int(last) + 1, *range(int(first), int(last), _DRIVING)}
    return sorted(time for time in times if start <= time < end)


def _moment(vehicle: Vehicle, time: int) -> Moment:
    state = vehicle.observe(time)
    return Moment(
        time=time,
        odometer_km=round(state.odometer, 3),
        latitude=state.latitude,
        longitude=state.longitude,
        speed_kmh=state.speed,
        state_of_charge=state.soc,
        plugged=state.plugged,
        charging=state.charging,
        locked=state.locked,
        energy_added_kwh=round(state.energy_added, 2) if state.plugged else None,
    )
