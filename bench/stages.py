"""Where the time of recording goes, stage by stage: batches processed in this process, their steps timed."""

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
    """Seconds per delivery by stage, of so many deliveries about these cars. Django is set up."""
    from django.utils import timezone

    from alerts import battery
    from commands import confirmation
    from vehicles import latest_state, readings, services, summaries
    from webhooks import event_parsing, processing
    from webhooks.models import InboxEntry

    made = Events(signals.plan(uri="", key="unused", smartcar_ids=smartcar_ids, rate=1, seconds=1))
    InboxEntry.objects.bulk_create(
        (InboxEntry(received_at=timezone.now(), body=made.next(time.time())[0]) for _ in range(events)),
        batch_size=500,
    )
    spent: defaultdict[str, float] = defaultdict(float)
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
        setattr(module, function.__name__, _timed(function, stage, spent))
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)  # as in a worker (fleet.celery)
    began = time.perf_counter()
    processing.process_waiting()
    whole = time.perf_counter() - began
    spent["all else"] = whole - sum(spent.values())
    spent["all"] = whole
    return {stage: seconds / events for stage, seconds in spent.items()}


def _timed(work: Callable[..., Any], stage: str, spent: defaultdict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return work(*args, **options)
        finally:
            spent[stage] += time.perf_counter() - began

    return timed
