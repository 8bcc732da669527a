"""Readings of a vehicle as plain data: produced by parsing, stored by the vehicles app.

Times are aware and in UTC. None means unknown (absent, 0, or implausible in the payload).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from vehicles.unit_claims import UnitClaim


class SignalStatus(StrEnum):
    """Whether a signal was read (Smartcar documentation, "VEHICLE_STATE Event: signal-level errors")."""

    SUCCESS = "SUCCESS"
    ERROR = "ERROR"
    UNAVAILABLE = "UNAVAILABLE"


NORMALIZATION_ERROR = "REFUSED"
"""`SignalError.type` for a value that was discarded because it is implausible."""


@dataclass(frozen=True, slots=True)
class SignalError:
    """Why a signal could not be read. `type` and `code` are Smartcar's (open lists), or NORMALIZATION_ERROR.

    `description` is Smartcar's text. With NORMALIZATION_ERROR, it is an encoded note (vehicles.correction_notes).
    """

    type: str
    code: str | None = None
    description: str = ""
    resolution_type: str | None = None


class SignalReading(NamedTuple):
    """One signal of one vehicle in one delivery. A named tuple, since thousands are created per second.

    `body` is in canonical units and shape (see `vehicles.normalization`) and present only with SUCCESS: an entry with
    an error can repeat an old body, which isn't new data. `notes` describe each correction, in the encoding of
    `vehicles.correction_notes`. `claim` is about the unit of a number whose label can't be trusted; until it is settled
    (vehicles.unit_judgment), the body is that of the most likely unit.
    """

    code: str
    status: SignalStatus
    body: dict[str, Any] | None = None
    error: SignalError | None = None
    oem_updated_at: datetime | None = None
    retrieved_at: datetime | None = None
    ingested_at: datetime | None = None
    notes: tuple[str, ...] = ()
    claim: UnitClaim | None = None

    @property
    def value(self) -> Any:
        """The plain value of a single-valued signal (number, boolean, text); None if there is none."""
        return self.body.get("value") if self.body else None


@dataclass(frozen=True, slots=True)
class VehicleFacts:
    """A delivery's data about the vehicle itself. Missing text is ""."""

    smartcar_id: str
    user_id: str = ""
    external_id: str = ""
    make: str = ""
    model: str = ""
    year: int | None = None
    mode: Literal["live", "simulated", "test", ""] = ""
    powertrain: str = ""

    def completed_by(self, other: "VehicleFacts") -> "VehicleFacts":
        """Returns these facts, with those of the other delivery about the same vehicle for missing ones."""
        missing = {
            name: getattr(other, name)
            for name in ("make", "model", "year", "powertrain")
            if not getattr(self, name)
        }
        return replace(self, **missing)
