"""Finds trips with movingpandas or trackintel. Runs in the environment that has them, and imports nothing of ours.

Reads JSON from standard input: `peer`, `minutes` between readings, and `tracks`, each a list of [epoch seconds,
latitude, longitude]. Writes to standard output for each of the peer's parameters, and for each track, the trips as
[start, end, kilometers].
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from datetime import timedelta
from itertools import pairwise, product
from typing import Any

warnings.filterwarnings("ignore")

DIAMETERS = (60, 150, 400)  # meters
MINUTES = (3.0, 4.5)  # besides a little more than the time between two readings


def main() -> None:
    """Entry point."""
    asked = json.load(sys.stdin)
    stops = {"movingpandas": _movingpandas, "trackintel": _trackintel}[asked["peer"]]
    results = []
    for parameters in product(DIAMETERS, sorted({*MINUTES, max(3.0, 1.3 * asked["minutes"])})):
        found = [_between(track, stops(track, *parameters)) for track in asked["tracks"]]
        results.append({"parameters": parameters, "trips": found})
    json.dump(results, sys.stdout)


def _frame(track: list[list[float]]) -> Any:
    import geopandas
    import pandas

    times = pandas.to_datetime([row[0] for row in track], unit="s", utc=True)
    points = geopandas.points_from_xy([row[2] for row in track], [row[1] for row in track])
    return geopandas.GeoDataFrame({"tracked_at": times, "user_id": 1}, geometry=points, crs="EPSG:4326")


def _movingpandas(track: list[list[float]], diameter: float, minutes: float) -> list[tuple[float, float]]:
    import movingpandas

    frame = _frame(track)
    frame["t"] = frame["tracked_at"].dt.tz_localize(None)
    whole = movingpandas.Trajectory(frame.set_index("t"), 1)
    detector = movingpandas.TrajectoryStopDetector(whole)
    ranges = detector.get_stop_time_ranges(max_diameter=diameter, min_duration=timedelta(minutes=minutes))
    return [(_epoch(stop.t_0), _epoch(stop.t_n)) for stop in ranges]


def _trackintel(track: list[list[float]], distance: float, minutes: float) -> list[tuple[float, float]]:
    import trackintel

    fixes = trackintel.io.read_positionfixes_gpd(_frame(track), tracked_at="tracked_at", user_id="user_id")
    _, stays = fixes.generate_staypoints(
        dist_threshold=distance, time_threshold=minutes, gap_threshold=1e6, include_last=True
    )
    return [
        (_epoch(start), _epoch(end))
        for start, end in zip(stays["started_at"], stays["finished_at"], strict=True)
    ]


def _epoch(time: Any) -> float:
    return float((time if time.tzinfo else time.replace(tzinfo=None).tz_localize("UTC")).timestamp())


def _between(track: list[list[float]], stops: list[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """Returns the trips: what lies between two stops, with the way along the positions."""
    trips = []
    edges = [(track[0][0], track[0][0]), *sorted(stops), (track[-1][0], track[-1][0])]
    for (_, start), (end, _) in pairwise(edges):
        inside = [row for row in track if start <= row[0] <= end]
        km = sum(_km(one, other) for one, other in pairwise(inside))
        if end > start and km > 0:
            trips.append((start, end, km))
    return trips


def _km(one: list[float], other: list[float]) -> float:
    east = (other[2] - one[2]) * 111.2 * math.cos(math.radians(one[1]))
    return math.hypot((other[1] - one[1]) * 111.2, east)


if __name__ == "__main__":
    main()
