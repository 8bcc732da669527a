"""Smartcar's own SDK, speaking through our transport.

The SDK (6.19.1) keeps the addresses of Smartcar's hosts in module-level names, opens a connection for each call,
waits 310 s for everything, and loses or breaks on refusals (`exception_factory`). It sends everything through one
function, `helpers.requester`. That function is replaced here, once: inside `Sdk.call` a request goes to the caller's
origin, with the caller's time-out, through the caller's pool, and a refusal is a SmartcarError. Which caller it
is follows the thread, so two clients with different origins can work at the same time. Outside of `Sdk.call`
the SDK works as it was made.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from smartcar import auth_client, config, helpers, vehicle
from smartcar import smartcar as functions

from smartcar_api.errors import SmartcarError, unreadable
from smartcar_api.transport import Transport

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


_context: ContextVar[_SdkContext | None] = ContextVar("connect_smartcar_road", default=None)
_requester_of_the_sdk = helpers.requester


def _requester(method: str, url: str, **content: Any) -> Any:
    road = _context.get()
    if road is None:
        return _requester_of_the_sdk(method, url, **content)
    address = readdressed(url, host=road.host, origin=road.origin)
    return road.transport.send(method, address, timeout=road.timeout, **content)


helpers.requester = _requester


def readdressed(url: str, *, host: Host, origin: str) -> str:
    """An address that the SDK built, with our origin in place of its own."""
    theirs: str = getattr(config, host)
    return origin + url.removeprefix(theirs)


def call(ask: Callable[[], T], *, transport: Transport, host: Host, origin: str, timeout: float) -> T:
    """What the SDK's method returns. Raises SmartcarError, without the SDK's frames, which hold tokens."""
    mark = _context.set(_SdkContext(transport, host, origin, timeout))
    try:
        return ask()
    except SmartcarError as error:
        raise error.with_traceback(None) from None
    except Exception as error:  # noqa: BLE001 - an answer of another shape breaks the SDK in any way
        failure = unreadable(f"the SDK cannot read it: {type(error).__name__}", status=200, request_id="")
    finally:
        _context.reset(mark)
    raise failure
