"""The one door for calls about a connection: the right client, a valid token, one place that every call passes.

Nothing else calls Smartcar about a car. What limits calls, counts them or chooses between applications stands here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from django.conf import settings

from accounts.models import Generation
from connect import applications, token_store
from connect.models import Connection
from connect.usage.quota import VehicleMeter
from smartcar_api import Access, SmartcarApi, SmartcarError
from smartcar_api.ratelimit import limiter, priority
from smartcar_api.ratelimit.middleware import bucket_of
from smartcar_api.ratelimit.priority import Cause
from smartcar_api.ratelimit.priority import Purpose as Purpose
from smartcar_api.ratelimit.routes import Target

T = TypeVar("T")


@contextmanager
def purpose(why: Purpose, *, patience: float = 0.0) -> Iterator[None]:
    """Requests about no connection that are made in this block have this purpose. Otherwise a person waits for them.

    Each may wait for so many seconds (`patience`) for room in the request budget; what holds a transaction should not.
    """
    with priority.on_behalf(Cause(why, patience=patience)):
        yield


def call(*, connection: Connection, purpose: Purpose, make: Callable[[SmartcarApi, Access], T]) -> T:
    """What the call returns; on a 401 it is made once more with a new token. Not for commands.

    Raises connect.token_store.TokensUnavailableError and what `make` raises (SmartcarError, with `put_off` when the
    rate limiter defers the request).
    """
    api = applications.of_connection(connection).api(connection.generation)
    with priority.on_behalf(_cause(connection, purpose)):
        return token_store.calling(connection=connection, call=lambda access: make(api, access))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that is ready to be sent once: its token is in hand, and there is room for it in the request budget."""

    connection: Connection
    api: SmartcarApi
    cause: Cause
    access: Access = field(repr=False)

    def send(self, make: Callable[[SmartcarApi, Access], T]) -> T:
        """Makes the call, exactly once; a token that Smartcar refuses (401) is replaced before the next one.

        Raises SmartcarError.
        """
        try:
            with priority.on_behalf(self.cause):
                return make(self.api, self.access)
        except SmartcarError as error:
            if error.unauthorised:
                token_store.drop(connection=self.connection, refused=self.access)
            raise


def prepare(*, connection: Connection, purpose: Purpose) -> Prepared:
    """Everything that can fail before the sending, so that a claim is taken only when nothing but the call is left.

    A command waits some seconds for capacity. Raises connect.token_store.TokensUnavailableError or SmartcarError; then
    nothing was sent to the vehicle.
    """
    application = applications.of_connection(connection)
    cause = _cause(connection, purpose)
    with priority.on_behalf(cause):
        access = token_store.access(connection=connection)
        limiter.admit(
            application=bucket_of(application.credentials),
            target=_car(connection),
            cause=cause,
        )
    api = application.api(connection.generation)
    return Prepared(connection, api, replace(cause, admitted=True), access)


def _cause(connection: Connection, purpose: Purpose) -> Cause:
    meter = VehicleMeter(vehicle_id=connection.vehicle_id, fleet_id=connection.fleet_id)
    return Cause(purpose, meter=meter)


def _car(connection: Connection) -> Target:
    host = "api" if connection.generation == Generation.V2 else "vehicle"
    return Target(host, settings.SMARTCAR_ORIGINS[host], connection.vehicle.smartcar_id, billed=1)
