"""How the API's OpenAPI description is made from the code (drf-spectacular)."""

from typing import Any

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Smartcar Fleet",
    "DESCRIPTION": "Read a fleet's vehicles, their signals with age and source, and their history; send commands.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "CommandStateEnum": "commands.models.CommandState",
        "DeliveryStateEnum": "webhooks.models.EntryState",
        "DeliverySourceEnum": "webhooks.models.Source",
        "CommandKindEnum": "commands.types.CommandType",
        "SmartcarApiVersionEnum": "accounts.models.SmartcarApiVersion",
        "SignalStatusEnum": "vehicles.api.serializers.SIGNAL_STATUSES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "vehicles.api.openapi.add_value_schemas",
        "commands.api.openapi.add_request_schemas",
        "core.api.schema.name_parameter_enums",
        "core.api.schema.allow_any_value",
        "core.api.schema.describe_operations",
    ],
}
