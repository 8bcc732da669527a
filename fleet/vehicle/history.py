"""The vehicle page's chart: one number signal over a range of time, in the fleet's units, with gaps where nothing is
known."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from accounts.models import Fleet
from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Shape, Signal
from vehicles.history import Point, series
from vehicles.models import Vehicle
from vehicles.presentation import display_unit
from vehicles.selectors import VehicleState
from vehicles.units import convert, symbol

POINTS = 600
LONGEST = timedelta(days=10 * 366)
_FIRST = (catalogue.STATE_OF_CHARGE, catalogue.FUEL_LEVEL)


@dataclass(frozen=True, slots=True)
class Chart:
    """`times` in epoch seconds with as many `values` in `unit` (written for people); a value is None in a gap."""

    label: str
    unit: str
    times: list[float]
    values: list[float | None]


def signals_of(state: VehicleState) -> list[Signal]:
    """The signals of the car that can be drawn: state of charge or fuel level first, the others by name."""
    numbers = [
        signal
        for code in state.signals
        if (signal := CATALOGUE.get(code)) is not None
        and signal.shape is Shape.NUMBER
        and state.signal(signal) is not None
    ]
    return sorted(numbers, key=lambda signal: (signal not in _FIRST, signal.label.lower()))


def chart_of(*, fleet: Fleet, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime) -> Chart:
    """The signal's history between two times, thinned out so that its peaks stay. Raises NotANumberError."""
    points = series(vehicle=vehicle, signal=signal, start=start, end=end, resolution=POINTS)
    unit = display_unit(signal.unit, units=fleet.unit_system) if signal.unit else None
    times: list[float] = []
    values: list[float | None] = []
    for point, gap in _with_gaps(points, longest=_longest_silence(signal, start=start, end=end)):
        value = point.value
        times.append(point.at.timestamp())
        values.append(
            round(convert(value, source=signal.unit, target=unit), 2) if signal.unit and unit else value
        )
        if gap:
            times.append(point.at.timestamp() + 1)
            values.append(None)
    return Chart(signal.label, symbol(unit) if unit else "", times, values)


def _longest_silence(signal: Signal, *, start: datetime, end: datetime) -> timedelta | None:
    """How far apart two points may be for a line between them: as long as a value of the kind is good for."""
    if signal.staleness is None:
        return None
    return max(signal.staleness, 3 * (end - start) / (POINTS // 2))


def _with_gaps(points: list[Point], *, longest: timedelta | None) -> list[tuple[Point, bool]]:
    """Each point, and whether nothing is known for a while after it."""
    apart = [longest is not None and after.at - before.at > longest for before, after in pairwise(points)]
    return list(zip(points, [*apart, False], strict=False))
