"""Additions to the API's OpenAPI description: authentication, errors, headers, named types."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from core.api import rate_limits
from core.request_ids import HEADER as REQUEST_ID

Json = dict[str, Any]

_PROBLEM: Json = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Which problem it is, for programs."},
        "detail": {"type": "string", "description": "What happened, and what to do about it."},
        "errors": {
            "type": "object",
            "description": "Of each parameter that was not understood, why.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
_ERRORS = {
    "400": "A parameter was not understood.",
    "401": "No user is signed in, or the token is invalid.",
    "403": "The caller's role in the fleet does not allow it.",
    "404": "There is no such thing in a fleet of the caller's.",
    "405": "The address exists, but not for this method. `Allow` lists the methods.",
    "406": "`Accept` excludes JSON, and the API has no other format.",
    "429": "Too many calls: `Retry-After` is the number of seconds to wait.",
}
_NO_JSON = "The body is not of the type application/json."
_AMBIGUOUS = "The vehicle is in several of the caller's fleets: select one with `?fleet=`."
_NOT_MODIFIED = "The response is still the one with the `ETag` that was sent in `If-None-Match`."

_RATE_LIMIT_HEADERS = {
    rate_limits.LIMIT: ("RateLimitLimit", "Calls that the caller may make per minute."),
    rate_limits.REMAINING: ("RateLimitRemaining", "How many of them are left."),
    rate_limits.RESET: (
        "RateLimitReset",
        "Seconds until the oldest counted call counts no more. All three headers are missing if the caller is unknown.",
    ),
}
_HEADERS: dict[str, Json] = {
    "RequestId": {
        "description": "The ID of the request, also in the site's log. A valid one that the client sends is kept.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "The version of the response, for `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "Seconds to wait before the next call.",
        "required": True,
        "schema": {"type": "integer"},
    },
    "Allow": {"description": "The methods that the address has.", "schema": {"type": "string"}},
    "WwwAuthenticate": {
        "description": "The scheme to authenticate with.",
        "required": True,
        "schema": {"type": "string"},
    },
    **{
        name: {"description": description, "schema": {"type": "integer"}}
        for name, description in _RATE_LIMIT_HEADERS.values()
    },
}
_ON_EVERY_RESPONSE = {REQUEST_ID: "RequestId"} | {
    header: name for header, (name, _) in _RATE_LIMIT_HEADERS.items()
}
_BY_STATUS = {
    "401": {"WWW-Authenticate": "WwwAuthenticate"},
    "405": {"Allow": "Allow"},
    "429": {"Retry-After": "RetryAfter"},
}
_PATH_PARAMETERS = {
    "smartcar_id": "Smartcar's vehicle ID.",
    "code": "The code of the signal, such as `tractionbattery-stateofcharge`.",
    "command_id": "The command's `id`.",
    "delivery_id": "The delivery's `id`.",
}
_IF_NONE_MATCH: Json = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of an earlier response: 304 without a body if nothing has changed since.",
}


class Schema(AutoSchema):
    """The schema class of the settings: bodies are required, and views marked as revalidated respond with 304."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Json | None:
        operation: Json | None = super().get_operation(*args, **kwargs)
        if operation is not None and "requestBody" in operation:
            operation["requestBody"]["required"] = True
        if operation is not None and self.method == "GET" and getattr(self.view, "revalidated", False):
            operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
            operation["responses"]["304"] = {"description": _NOT_MODIFIED}
            for status in ("200", "304"):
                operation["responses"][status].setdefault("headers", {})["ETag"] = _header("ETag")
        return operation


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes accounts.api.authentication.TokenAuthentication."""

    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> Json:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token created on the fleet's API tokens page.",
        }


def name_parameter_enums(result: Json, **kwargs: Any) -> Json:
    """A postprocessing hook that refers parameters with a list of values to the named list, one type for clients."""
    schemas = result["components"]["schemas"]
    names = {frozenset(schema["enum"]): name for name, schema in schemas.items() if "enum" in schema}
    for _, operation in _operations(result):
        for parameter in operation.get("parameters", []):
            values = parameter["schema"].pop("enum", None)
            if values is None:
                continue
            name = names.setdefault(frozenset(values), f"{parameter['name'].title()}Enum")
            schemas.setdefault(name, {"type": "string", "enum": values})
            for implied in ("type", "minLength"):
                parameter["schema"].pop(implied, None)
            parameter["schema"]["$ref"] = f"#/components/schemas/{name}"
    return result


def allow_any_value(result: Json, **kwargs: Any) -> Json:
    """A postprocessing hook: drops "any value or null" of nullable JSON fields, of which null matches both parts."""
    for component in result["components"]["schemas"].values():
        for field in component.get("properties", {}).values():
            if {} in field.get("oneOf", []):
                del field["oneOf"]
    return result


def describe_operations(result: Json, **kwargs: Any) -> Json:
    """A postprocessing hook: describes path parameters, adds error responses to operations, headers to responses."""
    components = result["components"]
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["headers"] = _HEADERS
    for path, operation in _operations(result):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path" and parameter["name"] in _PATH_PARAMETERS:
                parameter.setdefault("description", _PATH_PARAMETERS[parameter["name"]])
        responses = operation["responses"]
        for status, description in _errors(path, operation).items():
            responses.setdefault(status, _error_response(description))
        for status, response in responses.items():
            named = _ON_EVERY_RESPONSE | _BY_STATUS.get(status, {})
            response.setdefault("headers", {}).update(
                {header: _header(name) for header, name in named.items()}
            )
        operation["responses"] = dict(sorted(responses.items()))
    return result


def _operations(result: Json) -> Iterator[tuple[str, Json]]:
    for path, operations in result["paths"].items():
        for operation in operations.values():
            yield path, operation


def _errors(path: str, operation: Json) -> dict[str, str]:
    errors = dict(_ERRORS)
    if "{smartcar_id}" in path:
        errors["409"] = _AMBIGUOUS
    if "requestBody" in operation:
        errors["415"] = _NO_JSON
    return errors


def _error_response(description: str) -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def _header(name: str) -> Json:
    return {"$ref": f"#/components/headers/{name}"}
