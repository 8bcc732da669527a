"""One signal's history as JSON, in pages where it is told reading by reading."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vehicles.api.queries import RAW_PAGE, RAW_SPAN
from vehicles.api.units import body_in, number_in
from vehicles.catalogue import Signal
from vehicles.history import Point, Resolution, series
from vehicles.models import Vehicle
from vehicles.units import Unit

_NEXT_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Page:
    """Some points, oldest first, and where to go on; None where that was all."""

    points: list[Point]
    next_start: datetime | None


def history_page(
    *, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime, resolution: Resolution
) -> Page:
    """The signal's history from `start` up to but without `end`. Raises vehicles.history.NotANumberError.

    Single readings come at most RAW_PAGE at a time, of at most RAW_STRETCH.
    """
    if resolution != "raw":
        points = series(vehicle=vehicle, signal=signal, start=start, end=end, resolution=resolution)
        return Page(points, None)
    stop = end if end - start <= RAW_SPAN else start + RAW_SPAN
    points = series(
        vehicle=vehicle, signal=signal, start=start, end=stop, resolution="raw", limit=RAW_PAGE + 1
    )
    if len(points) > RAW_PAGE:
        points = points[:RAW_PAGE]
        return Page(points, points[-1].at + _NEXT_MOMENT)
    return Page(points, stop if stop < end else None)


def point_json(point: Point, *, signal: Signal, unit: Unit | None) -> dict[str, Any]:
    """A PointSerializer's content."""
    if isinstance(point.value, dict):
        return {"at": point.at, "value": body_in(point.value, signal=signal, unit=unit)}
    told = {"at": point.at, "value": number_in(point.value, signal=signal, unit=unit)}
    if point.minimum is not None:
        told["minimum"] = number_in(point.minimum, signal=signal, unit=unit)
        told["maximum"] = number_in(point.maximum, signal=signal, unit=unit)
        told["count"] = point.count
    return told
