"""The load process's input: where to send, how fast, and about which vehicles."""

from dataclasses import asdict, dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. ``rate`` is in events a second. ``seconds`` 0 means until stopped.

    ``shapes`` are lists of signal entries as in a payload. Each of ``vehicles`` refers to one by number, beside its
    ``user`` and ``vehicle`` objects. ``meta`` is common to all deliveries.
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
        """Return the plan as JSON, for the load process's standard input."""
        return orjson.dumps(asdict(self))

    @classmethod
    def load(cls, raw: bytes) -> "Plan":
        """Return the plan that the JSON describes."""
        return cls(**orjson.loads(raw))
