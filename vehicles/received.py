"""A reading of one of our vehicles as it was received, before it is stored."""

from dataclasses import dataclass, field
from datetime import datetime

from vehicles.observations import SignalReading


@dataclass(slots=True)
class ReceivedReading:
    """One reading of one of our vehicles, as received.

    `delivered_at` is when Smartcar sent the delivery, if known. `replayed` means that it was processed before.
    `reported_at` is when the reading was reported: when Smartcar retrieved it, else when it was delivered, and never
    after the receipt. `observed_at` is the time of the value: the manufacturer's, but not after `reported_at`, which is
    also the time of a value without one.
    """

    vehicle_id: int
    observation: SignalReading
    received_at: datetime
    sequence: int | None = None
    delivered_at: datetime | None = None
    replayed: bool = False
    observed_at: datetime = field(init=False)
    reported_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        reading = self.observation
        reported = reading.retrieved_at or reading.ingested_at or self.delivered_at or self.received_at
        self.reported_at = reported if reported < self.received_at else self.received_at
        updated = reading.oem_updated_at
        self.observed_at = updated if updated is not None and updated < self.reported_at else self.reported_at
