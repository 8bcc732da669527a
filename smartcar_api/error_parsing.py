"""Parses error responses, in any form that Smartcar or a proxy sends, into a SmartcarError.

Four forms: v2's flat object ("API Errors"), v3's list of errors, OAuth's error and error_description, and text from
a gateway. Parsing never raises, whatever the body contains.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from core.json_reading import read_json, without_nul
from smartcar_api.errors import GATEWAY, SmartcarError
from smartcar_api.redaction import one_line, scrub

Json = dict[str, Any]

_NAME = re.compile(r"[A-Za-z][A-Za-z_\-]{0,63}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_URL = re.compile(r"https?://[^\s\"<>\x00-\x1f\x7f]{1,2000}")
_NUL = b"\\u0000"
_STATUS = re.compile(r"[1-5][0-9]{2}")
_LONGEST_WAIT = 31 * 86400

_TYPE_BY_STATUS = {
    400: "VALIDATION",
    401: "AUTHENTICATION",
    403: "PERMISSION",
    404: "RESOURCE_NOT_FOUND",
    429: "RATE_LIMIT",
    430: "BILLING",
    500: "SERVER",
    501: "COMPATIBILITY",
    502: "UPSTREAM",
    504: "UPSTREAM",
}


def parse_error(
    *, status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[str] = ()
) -> SmartcarError:
    """Returns the response as an error. `secrets` of the request are removed from every text.

    `headers` must be case-insensitive or in lower case. If the HTTP status is below 300, as for a long v3 command
    ("Commands", 202), the status in the body is used.
    """
    hidden = tuple(secrets)
    answer = parsed(body)
    request_id = get_request_id(headers, hidden)
    retry_after = _retry_after(headers.get("retry-after", ""))
    if isinstance(answer, dict):
        errors = answer.get("errors")
        if isinstance(errors, list) and errors and isinstance(errors[0], dict):
            return v3_error(
                errors[0], status=status, request_id=request_id, retry_after=retry_after, secrets=hidden
            )
        if _name(answer.get("error"), hidden):
            return _oauth(answer, status, request_id, retry_after, hidden)
        if _name(answer.get("type"), hidden):
            return _v2(answer, status, request_id, retry_after, hidden)
    return SmartcarError(
        type=GATEWAY,
        description=one_line(scrub(body.decode("utf-8", "replace"), hidden), limit=120),
        status=status,
        request_id=request_id,
        retry_after=retry_after,
    )


def parsed(body: bytes) -> Any:
    """Returns the JSON in the body in a form that can be stored, or None if the body is not JSON."""
    try:
        return without_nul(read_json(body).value) if _NUL in body else read_json(body).value
    except (ValueError, RecursionError):
        return None


def get_request_id(headers: Mapping[str, str], secrets: Iterable[str] = ()) -> str:
    """Returns Smartcar's ID of the request ("Headers"), which its support needs; empty if there is none."""
    request_id = headers.get("sc-request-id", "")
    return request_id if _REQUEST_ID.fullmatch(request_id) and request_id not in secrets else ""


def _v2(
    answer: Json, status: int, request_id: str, retry_after: int | None, hidden: tuple[str, ...]
) -> SmartcarError:
    body_id = _text(answer, "requestId")
    resolution_type, resolution_url = _resolution(answer.get("resolution"), hidden)
    return SmartcarError(
        type=_name(answer.get("type"), hidden),
        code=_name(answer.get("code"), hidden),
        description=scrub(_text(answer, "description") or _text(answer, "message"), hidden),
        suggested_user_message=scrub(_text(answer, "suggestedUserMessage"), hidden),
        request_id=request_id or (body_id if _UUID.fullmatch(body_id) and body_id not in hidden else ""),
        doc_url=_url(answer.get("docURL"), hidden),
        status=_status(status, answer.get("statusCode")),
        retry_after=retry_after,
        resolution_type=resolution_type,
        resolution_url=resolution_url,
    )


def v3_error(
    error: Json, *, status: int, request_id: str, retry_after: int | None = None, secrets: Iterable[str] = ()
) -> SmartcarError:
    """Returns one entry of v3's list of errors as an error. A failed command contains such an entry, too."""
    hidden = tuple(secrets)
    status = _status(status, error.get("status"))
    links = error.get("links")
    resolution_type, resolution_url = _resolution(error.get("resolution"), hidden)
    return SmartcarError(
        type=_name(error.get("type"), hidden).upper() or _TYPE_BY_STATUS.get(status, "UNKNOWN"),
        code=_name(error.get("code"), hidden).upper(),
        description=scrub(
            _text(error, "detail") or _text(error, "description") or _text(error, "title"), hidden
        ),
        suggested_user_message=scrub(_text(error, "suggestedUserMessage"), hidden),
        request_id=request_id,
        doc_url=_url(links.get("about") if isinstance(links, dict) else None, hidden),
        status=status,
        retry_after=retry_after,
        resolution_type=resolution_type,
        resolution_url=resolution_url,
    )


def _oauth(
    answer: Json, status: int, request_id: str, retry_after: int | None, hidden: tuple[str, ...]
) -> SmartcarError:
    return SmartcarError(
        type=_name(answer.get("error"), hidden),
        description=scrub(_text(answer, "error_description") or _text(answer, "message"), hidden),
        status=_status(status, answer.get("statusCode")),
        request_id=request_id,
        retry_after=retry_after,
    )


def _text(values: Json, key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def _name(value: Any, hidden: tuple[str, ...]) -> str:
    """Returns a type or code, which is a single word without digits, or "" for any other value."""
    if not isinstance(value, str) or not _NAME.fullmatch(value) or value in hidden:
        return ""
    return value if scrub(value) == value else ""


def _url(value: Any, hidden: tuple[str, ...]) -> str:
    if (
        not isinstance(value, str)
        or not _URL.fullmatch(value)
        or any(secret in value for secret in hidden if secret)
    ):
        return ""
    return value


def _resolution(value: Any, hidden: tuple[str, ...]) -> tuple[str, str]:
    """Returns the type and URL of a resolution, which is an object or, sometimes on v3, only the type."""
    if isinstance(value, dict):
        return _name(value.get("type"), hidden), _url(value.get("url"), hidden)
    return _name(value, hidden), ""


def _status(status: int, body_status: Any) -> int:
    """Returns the HTTP status, or for a status below 300 the one in the body, which is a number or a string."""
    if status >= 300 or isinstance(body_status, bool) or not isinstance(body_status, int | str):
        return status
    text = str(body_status)
    return int(text) if _STATUS.fullmatch(text) else status


def _retry_after(value: str) -> int | None:
    """Returns the seconds to wait, from a number of seconds or a date (RFC 9110, "Retry-After")."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:12]), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0, min(round((until - datetime.now(UTC)).total_seconds()), _LONGEST_WAIT))
