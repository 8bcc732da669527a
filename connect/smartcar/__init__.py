"""The only code that speaks HTTP to Smartcar or imports its SDK. A pure client: no settings, no database."""

from connect.smartcar.errors import SmartcarError
from connect.smartcar.interface import (
    Access,
    ApplicationToken,
    CommandAnswer,
    CommandOutcome,
    ConnectRequest,
    Credentials,
    Disconnected,
    Generation,
    ListedConnection,
    Origins,
    ReadAnswer,
    SharedVehicle,
    SmartcarApi,
    Subscription,
    TokenPair,
    VehicleAttributes,
)
from connect.smartcar.schedules import ChargeSchedule, Window
from connect.smartcar.v2 import FLEET_PATHS, V2Api, paths_granted
from connect.smartcar.v3 import V3Api

__all__ = [
    "FLEET_PATHS",
    "Access",
    "ApplicationToken",
    "ChargeSchedule",
    "CommandAnswer",
    "CommandOutcome",
    "ConnectRequest",
    "Credentials",
    "Disconnected",
    "Generation",
    "ListedConnection",
    "Origins",
    "ReadAnswer",
    "SharedVehicle",
    "SmartcarApi",
    "SmartcarError",
    "Subscription",
    "TokenPair",
    "V2Api",
    "V3Api",
    "VehicleAttributes",
    "Window",
    "paths_granted",
]
