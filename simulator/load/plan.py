"""What the load process is told: where to send, how fast, and about which cars."""

from dataclasses import asdict, dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. ``rate`` is events a second; ``seconds`` 0 means until stopped.

    ``shapes`` are lists of signal entries as they stand in a payload; each of ``vehicles`` names one by number,
    beside its ``user`` and ``vehicle`` objects. ``meta`` is what all deliveries have in common.
    """

    uri: str
    key: str = field(repr=False)
    rate: float
    seconds: float
    connections: int
    meta: dict[str, Any]
    shapes: list[list[dict[str, Any]]]
    vehicles: list[dict[str, Any]]

    def dump(self) -> bytes:
        """As JSON, for the load process's standard input."""
        return orjson.dumps(asdict(self))

    @classmethod
    def load(cls, raw: bytes) -> "Plan":
        """From JSON."""
        return cls(**orjson.loads(raw))
