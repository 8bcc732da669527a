"""What a delivery says, as plain data: the one shape into which every payload variant is brought."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from vehicles.observations import SignalReading, VehicleFacts
from webhooks.messages import DeliveryNote

Mode = Literal["live", "simulated", "test", ""]

VERIFY = "VERIFY"
VEHICLE_STATE = "VEHICLE_STATE"
VEHICLE_ERROR = "VEHICLE_ERROR"


class Malformed(Exception):  # noqa: N818  (it names the message, not a mistake of ours)
    """The message cannot be understood. `reason` is a code and never repeats its content."""

    def __init__(self, reason: DeliveryNote) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ReportedError:
    """One entry of a VEHICLE_ERROR event (Smartcar documentation, "VEHICLE_ERROR Event").

    `signals` are the codes concerned; empty where the error is one of the whole connection. `type`, `code`
    and `resolution_type` are open lists.
    """

    type: str
    code: str | None = None
    state: Literal["ERROR", "RESOLVED"] = "ERROR"
    description: str = ""
    suggested_user_message: str = ""
    resolution_type: str | None = None
    resolution_url: str = ""
    doc_url: str = ""
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VehicleReport:
    """All that one message says about one car. `skipped` says in words what could not be read."""

    facts: VehicleFacts
    observations: tuple[SignalReading, ...] = ()
    errors: tuple[ReportedError, ...] = ()
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery.

    `event_type` is an open string: VERIFY, VEHICLE_STATE, VEHICLE_ERROR or one not known yet. `event_id` is
    Smartcar's; where a message has none (legacy 2.0) it is "sha256:" and the digest of its bytes, so that an
    identical repeat is recognised. `triggers` are the codes whose change caused the delivery; `first` says
    that it is the one sent upon subscription. `mode` is "test" wherever any part of the message says so.
    """

    event_id: str
    event_type: str
    delivery_id: str = ""
    webhook_id: str = ""
    version: str = ""
    delivered_at: datetime | None = None
    mode: Mode = ""
    sequence: int | None = None
    challenge: str = ""
    first: bool = False
    triggers: tuple[str, ...] = ()
    reports: tuple[VehicleReport, ...] = ()
