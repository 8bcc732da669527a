"""What one reading of a car says, as plain data: produced by parsing, stored by the vehicles room.

Times are aware and in UTC; None means unknown (absent, 0, or absurd on the wire).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple


class SignalStatus(StrEnum):
    """Whether a signal was read (Smartcar documentation, "VEHICLE_STATE Event: signal-level errors")."""

    SUCCESS = "SUCCESS"
    ERROR = "ERROR"
    UNAVAILABLE = "UNAVAILABLE"


NORMALIZATION_ERROR = "REFUSED"
"""`SignalError.type` where Smartcar sent a value but it cannot be true, so that we did not take it."""


@dataclass(frozen=True, slots=True)
class SignalError:
    """Why a signal could not be read. `type` and `code` are Smartcar's own (open lists), or `REFUSED`."""

    type: str
    code: str | None = None
    description: str = ""
    resolution_type: str | None = None


class SignalReading(NamedTuple):
    """One signal of one car as one message tells it. A named tuple, since thousands are made each second.

    `body` is in canonical units and shape (see `vehicles.normalization`) and present only under SUCCESS: an
    erroneous entry on the wire can repeat an old body, which is not news. `notes` name each correction made.
    """

    code: str
    status: SignalStatus
    body: dict[str, Any] | None = None
    error: SignalError | None = None
    oem_updated_at: datetime | None = None
    retrieved_at: datetime | None = None
    ingested_at: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> Any:
        """The plain value of a single-valued signal (number, boolean, text); None where there is none."""
        return self.body.get("value") if self.body else None


@dataclass(frozen=True, slots=True)
class VehicleFacts:
    """What a message says about the car itself. Text is "" where the message is silent."""

    smartcar_id: str
    user_id: str = ""
    external_id: str = ""
    make: str = ""
    model: str = ""
    year: int | None = None
    mode: Literal["live", "simulated", "test", ""] = ""
    powertrain: str = ""
