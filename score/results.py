"""Runs detection and the peers on each variant and interval."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from score import peers
from score.figures import Found, Tally
from score.thinning import INTERVALS, thin, variant
from score.weeks import Week
from trips.detection import detect
from trips.readings import Reading


def found_in(readings: Iterable[Reading]) -> tuple[list[Found], float]:
    """Returns the trips that detection finds, and the kilometers that it can't place in time."""
    detection = detect(readings)
    trips = [
        Found(
            (trip.start.earliest, trip.start.estimate, trip.start.latest),
            (trip.end.earliest, trip.end.estimate, trip.end.latest),
            trip.distance_km,
        )
        for trip in detection.trips
    ]
    return trips, sum(distance.distance_km for distance in detection.unplaced)


def score(
    weeks: Sequence[Week], *, variants: Sequence[str], seeds: Sequence[str], with_peers: bool
) -> dict[str, dict[str, dict[str, Any]]]:
    """Returns the figures by variant and by minutes between deliveries."""
    global _weeks
    _weeks = weeks  # the processes inherit it, which is quicker than sending it
    jobs = [(name, minutes) for name in variants for minutes in INTERVALS]
    table: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in variants}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(_score, *zip(*jobs, strict=True), [seeds] * len(jobs), [with_peers] * len(jobs))
        for (name, minutes), figures in zip(jobs, done, strict=True):
            table[name][str(minutes)] = figures
            print(_line(name, minutes, figures), flush=True)
    return table


_weeks: Sequence[Week] = ()


def _score(name: str, minutes: int, seeds: Sequence[str], with_peers: bool) -> dict[str, Any]:
    tally, readings_of_first = Tally(), []
    for seed in seeds:
        for week in _weeks:
            readings = thin(week, variant(name, minutes), seed)
            if seed == seeds[0]:
                readings_of_first.append(readings)
            trips, unplaced_km = found_in(readings)
            tally.add(trips, week.trips, unplaced_km=unplaced_km)
    figures: dict[str, Any] = {"trips": tally.summary()}
    if with_peers:
        tracks = [peers.track(readings, minutes * 60) for readings in readings_of_first]
        truths = [week.trips for week in _weeks]
        figures["peers"] = {peer: peers.best(peer, minutes, tracks, truths) for peer in peers.NAMES}
    return figures


def _line(name: str, minutes: int, figures: Mapping[str, Any]) -> str:
    trips = figures["trips"]
    beside = "".join(f"  {peer} {result['f1']:.3f}" for peer, result in figures.get("peers", {}).items())
    return (
        f"{name:<18} {minutes:>2} min  F1 {trips['f1']:.3f}  precision {trips['precision']:.3f}  recall "
        f"{trips['recall']:.3f}  inside {trips.get('interval_coverage', 0):.3f}{beside}"
    )
