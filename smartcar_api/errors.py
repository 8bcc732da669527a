"""SmartcarError, the only error that this package raises, and how callers classify it."""

import math
from typing import Any

from core.message_codes import Message
from smartcar_api import error_messages
from smartcar_api.redaction import one_line, scrub

NO_ANSWER = "NO_ANSWER"
NOT_SENT = "NOT_SENT"
UNREADABLE_ANSWER = "UNREADABLE_ANSWER"
GATEWAY = "GATEWAY"

# Why a request was deferred before anything was sent (smartcar_api.ratelimit).
RATE_LIMITED = "NO_ROOM"
VEHICLE_COOLDOWN = "CAR_RESTS"
MONTHLY_LIMIT_REACHED = "NO_ALLOWANCE"
HOST_DOWN = "HOST_DOWN"

_DEFERRED = frozenset({RATE_LIMITED, VEHICLE_COOLDOWN, MONTHLY_LIMIT_REACHED, HOST_DOWN})
_UNKNOWN_ENDPOINT = frozenset({"INVALID_PATH", "VERSION"})
_UNSENDABLE = frozenset({"INVALID", "UNSUPPORTED"})
_RETRYABLE = frozenset({408, 409, 425, 429})


class SmartcarError(Exception):
    """Smartcar rejected a request, or there was no response, or it could not be parsed.

    `type` and `code` are Smartcar's ("API Errors"). For an OAuth error, `type` is its `error`, for example
    `invalid_grant`. Types of our own are NOT_SENT (nothing was sent), NO_ANSWER (TIMEOUT or BROKEN), GATEWAY (an error
    response that is not from Smartcar's API) and UNREADABLE_ANSWER (a success that could not be parsed). `status` is
    the HTTP status, or 0 without a response. `retry_after` is in seconds. `resolution_url` can identify the vehicle
    and is not part of str, repr and args, which contain nothing that looks like a token, a VIN or an email address.
    """

    def __init__(
        self,
        *,
        type: str,  # noqa: A002
        code: str = "",
        description: str = "",
        suggested_user_message: str = "",
        request_id: str = "",
        doc_url: str = "",
        status: int = 0,
        retry_after: int | None = None,
        resolution_type: str = "",
        resolution_url: str = "",
    ) -> None:
        self.type = type
        self.code = code
        self.description = one_line(scrub(description), limit=300)
        self.suggested_user_message = one_line(scrub(suggested_user_message), limit=500)
        self.request_id = request_id
        self.doc_url = doc_url
        self.status = status
        self.retry_after = retry_after
        self.resolution_type = resolution_type
        self.resolution_url = resolution_url
        super().__init__(self._summary())

    def _summary(self) -> str:
        name = ":".join(part for part in (self.type, self.code) if part)
        marks = [f"HTTP {self.status}"] if self.status else []
        marks += [f"request {self.request_id}"] if self.request_id else []
        message = f" - {self.description}" if self.description else ""
        return f"{name}{message} ({', '.join(marks)})" if marks else f"{name}{message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (dict(self.__dict__),)

    @property
    def outcome_unknown(self) -> bool:
        """Whether a command sent with this request may have been carried out anyway.

        True for a timeout after sending, a broken or unreadable response, and every 5xx except 501, which Smartcar
        returns before it contacts the vehicle.
        """
        if self.status == 0:
            return self.type == NO_ANSWER
        return self.type == UNREADABLE_ANSWER or (self.status >= 500 and self.status != 501)

    @property
    def permanent(self) -> bool:
        """Whether the same request with the same token would fail again."""
        if self.resolution_type == "RETRY_LATER":
            return False
        if self.status == 0:
            return self.type == NOT_SENT and self.code in _UNSENDABLE
        return self.status == 501 or (300 <= self.status < 500 and self.status not in _RETRYABLE)

    @property
    def unauthorized(self) -> bool:
        """Whether the token or the credentials were rejected (401): ours on v3, the driver's token on v2."""
        return self.status == 401

    @property
    def deferred(self) -> bool:
        """Whether the request budget deferred the request: nothing was sent. `retry_after` is set."""
        return self.type == NOT_SENT and self.code in _DEFERRED

    @property
    def not_found(self) -> bool:
        """Whether the vehicle or other resource doesn't exist at Smartcar (404), while the endpoint does.

        v2 uses the code PATH for both cases ("Resource Not Found"), which is taken to mean the resource.
        """
        return self.status == 404 and self.code not in _UNKNOWN_ENDPOINT

    @property
    def needs_reauth(self) -> bool:
        """Whether Smartcar requires the driver to reauthenticate. A single such error is not conclusive."""
        return self.resolution_type == "REAUTHENTICATE" or self.type == "invalid_grant"

    @property
    def smartcar_message(self) -> str:
        """Smartcar's own message for the driver, or "" if there is none or one with unfilled placeholders."""
        return error_messages.without_gaps(self.suggested_user_message)

    @property
    def message(self) -> Message:
        """Our message for the type and code, to be stored in rows: what happened, why, and what to do next."""
        return Message(*error_messages.code_for(self))

    @property
    def user_message(self) -> str:
        """Our message in the active language. For display, not for rows."""
        return str(self.message)


def _restore(fields: dict[str, Any]) -> SmartcarError:
    return SmartcarError(**fields)


def not_sent(description: str, *, code: str = "INVALID") -> SmartcarError:
    """Returns the error for a request that was not sent.

    INVALID: the request is impossible. UNSUPPORTED: this API version doesn't have it. CONNECT_FAILED: no connection.
    """
    return SmartcarError(type=NOT_SENT, code=code, description=description)


def deferred(code: str, *, retry_after: float) -> SmartcarError:
    """Returns the error for a request that the request budget defers, for one of the reasons in `_DEFERRED`."""
    seconds = max(1, math.ceil(retry_after))
    return SmartcarError(
        type=NOT_SENT, code=code, description=f"deferred for {seconds} s", retry_after=seconds
    )


def no_answer(description: str, *, code: str) -> SmartcarError:
    """Returns the error for a request that was sent at least partly but got no complete response: TIMEOUT or BROKEN."""
    return SmartcarError(type=NO_ANSWER, code=code, description=description)


def unreadable(description: str, *, status: int, request_id: str) -> SmartcarError:
    """Returns the error for a success with an undocumented body. The body is left out, as it may contain tokens."""
    return SmartcarError(
        type=UNREADABLE_ANSWER, description=description, status=status, request_id=request_id
    )
