"""The OpenAPI schema for sending a command: one form per command type, precise enough to be tested against."""

from typing import Any

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
    return _required_object({"type": {"type": "string", "enum": [name]}, **_PLACE, "windows": windows})


_PARAMETER_SCHEMAS: dict[CommandType, Json] = {
    CommandType.SET_CHARGE_LIMIT: _required_object(
        {"percent": {"type": "integer", "minimum": LEAST_LIMIT, "maximum": MOST_LIMIT}}
    ),
    CommandType.SET_DESTINATION: _required_object(_PLACE),
    CommandType.SET_CHARGE_SCHEDULE: {"oneOf": [_schedule(name, parts) for name, parts in PARTS.items()]},
    CommandType.DELETE_CHARGE_SCHEDULE: _required_object(
        {"schedule_id": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,80}$"}}
    ),
}


def _form(kinds: list[CommandType], parameters: Json | None) -> Json:
    when_online: Json = {
        "type": "boolean",
        "default": False,
        "description": "Sent when the vehicle next reports data, within 12 hours, instead of now.",
    }
    properties: Json = {
        "kind": {"type": "string", "enum": [kind.value for kind in kinds]},
        "parameters": parameters or {"type": "object", "additionalProperties": False},
        "reason": {
            "type": "string",
            "maxLength": MAX_REASON_LENGTH,
            "pattern": r"^[^\x00]*$",
            "description": "The reason, stored with the command. A fleet can require one.",
        },
        "when_awake": {**when_online, "enum": [False]} if UNLOCKING & set(kinds) else when_online,
    }
    return _object(properties, required=["kind", "parameters"] if parameters else ["kind"])


_WITHOUT_PARAMETERS = [kind for kind in CommandType if kind not in PARAMETERS]
REQUEST_BODY: Json = {
    "oneOf": [
        _form([kind for kind in _WITHOUT_PARAMETERS if kind not in UNLOCKING], None),
        _form(sorted(UNLOCKING), None),
        *(_form([kind], parameters) for kind, parameters in _PARAMETER_SCHEMAS.items()),
    ]
}
"""The body of `POST vehicles/{id}/commands/`."""

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
