"""The one door for calls about a connection: the right client, a valid token, one place that every call passes.

Nothing else calls Smartcar about a car. What limits calls, counts them or chooses between applications stands here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from django.conf import settings

from accounts.models import SmartcarApiVersion
from connect import applications, token_store
from connect.models import Connection
from connect.usage.quota import VehicleMeter
from smartcar_api import Access, SmartcarApi, SmartcarError
from smartcar_api.ratelimit import limiter, priority
from smartcar_api.ratelimit.middleware import bucket_id
from smartcar_api.ratelimit.priority import CallPurpose as CallPurpose
from smartcar_api.ratelimit.priority import RequestContext
from smartcar_api.ratelimit.routes import Target

T = TypeVar("T")


@contextmanager
def purpose(why: CallPurpose, *, patience: float = 0.0) -> Iterator[None]:
    """Requests about no connection that are made in this block have this purpose. Otherwise a person waits for them.

    Each may wait for so many seconds (`patience`) for room in the request budget; what holds a transaction should not.
    """
    with priority.request_context(RequestContext(why, patience=patience)):
        yield


def call(*, connection: Connection, purpose: CallPurpose, make: Callable[[SmartcarApi, Access], T]) -> T:
    """What the call returns; on a 401 it is made once more with a new token. Not for commands.

    Raises connect.token_store.TokensUnavailableError and what `make` raises (SmartcarError, with `put_off` when the
    rate limiter defers the request).
    """
    api = applications.for_connection(connection).api(connection.api_version)
    with priority.request_context(_request_context(connection, purpose)):
        return token_store.call_with_token(connection=connection, call=lambda access: make(api, access))


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A call that is ready to be sent once: its token is in hand, and there is room for it in the request budget."""

    connection: Connection
    api: SmartcarApi
    cause: RequestContext
    access: Access = field(repr=False)

    def send(self, make: Callable[[SmartcarApi, Access], T]) -> T:
        """Makes the call, exactly once; a token that Smartcar refuses (401) is replaced before the next one.

        Raises SmartcarError.
        """
        try:
            with priority.request_context(self.cause):
                return make(self.api, self.access)
        except SmartcarError as error:
            if error.unauthorized:
                token_store.invalidate(connection=self.connection, refused=self.access)
            raise


def prepare(*, connection: Connection, purpose: CallPurpose) -> PreparedCall:
    """Everything that can fail before the sending, so that a claim is taken only when nothing but the call is left.

    A command waits some seconds for capacity. Raises connect.token_store.TokensUnavailableError or SmartcarError; then
    nothing was sent to the vehicle.
    """
    application = applications.for_connection(connection)
    cause = _request_context(connection, purpose)
    with priority.request_context(cause):
        access = token_store.access(connection=connection)
        limiter.admit(
            application=bucket_id(application.credentials),
            target=_target(connection),
            context=cause,
        )
    api = application.api(connection.api_version)
    return PreparedCall(connection, api, replace(cause, admitted=True), access)


def _request_context(connection: Connection, purpose: CallPurpose) -> RequestContext:
    meter = VehicleMeter(vehicle_id=connection.vehicle_id, fleet_id=connection.fleet_id)
    return RequestContext(purpose, meter=meter)


def _target(connection: Connection) -> Target:
    host = "api" if connection.api_version == SmartcarApiVersion.V2 else "vehicle"
    return Target(host, settings.SMARTCAR_ORIGINS[host], connection.vehicle.smartcar_id, billed=1)
