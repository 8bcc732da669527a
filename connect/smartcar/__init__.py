"""The only code that speaks HTTP to Smartcar or imports its SDK. A pure client: no settings, no database."""

from connect.smartcar.errors import SmartcarError
from connect.smartcar.interface import (
    Access,
    ApplicationToken,
    CommandAnswer,
    CommandOutcome,
    ConnectRequest,
    Credentials,
    Generation,
    Origins,
    ReadAnswer,
    SharedVehicle,
    SmartcarApi,
    Subscription,
    TokenPair,
    VehicleAttributes,
)

__all__ = [
    "Access",
    "ApplicationToken",
    "CommandAnswer",
    "CommandOutcome",
    "ConnectRequest",
    "Credentials",
    "Generation",
    "Origins",
    "ReadAnswer",
    "SharedVehicle",
    "SmartcarApi",
    "SmartcarError",
    "Subscription",
    "TokenPair",
    "VehicleAttributes",
]
