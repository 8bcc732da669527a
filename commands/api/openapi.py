"""The OpenAPI schemas for sending a command: one form per command type, precise enough to be tested against."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from commands.api.request_body import KEY, KEY_PATTERN, PARAMETERS
from commands.parameters import LEAST_LIMIT, MOST_LIMIT
from commands.services import MAX_REASON_LENGTH
from commands.types import UNLOCKING, CommandType
from smartcar_api.schedules import CLOCK, PARTS

Json = dict[str, Any]

_PLACE: Json = {
    "latitude": {"type": "number", "minimum": -90, "maximum": 90},
    "longitude": {"type": "number", "minimum": -180, "maximum": 180},
}
_TIME: Json = {"type": "string", "pattern": f"^{CLOCK.pattern}$"}
_TIME_RANGE: Json = {
    "type": "array",
    "items": _TIME,
    "minItems": 2,
    "maxItems": 2,
    "description": "Start and end, two different times of the vehicle's day.",
}


def _object(properties: Json, *, required: list[str]) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _required_object(properties: Json) -> Json:
    return _object(properties, required=list(properties))


def _schedule(name: str, parts: tuple[str, ...]) -> Json:
    windows: Json = {
        "type": "object",
        "properties": dict.fromkeys(parts, _TIME_RANGE),
        "minProperties": 1,
        "additionalProperties": False,
    }
    return _required_object({"type": {"type": "string", "const": name}, **_PLACE, "windows": windows})


def _form(kind: Json, parameters: Json | None = None, *, may_wait: bool = True) -> Json:
    waits = "Sent when the vehicle next reports data, within 12 hours, instead of now."
    when_online: Json = (
        {"type": "boolean", "default": False, "description": waits}
        if may_wait
        # `not` rather than a constant, from which openapi-python-client makes invalid code.
        else {
            "type": "boolean",
            "not": {"const": True},
            "default": False,
            "description": "Only false: this command can't wait for the vehicle.",
        }
    )
    properties: Json = {
        "kind": kind,
        "parameters": parameters or {"type": "object", "additionalProperties": False},
        "reason": {
            "type": "string",
            "maxLength": MAX_REASON_LENGTH,
            "pattern": r"^[^\x00]*$",
            "description": "The reason, stored with the command. A fleet can require one.",
        },
        "when_awake": when_online,
    }
    return _object(properties, required=["kind", "parameters"] if parameters else ["kind"])


def _const(kind: CommandType) -> Json:
    return {"type": "string", "const": kind.value}


_SIMPLE = [kind for kind in CommandType if kind not in PARAMETERS and kind not in UNLOCKING]
_SCHEDULES = {f"{name.title()}ChargeSchedule": _schedule(name, parts) for name, parts in PARTS.items()}
_FORMS: dict[str, Json] = {
    "SimpleCommand": _form({"$ref": "#/components/schemas/SimpleCommandKind"}),
    "UnlockCommand": _form(_const(CommandType.UNLOCK), may_wait=False),
    "SetChargeLimitCommand": _form(
        _const(CommandType.SET_CHARGE_LIMIT),
        _required_object({"percent": {"type": "integer", "minimum": LEAST_LIMIT, "maximum": MOST_LIMIT}}),
    ),
    "SetDestinationCommand": _form(_const(CommandType.SET_DESTINATION), _required_object(_PLACE)),
    "SetChargeScheduleCommand": _form(
        _const(CommandType.SET_CHARGE_SCHEDULE),
        {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in _SCHEDULES]},
    ),
    "DeleteChargeScheduleCommand": _form(
        _const(CommandType.DELETE_CHARGE_SCHEDULE),
        _required_object({"schedule_id": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,80}$"}}),
    ),
}
_SCHEMAS: dict[str, Json] = {
    "SimpleCommandKind": {
        "type": "string",
        "enum": [kind.value for kind in _SIMPLE],
        "description": "The commands without parameters, except unlock.",
    },
    **_SCHEDULES,
    **_FORMS,
}
REQUEST_BODY: Json = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in _FORMS]}
"""The body of `POST vehicles/{id}/commands/`."""


def add_request_schemas(result: Json, **kwargs: Any) -> Json:
    """A postprocessing hook that adds the forms of commands to the API description."""
    result["components"]["schemas"] |= _SCHEMAS
    return result


LOCATION = OpenApiParameter(
    name="Location",
    type=OpenApiTypes.URI,
    location=OpenApiParameter.HEADER,
    response=[200, 201],
    description="The address of the command, to poll for its result.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    name=KEY,
    type={"type": "string", "pattern": f"^{KEY_PATTERN}$"},
    location=OpenApiParameter.HEADER,
    description=(
        "A key of your choice for this one command. Sent again with the same body it brings the same command, "
        "and 200, instead of another one; with another body it is refused (409). An unlock needs one."
    ),
)


def _problem(description: str) -> OpenApiResponse:
    return OpenApiResponse(response={"$ref": "#/components/schemas/Problem"}, description=description)


CREATE_ERRORS = {
    (403, "application/problem+json"): _problem(
        "`permission_denied`: the caller's role does not allow it. `token_only_reads`: the token was not made for "
        "commands. `confirmation_required`: a browser's unlock, more than ten minutes after the password was given."
    ),
    (409, "application/problem+json"): _problem(
        "`not_possible`: `detail` is the reason, for example that another command to the vehicle is in progress. "
        "`key_reused`: the key belongs to another command. `ambiguous`: the vehicle is in several of the caller's "
        "fleets."
    ),
}
CANCEL_ERRORS = {
    (403, "application/problem+json"): _problem(
        "`permission_denied`: the caller's role does not allow it. `token_only_reads`: the token was not made for "
        "commands."
    ),
    (409, "application/problem+json"): _problem(
        "`too_late`: the command is already being sent or is complete."
    ),
}
