"""The contents of a delivery as plain data, the same for every payload variant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.message_codes import Message
from vehicles.observations import SignalReading, VehicleFacts
from webhooks.messages import DeliveryNote

Mode = Literal["live", "simulated", "test", ""]

VERIFY = "VERIFY"
VEHICLE_STATE = "VEHICLE_STATE"
VEHICLE_ERROR = "VEHICLE_ERROR"


class Malformed(Exception):  # noqa: N818  (describes the payload)
    """The payload can't be parsed. `reason` is a code and never contains parts of the payload."""

    def __init__(self, reason: DeliveryNote) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ReportedError:
    """One entry of a VEHICLE_ERROR event (Smartcar documentation, "VEHICLE_ERROR Event").

    `signals` are the affected signal codes; empty for an error of the whole connection. `type`, `code` and
    `resolution_type` are open lists.
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
    """The contents of a delivery about one vehicle. `skipped` describes entries that could not be parsed."""

    facts: VehicleFacts
    observations: tuple[SignalReading, ...] = ()
    errors: tuple[ReportedError, ...] = ()
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery.

    `event_type` is an open list: VERIFY, VEHICLE_STATE, VEHICLE_ERROR or an unknown type. `event_id` is Smartcar's. For
    a delivery without one (legacy 2.0), it is "sha256:" and the digest of the body, so that identical repetitions are
    recognized. `triggers` are the codes of the signals whose change caused the delivery. `first` is true for the
    delivery that follows a subscription. `mode` is "test" if any part of the delivery has that mode.
    `repairs` name what was replaced in a damaged body, or left out (core.json_reading).
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
    repairs: tuple[Message, ...] = ()
