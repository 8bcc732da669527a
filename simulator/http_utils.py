"""HTTP helpers for all hosts: JSON responses, request bodies and credentials in headers."""

import base64
import binascii
import uuid
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from simulator.json_numbers import dumps


def request_id() -> str:
    """Return a new id for the SC-Request-Id header."""
    return str(uuid.uuid4())


def json_response(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response with an SC-Request-Id, unless ``headers`` contain one."""
    sent = dict(headers or {})
    sent.setdefault("SC-Request-Id", request_id())
    return Response(dumps(body), status_code=status, headers=sent, media_type="application/json")


async def json_object(request: Request) -> dict[str, Any] | None:
    """Return the request's JSON object: {} for an empty body, None for anything else."""
    raw = await request.body()
    if not raw:
        return {}
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def bearer(request: Request) -> str | None:
    """Return the token of an ``Authorization: Bearer`` header, or None."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def basic(request: Request) -> tuple[str, str] | None:
    """Return the user and password of an ``Authorization: Basic`` header, or None."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, separator, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if separator else None
