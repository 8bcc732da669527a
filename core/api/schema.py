"""Additions to the API's OpenAPI description: authentication, and the form of errors."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

_PROBLEM = {
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
    "429": "Too many calls: `Retry-After` is the number of seconds to wait.",
}
_NO_JSON = "The body is not of the type application/json."
_AMBIGUOUS = "The vehicle is in several of the caller's fleets: select one with `?fleet=`."


class Schema(AutoSchema):
    """The schema class of the settings. Defined in this module so that the extension below is loaded, too."""


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes accounts.api.authentication.TokenAuthentication."""

    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token made on the fleet's page of tokens.",
        }


def add_error_responses(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A postprocessing hook that adds the error responses to every operation."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    for path, operations in result["paths"].items():
        errors = _ERRORS | ({"409": _AMBIGUOUS} if "{smartcar_id}" in path else {})
        for operation in operations.values():
            body_errors = {"415": _NO_JSON} if "requestBody" in operation else {}
            for status, description in (errors | body_errors).items():
                operation["responses"].setdefault(status, _error_response(description))
    return result


def _error_response(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}
