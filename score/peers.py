"""Two other libraries on the same readings, in an environment of their own: `make score` installs them there.

They need places, and know neither the odometer nor what silence means. So while a vehicle is silent, its last place is
repeated for them until a report before the next one, as a program that polls would have it. Of a grid of parameters,
the one counts that fits the truth best.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from score.figures import Found, Tally
from score.weeks import TrueTrip
from trips.readings import Reading

NAMES: Final = ("movingpandas", "trackintel")
_HERE: Final = Path(__file__).resolve().parent
PYTHON: Final = _HERE.parent / "var" / "score" / "venv" / "bin" / "python"


def installed() -> bool:
    """Returns whether the environment with the peers is there."""
    return PYTHON.exists()


def track(readings: Sequence[Reading], interval: float) -> list[tuple[float, float, float]]:
    """Returns the places in order of time, with the last one repeated before each gap ends."""
    places = {
        reading.observed: (reading.observed, reading.latitude, reading.longitude)
        for reading in readings
        if reading.latitude is not None and reading.longitude is not None
    }
    ordered = [places[time] for time in sorted(places)]
    result = ordered[:1]
    for before, after in pairwise(ordered):
        if after[0] - before[0] > 1.8 * interval:
            result.append((after[0] - interval, before[1], before[2]))
        result.append(after)
    return result


def best(
    name: str,
    minutes: float,
    tracks: Sequence[Sequence[tuple[float, float, float]]],
    truths: Sequence[Sequence[TrueTrip]],
) -> dict[str, object]:
    """Returns the figures of a peer with its best parameters. Raises `CalledProcessError` if it fails."""
    if not all(tracks):
        return {"f1": 0.0}
    done = subprocess.run(
        [str(PYTHON), str(_HERE / "peer_child.py")],
        input=json.dumps({"peer": name, "minutes": minutes, "tracks": tracks}),
        capture_output=True,
        text=True,
        check=True,
    )
    results = []
    for result in json.loads(done.stdout):
        tally = Tally()
        for trips, true in zip(result["trips"], truths, strict=True):
            tally.add([Found.at(*trip) for trip in trips], true)
        results.append((tally.summary()["f1"], result["parameters"]))
    f1, parameters = max(results)
    return {"f1": f1, "parameters": parameters}
