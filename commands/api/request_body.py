"""Strict parsing of the request body for a command: unknown fields are rejected rather than ignored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from commands.services import MAX_KEY_LENGTH, MAX_REASON_LENGTH
from commands.types import UNLOCKING, CommandType

KEY = "Idempotency-Key"
KEY_PATTERN = f"[!-~]{{1,{MAX_KEY_LENGTH}}}"
_NAMES_OF_TYPES: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    float: "a number",
    dict: "an object",
}
_FIELDS: Mapping[str, type] = {"kind": str, "parameters": dict, "reason": str, "when_awake": bool}
_PLACE: Mapping[str, type] = {"latitude": float, "longitude": float}
PARAMETERS: Mapping[CommandType, Mapping[str, type]] = {
    CommandType.SET_CHARGE_LIMIT: {"percent": float},
    CommandType.SET_DESTINATION: _PLACE,
    CommandType.SET_CHARGE_SCHEDULE: {**_PLACE, "type": str, "windows": dict},
    CommandType.DELETE_CHARGE_SCHEDULE: {"schedule_id": str},
}
"""The parameters of each command; others have none. commands.parameters validates the values."""


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A requested command, as parsed from the body."""

    kind: CommandType
    parameters: dict[str, Any]
    reason: str
    when_online: bool


def parse_command(body: Any) -> CommandRequest:
    """Parses the body of `POST vehicles/{id}/commands/`. Raises ValidationError, which names each invalid field."""
    if not isinstance(body, dict):
        raise ValidationError({"body": ["It has to be a JSON object."]})
    _check(body, _FIELDS)
    kind, reason, parameters = _kind(body), body.get("reason", ""), body.get("parameters", {})
    if len(reason) > MAX_REASON_LENGTH or "\x00" in reason:
        raise ValidationError(
            {"reason": [f"It has at most {MAX_REASON_LENGTH} characters, none of them NUL."]}
        )
    _check(parameters, PARAMETERS.get(kind, {}), within="parameters")
    _check_windows(parameters.get("windows", {}))
    return CommandRequest(kind, parameters, reason, body.get("when_awake", False))


def idempotency_key(request: Request, *, kind: CommandType) -> str:
    """Returns the idempotency key, or "". Raises ValidationError for an invalid key, or an unlock without one.

    A client that lost the response sends the request again. That must never unlock a vehicle twice.
    """
    key: str | None = request.headers.get(KEY)
    if key is None and kind in UNLOCKING:
        raise ValidationError(
            {
                KEY: [
                    "An unlock requires this header. Use a new key for each unlock, and the same key when you retry."
                ]
            }
        )
    if key is not None and not re.fullmatch(KEY_PATTERN, key):
        raise ValidationError(
            {KEY: [f"It has at most {MAX_KEY_LENGTH} visible characters of ASCII, and no spaces."]}
        )
    return key or ""


def _kind(body: Mapping[str, Any]) -> CommandType:
    try:
        return CommandType(body.get("kind", ""))
    except ValueError:
        raise ValidationError({"kind": [f"It has to be one of: {', '.join(CommandType.values)}."]}) from None


def _check(data: Mapping[str, Any], fields: Mapping[str, type], within: str = "") -> None:
    """Checks that there are only these fields, each of its type.

    An integer counts as a number, and a boolean doesn't.
    """
    known = f"There are: {', '.join(fields)}." if fields else "This command carries nothing."
    errors = {name: f"There is no such field. {known}" for name in data if name not in fields}
    errors |= {
        name: f"It has to be {_NAMES_OF_TYPES[fields[name]]}."
        for name, value in data.items()
        if name in fields and not _matches(value, fields[name])
    }
    if errors and within:
        raise ValidationError({within: [f"{name}: {text}" for name, text in errors.items()]})
    if errors:
        raise ValidationError({name: [text] for name, text in errors.items()})


def _matches(value: Any, expected_type: type) -> bool:
    if expected_type is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, expected_type)


def _check_windows(windows: Mapping[str, Any]) -> None:
    """Checks that windows are pairs of non-empty strings. Clients omit days without times, unlike forms."""
    for part, pair in windows.items():
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(t, str) and t for t in pair):
            raise ValidationError(
                {"parameters": [f'windows: {part}: It has to be ["22:00", "06:00"] or the like.']}
            )
