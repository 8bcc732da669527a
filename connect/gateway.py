"""The single entry point for API calls about a connection: selects the client and supplies a valid token.

No other module calls Smartcar about a vehicle. Rate limits, counting and the choice of application apply here.
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
    """Sets the purpose of requests in this block that concern no connection. The default is an interactive request.

    Each request may wait up to `patience` seconds for capacity in the request budget; a caller inside a transaction
    should not wait.
    """
    with priority.request_context(RequestContext(why, patience=patience)):
        yield


def call(*, connection: Connection, purpose: CallPurpose, request: Callable[[SmartcarApi, Access], T]) -> T:
    """Returns the result of the call, which is repeated once with a new token on a 401. Not for commands.

    Raises connect.token_store.TokensUnavailableError, also if a secret can't be decrypted, and what `request` raises
    (SmartcarError, with `deferred` when the rate limiter defers the request).
    """
    with (
        token_store.decryption_checked(),
        priority.request_context(_request_context(connection, purpose)),
    ):
        api = applications.for_connection(connection).api(connection.api_version)
        return token_store.call_with_token(connection=connection, call=lambda access: request(api, access))


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A call that is ready to be sent once: it has a token and capacity in the request budget."""

    connection: Connection
    api: SmartcarApi
    cause: RequestContext
    access: Access = field(repr=False)

    def send(self, request: Callable[[SmartcarApi, Access], T]) -> T:
        """Makes the call exactly once. A token that Smartcar rejects (401) is invalidated for later calls.

        Raises SmartcarError.
        """
        try:
            with priority.request_context(self.cause):
                return request(self.api, self.access)
        except SmartcarError as error:
            if error.unauthorized:
                token_store.invalidate(connection=self.connection, refused=self.access)
            raise


def prepare(*, connection: Connection, purpose: CallPurpose) -> PreparedCall:
    """Does everything that can fail before sending, so that the caller can claim the command right before the call.

    A command waits a few seconds for capacity. Raises connect.token_store.TokensUnavailableError or SmartcarError; in
    that case nothing was sent to the vehicle.
    """
    cause = _request_context(connection, purpose)
    with token_store.decryption_checked(), priority.request_context(cause):
        application = applications.for_connection(connection)
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
