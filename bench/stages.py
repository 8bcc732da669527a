"""Where the time of recording goes, stage by stage: batches processed in this process, their steps timed."""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench import signals
from simulator.load.events import Events


def measure(*, smartcar_ids: Sequence[str], events: int) -> Mapping[str, float]:
    """Seconds per delivery by stage, of so many deliveries about these cars. Django is set up."""
    from django.utils import timezone

    from alerts import battery
    from commands import confirmation
    from vehicles import latest_state, services, summaries
    from webhooks import event_parsing, processing
    from webhooks.models import InboxEntry

    made = Events(signals.plan(uri="", key="unused", smartcar_ids=smartcar_ids, rate=1, seconds=1))
    InboxEntry.objects.bulk_create(
        (InboxEntry(received_at=timezone.now(), body=made.next(time.time())[0]) for _ in range(events)),
        batch_size=500,
    )
    spent: defaultdict[str, float] = defaultdict(float)
    stages: list[tuple[str, Any, str]] = [
        ("taking messages", processing, "_claim"),
        ("parsing", event_parsing, "_parse"),
        ("loading states", latest_state, "load"),
        ("storing states", latest_state, "store"),
        ("storing states", latest_state, "touch"),
        ("adding history", services, "add"),
        ("renewing summaries", summaries, "refresh"),
        ("settling commands", confirmation, "heard"),
        ("judging batteries", battery, "heard"),
        ("judging connections", processing, "_tell_lifecycle"),
        ("marking as done", processing, "_settle"),
    ]
    for stage, module, name in stages:
        setattr(module, name, _timed(getattr(module, name), stage, spent))
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
