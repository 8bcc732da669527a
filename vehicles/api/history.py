"""One signal's history as JSON, paginated if it consists of single readings."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vehicles.api.queries import RAW_PAGE, RAW_SPAN
from vehicles.api.units import convert_body, convert_number
from vehicles.catalogue import Signal
from vehicles.details import mask_vins
from vehicles.history import Point, Resolution, series, visible_points
from vehicles.models import Vehicle
from vehicles.units import Unit

_NEXT_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Page:
    """Some points, oldest first, and the start of the next page; None on the last page."""

    points: list[Point]
    next_start: datetime | None


def history_page(
    *, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime, resolution: Resolution
) -> Page:
    """Returns the signal's history from `start` (inclusive) to `end` (exclusive).

    A page of single readings has at most RAW_PAGE points, without locations that a driver hides, and covers at most
    RAW_SPAN. Raises vehicles.history.NotANumberError.
    """
    if resolution != "raw":
        points = series(vehicle=vehicle, signal=signal, start=start, end=end, resolution=resolution)
        return Page(points, None)
    stop = end if end - start <= RAW_SPAN else start + RAW_SPAN
    points = series(
        vehicle=vehicle, signal=signal, start=start, end=stop, resolution="raw", limit=RAW_PAGE + 1
    )
    following = stop if stop < end else None
    if len(points) > RAW_PAGE:
        points = points[:RAW_PAGE]
        following = points[-1].at + _NEXT_MOMENT
    return Page(visible_points(points, vehicle=vehicle, signal=signal), following)


def point_json(point: Point, *, signal: Signal, unit: Unit | None) -> dict[str, Any]:
    """Returns the content of a PointSerializer."""
    if isinstance(point.value, dict):
        return {"at": point.at, "value": mask_vins(convert_body(point.value, signal=signal, unit=unit))}
    data = {"at": point.at, "value": mask_vins(convert_number(point.value, signal=signal, unit=unit))}
    if point.minimum is not None:
        data["minimum"] = convert_number(point.minimum, signal=signal, unit=unit)
        data["maximum"] = convert_number(point.maximum, signal=signal, unit=unit)
        data["count"] = point.count
    return data
