"""What the package gives out: a signal's value, and a refusal."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal as last reported.

    ``body`` is what the API sends (metric, with units), None where the car does not support the signal;
    ``oem_updated_at`` is when the car reported it (epoch seconds); ``error`` is (type, code). A body may stand beside
    an error: the last value known.
    """

    code: str
    group: str
    name: str
    body: dict[str, Any] | None
    oem_updated_at: float | None
    error: tuple[str, str | None] | None


class CommandRefused(Exception):  # noqa: N818 - the car's word, not a fault
    """A command that the car or its make does not carry out; ``type`` and ``code`` as in the error tables."""

    def __init__(self, type: str, code: str, detail: str = "") -> None:  # noqa: A002 - the API's word
        super().__init__(f"{type}:{code} {detail}".strip())
        self.type, self.code, self.detail = type, code, detail
