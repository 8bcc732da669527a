"""Sorts out readings: what counts, what is repeated, and what contradicts the rest."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from trips.odometer import AGREEING, Note, Reset, Sample, clean_odometer
from trips.readings import Reading

_MOVED_KM: Final = 0.3
AWAKE_SECONDS: Final = 90.0
"""A report of a vehicle that is awake isn't older than this when it arrives in time."""


class Place(NamedTuple):
    """Where the vehicle was at a time, in degrees."""

    time: float
    latitude: float
    longitude: float


class Delivery(NamedTuple):
    """What arrived together: when, and the times of the oldest and newest values in it."""

    received: float
    newest: float
    odometer: Sample | None


@dataclass(slots=True)
class Signals:
    """The readings of a vehicle by signal, each in order of time and without contradictions."""

    odometer: list[Sample] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    parked: list[float] = field(default_factory=list)
    plugged: list[float] = field(default_factory=list)
    driving: list[float] = field(default_factory=list)
    locked: list[tuple[float, bool]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    energy: list[tuple[float, float]] = field(default_factory=list)
    resets: list[Reset] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def clean(readings: Iterable[Reading]) -> Signals:
    """Returns the signals that the readings consist of, whatever order they come in."""
    ordered = sorted(set(readings), key=Reading.sort_key)
    signals = Signals()
    cleaned = clean_odometer(
        [Sample(r.observed, r.odometer_km) for r in ordered if r.odometer_km is not None]
    )
    signals.odometer, signals.resets, signals.notes = cleaned.line, cleaned.resets, cleaned.notes
    signals.deliveries = _deliveries(ordered)
    for reading in ordered:
        _sort_in(signals, reading)
    if locks_while_driving(signals):
        signals.locked.clear()
    signals.parked = sorted({*signals.parked, *(time for time, locked in signals.locked if locked)})
    return signals


def locks_while_driving(signals: Signals) -> bool:
    """Returns whether the vehicle locks itself when it drives off, so that its lock doesn't show that it is parked.

    It does if it was mostly locked at readings between two others at which it had moved.
    """
    line = signals.odometer
    times = [sample.time for sample in line]
    longest = 2.5 * usual_interval(signals.deliveries)
    counts = {True: 0, False: 0}
    for time, locked in signals.locked:
        index = bisect_right(times, time) - 1
        if 0 < index < len(line) - 1:
            before, now, after = line[index - 1 : index + 2]
            moving = now.km - before.km > _MOVED_KM and after.km - now.km > _MOVED_KM
            counts[locked] += moving and after.time - before.time < 2 * longest
    return counts[True] >= AGREEING and counts[True] > counts[False]


def _sort_in(signals: Signals, reading: Reading) -> None:
    if reading.locked is not None:
        signals.locked.append((reading.observed, reading.locked))
    if reading.plugged or reading.charging:
        signals.plugged.append(reading.observed)
        signals.parked.append(reading.observed)
    if (reading.speed_kmh or 0) > 5:
        signals.driving.append(reading.observed)
    if reading.latitude is not None and reading.longitude is not None and _is_place(reading):
        signals.places.append(Place(reading.observed, reading.latitude, reading.longitude))
    if reading.energy_added_kwh is not None:
        signals.energy.append((reading.observed, reading.energy_added_kwh))


def _is_place(reading: Reading) -> bool:
    """Returns whether the coordinates can be true: receivers without a fix send zeros."""
    latitude, longitude = reading.latitude or 0.0, reading.longitude or 0.0
    return abs(latitude) <= 90 and abs(longitude) <= 180 and (abs(latitude) > 0.01 or abs(longitude) > 0.01)


def _deliveries(readings: Iterable[Reading]) -> list[Delivery]:
    groups: dict[float, list[Reading]] = {}
    for reading in readings:
        groups.setdefault(reading.received, []).append(reading)
    result = []
    for received, group in sorted(groups.items()):
        odometer = [Sample(r.observed, r.odometer_km) for r in group if r.odometer_km is not None]
        result.append(Delivery(received, max(r.observed for r in group), max(odometer, default=None)))
    return result


def asleep_spans(deliveries: Sequence[Delivery]) -> list[tuple[float, float]]:
    """Returns (fell asleep, still asleep) for each sleep that a delivery shows.

    Such a delivery arrives in time, but repeats values that were measured long before. A late one doesn't show sleep:
    newer values arrived before it, or soon follow.
    """
    spans: dict[float, float] = {}
    newest = float("-inf")
    for delivery in deliveries:
        newest = max(newest, delivery.newest)
        if delivery.newest == newest and delivery.received - newest > AWAKE_SECONDS:
            spans[newest] = delivery.received
    times = sorted({delivery.newest for delivery in deliveries})
    result = []
    for asleep, until in sorted(spans.items()):
        index = bisect_right(times, asleep)
        if index < len(times):
            until = min(until, max(asleep, times[index] - 1))
        result.append((asleep, until))
    return result


def usual_interval(deliveries: Sequence[Delivery]) -> float:
    """Returns the seconds between most of the deliveries."""
    times = sorted({delivery.newest for delivery in deliveries})
    gaps = sorted(gap for before, after in pairwise(times) if (gap := after - before) > 20)
    if not gaps:
        return 300.0
    best, most = gaps[0], 0
    low = high = 0
    for gap in gaps:
        while gaps[low] < gap * 0.8:
            low += 1
        while high < len(gaps) and gaps[high] <= gap * 1.25:
            high += 1
        if high - low > most:
            best, most = gap, high - low
    return best
