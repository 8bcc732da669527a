"""Makes of a week what a manufacturer's cloud would report of it: few readings, some of them late or lost.

A vehicle reports while it is awake: driving, charging, or for some minutes after it was driven, plugged in, unplugged
or locked. Those minutes are drawn anew each time that it wakes. Asleep it measures nothing, so what is delivered keeps
its old times. Each signal has its own time, up to a minute before the delivery.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from score.weeks import Moment, Week
from trips.readings import Reading

_LAGS: Final = {
    "odometer_km": 45,
    "location": 15,
    "state_of_charge": 60,
    "plugged": 10,
    "charging": 20,
    "energy_added_kwh": 60,
    "locked": 5,
}
"""How many seconds before its delivery a signal may have been measured."""


@dataclass(frozen=True, slots=True)
class Thinning:
    """How a vehicle reports. Shares are from 0 to 1; `sleep_after` are minutes."""

    minutes: float
    whole_km: bool = False
    location: bool = True
    lock_and_cable: bool = True
    silent: bool = True
    lost: float = 0.02
    jitter: bool = False
    late: float = 0.0
    outage_hours: float = 0.0
    on_events: bool = False
    sleep_after: tuple[float, float] = (1, 30)

    @property
    def signals(self) -> tuple[str, ...]:
        """The names of what is reported."""
        left_out = set() if self.location else {"location"}
        if not self.lock_and_cable:
            left_out |= {"plugged", "charging", "energy_added_kwh", "locked"}
        return tuple(name for name in _LAGS if name not in left_out)


VARIANTS: Final = {
    "exact": Thinning(0),
    "whole_km": Thinning(0, whole_km=True),
    "no_place": Thinning(0, location=False),
    "whole_km_no_place": Thinning(0, whole_km=True, location=False),
    "no_lock_no_cable": Thinning(0, lock_and_cable=False),
    "by_clock": Thinning(0, silent=False),
    "troubled": Thinning(0, jitter=True, late=0.05, outage_hours=4, on_events=True, lost=0.03),
}
INTERVALS: Final = (1, 5, 15, 60)
"""Minutes between deliveries."""


def variant(name: str, minutes: float) -> Thinning:
    """Returns the variant of that name at an interval in minutes."""
    return replace(VARIANTS[name], minutes=minutes)


_Known = dict[str, tuple[object, int]]


def thin(week: Week, thinning: Thinning, seed: str) -> list[Reading]:
    """Returns the readings in the order in which they are received. The same seed draws the same."""
    chance = random.Random(f"{seed}/{week.name}/{thinning.minutes}")
    times = [moment.time for moment in week.moments]
    last_awake, changes = _awake(week, thinning, chance)
    known: _Known = {}
    sent: dict[str, object] | None = None
    first = times[0]
    down = first + chance.uniform(0, max(1, times[-1] - first - 3600 * thinning.outage_hours))
    deliveries: list[tuple[float, int, list[Reading]]] = []
    for due in _dues(times, changes, thinning, chance):
        for name in thinning.signals:
            lag = chance.randint(0, min(_LAGS[name], max(1, round(30 * thinning.minutes))))
            index = bisect_right(times, due - lag) - 1
            if index >= 0:
                _measure(known, name, week.moments[last_awake[index]], thinning)
        lost = chance.random() < thinning.lost
        values = {name: value for name, (value, _) in known.items()}
        if not values or (thinning.silent and values == sent):
            continue
        sent = values
        if lost:
            continue
        received = _received(due, down, thinning, chance)
        deliveries.append((received, len(deliveries), list(_readings(known, received))))
    return [reading for _, _, readings in sorted(deliveries, key=lambda one: one[:2]) for reading in readings]


def _received(due: float, down: float, thinning: Thinning, chance: random.Random) -> float:
    up = down + 3600 * thinning.outage_hours
    if down <= due < up:
        return up
    return due + chance.uniform(600, 86_400) if chance.random() < thinning.late else due


def _dues(times: list[int], changes: list[int], thinning: Thinning, chance: random.Random) -> list[float]:
    """Returns when deliveries are due."""
    interval = max(1, round(thinning.minutes * 60))
    due = times[0] + chance.randrange(interval)
    dues: list[float] = []
    while due <= times[-1] + interval:
        dues.append(due + (round(chance.uniform(-0.25, 0.25) * interval) if thinning.jitter else 0))
        due += interval
    if thinning.on_events:
        dues += [change + chance.randint(5, 60) for change in changes]
    return sorted(dues)


def _awake(week: Week, thinning: Thinning, chance: random.Random) -> tuple[list[int], list[int]]:
    """Returns per moment the index of the last one at which the vehicle was awake, and the times of its events."""
    awake_until, nap = -1.0, 60 * chance.uniform(*thinning.sleep_after)
    last_awake, changes, latest = [], [], 0
    for index, (before, moment) in enumerate(pairwise((week.moments[0], *week.moments))):
        event = _switches(before) != _switches(moment)
        if event:
            changes.append(moment.time)
        moved = moment.odometer_km != before.odometer_km or moment.speed_kmh > 0
        if index == 0 or event or moved or moment.charging:
            if moment.time > awake_until:
                nap = 60 * chance.uniform(*thinning.sleep_after)
            awake_until = moment.time + nap
        if moment.time <= awake_until:
            latest = index
        last_awake.append(latest)
    return last_awake, changes


def _switches(moment: Moment) -> tuple[bool, bool, bool]:
    return moment.plugged, moment.charging, moment.locked


def _measure(known: _Known, name: str, moment: Moment, thinning: Thinning) -> None:
    if name in known and moment.time < known[name][1]:
        return
    value = _shown(name, moment, thinning)
    if value is not None:
        known[name] = (value, moment.time)


def _shown(name: str, moment: Moment, thinning: Thinning) -> object:
    """Returns the value as the vehicle reports it."""
    if name == "odometer_km" and thinning.whole_km:
        return float(math.floor(moment.odometer_km + 1e-6))
    rounded: dict[str, Callable[[], object]] = {
        "location": lambda: (moment.latitude, moment.longitude),
        "state_of_charge": lambda: _rounded(moment.state_of_charge, 0),
        "energy_added_kwh": lambda: _rounded(moment.energy_added_kwh, 1),
    }
    return rounded[name]() if name in rounded else getattr(moment, name)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _readings(known: _Known, received: float) -> Iterator[Reading]:
    """Yields a reading for each moment of measurement in a delivery."""
    by_time: dict[int, dict[str, object]] = {}
    for name, (value, observed) in known.items():
        by_time.setdefault(observed, {})[name] = value
    for observed, values in sorted(by_time.items()):
        yield _reading(observed, received, values)


def _reading(observed: float, received: float, values: dict[str, object]) -> Reading:
    given: dict[str, object] = dict(values)
    if "state_of_charge" in given:
        given["state_of_charge_percent"] = given.pop("state_of_charge")
    if isinstance(location := given.pop("location", None), tuple):
        given["latitude"], given["longitude"] = location
    return Reading(observed, received, **given)  # type: ignore[arg-type]
