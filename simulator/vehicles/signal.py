"""The results of the package: a signal's value, and a rejected command."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal as last reported.

    ``body`` is what the API sends (metric, with units), None if the vehicle doesn't support the signal.
    ``oem_updated_at`` is when the vehicle reported it (epoch seconds). ``error`` is (type, code). An error may come
    with a body: the last known value.
    """

    code: str
    group: str
    name: str
    body: dict[str, Any] | None
    oem_updated_at: float | None
    error: tuple[str, str | None] | None


class CommandRejected(Exception):  # noqa: N818 - an expected outcome
    """A command that the vehicle or its make rejects. ``type`` and ``code`` are those of the error tables."""

    def __init__(self, type: str, code: str, detail: str = "") -> None:  # noqa: A002 - the API's name
        super().__init__(f"{type}:{code} {detail}".strip())
        self.type, self.code, self.detail = type, code, detail
