"""Smartcar's own SDK, using our transport.

The SDK (6.19.1) has the URLs of Smartcar's hosts in module-level names, opens a connection for each call, has a timeout
of 310 s for everything, and loses or breaks on error responses (`exception_factory`). It sends every request with one
function, `helpers.requester`, which is replaced here once. Within `call`, a request is sent to the caller's origin,
with the caller's timeout and connection pool, and an error response raises SmartcarError. The caller is stored in a
context variable, so clients with different origins can work at the same time. Outside of `call` the SDK works as usual.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from smartcar import auth_client, config, helpers, vehicle
from smartcar import smartcar as functions

from smartcar_api.errors import SmartcarError, unreadable
from smartcar_api.transport import Answer, Transport

# The SDK has no types.
AuthClient: Any = auth_client.AuthClient
Vehicle: Any = vehicle.Vehicle
get_user: Any = functions.get_user
get_vehicles: Any = functions.get_vehicles
get_connections: Any = functions.get_connections

T = TypeVar("T")


class Host(StrEnum):
    """The SDK's names for the hosts that we call through it."""

    API = "API_ORIGIN"
    AUTH = "AUTH_ORIGIN"
    CONNECT = "CONNECT_ORIGIN"
    MANAGEMENT = "MANAGEMENT_API_ORIGIN"


@dataclass(frozen=True, slots=True)
class _SdkContext:
    transport: Transport
    host: Host
    origin: str
    timeout: float
    on_answer: Callable[[Answer], None] | None


_context: ContextVar[_SdkContext | None] = ContextVar("smartcar_sdk_context", default=None)
_sdk_requester = helpers.requester


def _requester(method: str, url: str, **content: Any) -> Any:
    context = _context.get()
    if context is None:
        return _sdk_requester(method, url, **content)
    address = replace_origin(url, host=context.host, origin=context.origin)
    answer = context.transport.send(method, address, timeout=context.timeout, **content)
    if context.on_answer is not None:
        context.on_answer(answer)
    return answer


helpers.requester = _requester


def replace_origin(url: str, *, host: Host, origin: str) -> str:
    """Returns a URL that the SDK built, with our origin in place of the SDK's."""
    sdk_origin: str = getattr(config, host)
    return origin + url.removeprefix(sdk_origin)


def call(
    function: Callable[[], T],
    *,
    transport: Transport,
    host: Host,
    origin: str,
    timeout: float,
    on_answer: Callable[[Answer], None] | None = None,
) -> T:
    """Returns the result of the SDK's method. `on_answer` is called with each response before the SDK reads it.

    Raises SmartcarError without the SDK's frames, which contain tokens.
    """
    reset_token = _context.set(_SdkContext(transport, host, origin, timeout, on_answer))
    try:
        return function()
    except SmartcarError as error:
        raise error.with_traceback(None) from None
    except Exception as error:  # noqa: BLE001 - an undocumented response can raise anything in the SDK
        failure = unreadable(f"the SDK cannot read it: {type(error).__name__}", status=200, request_id="")
    finally:
        _context.reset(reset_token)
    raise failure
