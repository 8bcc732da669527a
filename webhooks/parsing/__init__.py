"""Parses Smartcar's deliveries and API responses into one form (`types`). Pure: no settings, no I/O."""

from webhooks.parsing.answers import parse_v2_batch, parse_v3_signals
from webhooks.parsing.deliveries import parse_delivery
from webhooks.parsing.types import Delivery, Malformed, ReportedError, VehicleReport

__all__ = [
    "Delivery",
    "Malformed",
    "ReportedError",
    "VehicleReport",
    "parse_delivery",
    "parse_v2_batch",
    "parse_v3_signals",
]
