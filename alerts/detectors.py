"""Detectors find conditions that should have raised or resolved an alert but did not, for example after a lost task.

Conditions are usually reported when they begin. Apps above register detectors for conditions of their own.
"""

from datetime import datetime
from typing import Protocol


class Detector(Protocol):
    """Raises and resolves what was missed. Running a detector again changes nothing."""

    def __call__(self, *, now: datetime) -> None: ...


_detectors: list[Detector] = []


def register(detector: Detector) -> None:
    """Registers a detector, at start-up."""
    _detectors.append(detector)


def run_all(*, now: datetime) -> None:
    """Runs every detector."""
    for detector in _detectors:
        detector(now=now)
