"""The one error that everything here raises, and what can be told from it."""

import math
from typing import Any

from core.message_codes import Message
from smartcar_api import error_messages
from smartcar_api.redaction import one_line, scrub

NO_ANSWER = "NO_ANSWER"
NOT_SENT = "NOT_SENT"
UNREADABLE_ANSWER = "UNREADABLE_ANSWER"
GATEWAY = "GATEWAY"

# Why a request was put off, before anything was sent (smartcar_api.ratelimit).
RATE_LIMITED = "NO_ROOM"
VEHICLE_COOLDOWN = "CAR_RESTS"
MONTHLY_LIMIT_REACHED = "NO_ALLOWANCE"
HOST_DOWN = "HOST_DOWN"

_DEFERRED = frozenset({RATE_LIMITED, VEHICLE_COOLDOWN, MONTHLY_LIMIT_REACHED, HOST_DOWN})
_WRONG_ADDRESS = frozenset({"INVALID_PATH", "VERSION"})
_UNSENDABLE = frozenset({"INVALID", "UNSUPPORTED"})
_WAITING_HELPS = frozenset({408, 409, 425, 429})


class SmartcarError(Exception):
    """Smartcar refused a request, or there was no answer, or none that can be read.

    `type` and `code` are Smartcar's ("API Errors"); of an OAuth refusal `type` is its `error`, for example
    `invalid_grant`. Ours are NOT_SENT (nothing left this machine), NO_ANSWER (TIMEOUT or BROKEN), GATEWAY (a
    refusal that Smartcar's API did not write) and UNREADABLE_ANSWER (a success that cannot be read). `status` is
    the HTTP status, 0 without an answer. `retry_after` is seconds. `resolution_url` can name the vehicle and is
    left out of str, repr and args, which hold nothing that looks like a token, a VIN or an e-mail address.
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
        said = f" - {self.description}" if self.description else ""
        return f"{name}{said} ({', '.join(marks)})" if marks else f"{name}{said}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (dict(self.__dict__),)

    @property
    def outcome_unknown(self) -> bool:
        """Whether a command sent with this request may have been carried out all the same.

        True for a wait that ran out after sending, a broken answer, one that cannot be read, and every 5xx but
        501, which Smartcar answers before it asks the car.
        """
        if self.status == 0:
            return self.type == NO_ANSWER
        return self.type == UNREADABLE_ANSWER or (self.status >= 500 and self.status != 501)

    @property
    def permanent(self) -> bool:
        """Whether the same request, with the same token, would be refused again."""
        if self.resolution_type == "RETRY_LATER":
            return False
        if self.status == 0:
            return self.type == NOT_SENT and self.code in _UNSENDABLE
        return self.status == 501 or (300 <= self.status < 500 and self.status not in _WAITING_HELPS)

    @property
    def unauthorized(self) -> bool:
        """Whether the token or the credentials were refused (401): ours on v3, the owner's token on v2."""
        return self.status == 401

    @property
    def deferred(self) -> bool:
        """Whether the request budget kept it back: nothing was sent, and `retry_after` says when to come again."""
        return self.type == NOT_SENT and self.code in _DEFERRED

    @property
    def gone(self) -> bool:
        """Whether Smartcar does not know what the request names (404), though it knows the request.

        v2 says PATH of both ("Resource Not Found"), and is believed to mean what is named.
        """
        return self.status == 404 and self.code not in _WRONG_ADDRESS

    @property
    def reauthentication(self) -> bool:
        """Whether Smartcar asks that the owner connect the car again. One such error alone is no proof of it."""
        return self.resolution_type == "REAUTHENTICATE" or self.type == "invalid_grant"

    @property
    def smartcar_message(self) -> str:
        """Smartcar's own message for the driver, or "" where it sent none or one with gaps."""
        return error_messages.without_gaps(self.suggested_user_message)

    @property
    def message(self) -> Message:
        """Our message for the type and code, for rows to store: what happened, why, and what to do next."""
        return Message(*error_messages.code_for(self))

    @property
    def user_message(self) -> str:
        """Smartcar's own message for the driver, else ours in the active language. For display, not for rows."""
        return self.smartcar_message or str(self.message)


def _restored(fields: dict[str, Any]) -> SmartcarError:
    return SmartcarError(**fields)


def not_sent(description: str, *, code: str = "INVALID") -> SmartcarError:
    """Nothing left this machine: a request that cannot be made (INVALID), one that this API version
    of the API does not have (UNSUPPORTED), or no connection (CONNECT_FAILED)."""
    return SmartcarError(type=NOT_SENT, code=code, description=description)


def deferred(code: str, *, retry_after: float) -> SmartcarError:
    """The request budget keeps the request back for so many seconds: NO_ROOM, CAR_RESTS, NO_ALLOWANCE or HOST_DOWN."""
    seconds = max(1, math.ceil(retry_after))
    return SmartcarError(
        type=NOT_SENT, code=code, description=f"kept back for {seconds} s", retry_after=seconds
    )


def no_answer(description: str, *, code: str) -> SmartcarError:
    """The request was sent, or partly, and no whole answer came: TIMEOUT or BROKEN."""
    return SmartcarError(type=NO_ANSWER, code=code, description=description)


def unreadable(description: str, *, status: int, request_id: str) -> SmartcarError:
    """A success whose body is not what the documentation promises. The body itself is left out: it may hold tokens."""
    return SmartcarError(
        type=UNREADABLE_ANSWER, description=description, status=status, request_id=request_id
    )
