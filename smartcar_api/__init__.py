"""Client of Smartcar's API: the only code that sends requests to Smartcar or imports its SDK.

It doesn't use the database. Only `ratelimit` reads settings.
"""

from smartcar_api.compatibility import Capability, CompatibilityApi, CompatibleModel, VinCompatibility
from smartcar_api.errors import SmartcarError
from smartcar_api.protocol import (
    Access,
    ApiVersion,
    ApplicationToken,
    CommandAnswer,
    CommandOutcome,
    ConnectRequest,
    Credentials,
    Disconnected,
    ListedConnection,
    Origins,
    ReadAnswer,
    SharedVehicle,
    SmartcarApi,
    Subscription,
    TokenPair,
    VehicleAttributes,
)
from smartcar_api.schedules import ChargeSchedule, Window
from smartcar_api.v2.client import FLEET_PATHS, V2Api, paths_granted
from smartcar_api.v3 import V3Api

__all__ = [
    "FLEET_PATHS",
    "Access",
    "ApiVersion",
    "ApplicationToken",
    "Capability",
    "ChargeSchedule",
    "CommandAnswer",
    "CommandOutcome",
    "CompatibilityApi",
    "CompatibleModel",
    "ConnectRequest",
    "Credentials",
    "Disconnected",
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
    "VinCompatibility",
    "Window",
    "paths_granted",
]
