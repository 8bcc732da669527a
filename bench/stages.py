"""The duration of recording by stage: batches are processed in this process, and their steps are timed."""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from bench import signals
from simulator.load.events import Events


def measure(*, smartcar_ids: Sequence[str], events: int) -> Mapping[str, float]:
    """Returns seconds per delivery by stage, for this many deliveries about these vehicles. Django is set up."""
    from django.utils import timezone

    from alerts import battery
    from commands import confirmation
    from vehicles import latest_state, readings, services, summaries
    from webhooks import event_parsing, processing
    from webhooks.models import InboxEntry

    events_source = Events(signals.plan(uri="", key="unused", smartcar_ids=smartcar_ids, rate=1, seconds=1))
    InboxEntry.objects.bulk_create(
        (
            InboxEntry(received_at=timezone.now(), body=events_source.next(time.time())[0])
            for _ in range(events)
        ),
        batch_size=500,
    )
    seconds_by_stage: defaultdict[str, float] = defaultdict(float)
    # Each function with the module that calls it, or whose attribute it is. Naming the functions themselves lets mypy
    # find those that were renamed.
    stages: list[tuple[str, ModuleType, Callable[..., Any]]] = [
        ("taking messages", processing, processing._claim),
        ("parsing", event_parsing, event_parsing._parse),
        ("loading states", latest_state, latest_state.load),
        ("storing states", latest_state, latest_state.store),
        ("storing states", latest_state, latest_state.store_timestamps),
        ("adding history", services, readings.insert_readings),
        ("renewing summaries", summaries, summaries.refresh_snapshots),
        ("settling commands", confirmation, confirmation.on_signals),
        ("judging batteries", battery, battery.on_signals),
        ("judging connections", processing, processing._update_connections),
        ("marking as done", processing, processing._complete),
    ]
    for stage, module, function in stages:
        if getattr(module, function.__name__) is not function:
            raise RuntimeError(f"{module.__name__} doesn't call {function.__qualname__}")
        setattr(module, function.__name__, _timed(function, stage, seconds_by_stage))
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)  # as in a worker (fleet.celery)
    started = time.perf_counter()
    processing.process_waiting()
    whole = time.perf_counter() - started
    seconds_by_stage["all else"] = whole - sum(seconds_by_stage.values())
    seconds_by_stage["all"] = whole
    return {stage: seconds / events for stage, seconds in seconds_by_stage.items()}


def _timed(
    work: Callable[..., Any], stage: str, seconds_by_stage: defaultdict[str, float]
) -> Callable[..., Any]:
    def timed(*args: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return work(*args, **options)
        finally:
            seconds_by_stage[stage] += time.perf_counter() - started

    return timed
