"""What has to hold before a connection may speak the other API version, asked of Smartcar through the gateway.

The calls are made for the connection as it will be: a copy in memory with the other API version, never saved.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from accounts.models import SmartcarApiVersion
from connect import applications, gateway
from connect.gateway import CallPurpose
from connect.models import Connection
from connect.v2.api_migration.models import MigrationMessage
from core.message_codes import CommonMessage, Message
from smartcar_api import Access, SharedVehicle, SmartcarApi, V2Api, V3Api, paths_granted

T = TypeVar("T")


class CannotMigrateError(Exception):
    """The connection cannot use the other API version, and waiting would not help. `message` says why."""

    smartcar_message = ""

    def __init__(self, message: Message) -> None:
        super().__init__(message.code)
        self.message = message


@dataclass(frozen=True, slots=True)
class MatchedConnection:
    """What Smartcar knows of the connection in the other API version; empty where that has no word for it."""

    user_id: str
    connection_id: str = ""


Listings = dict[tuple[int | None, str, str], dict[str, SharedVehicle]]
"""A driver's connections on v3, by (application, user id, mode): one question for all cars of a driver."""


def match_connection(*, connection: Connection, to: str, listings: Listings) -> MatchedConnection:
    """The driver and the grant of this connection as the other API version knows them.

    Raises CannotMoveError, SmartcarError, connect.token_store.TokensUnavailableError.
    """
    if to == SmartcarApiVersion.V3:
        return _listed_on_v3(connection, listings)
    if connection.tokens is None or connection.tokens.reread().revoked_at is not None:
        raise CannotMigrateError(MigrationMessage.NO_TOKENS.message())
    return MatchedConnection(connection.smartcar_user_id)


def _listed_on_v3(connection: Connection, listings: Listings) -> MatchedConnection:
    user_id = connection.smartcar_user_id or _user_by_pair(connection)
    key = (connection.application_id, user_id, connection.mode)
    if key not in listings:
        shared = _call(connection, SmartcarApiVersion.V3, user_id, _shared(connection.mode))
        listings[key] = {car.vehicle_id: car for car in shared}
    car = listings[key].get(connection.vehicle.smartcar_id) or _only_grant(connection, user_id)
    return MatchedConnection(car.user_id, car.connection_id)


def _user_by_pair(connection: Connection) -> str:
    """The owner of the connection's v2 token pair ("User")."""
    return gateway.call(
        connection=connection,
        purpose=CallPurpose.BACKGROUND,
        request=lambda api, access: cast(V2Api, api).user_id(access.token),
    )


def _shared(mode: str) -> Callable[[SmartcarApi, Access], tuple[SharedVehicle, ...]]:
    return lambda api, access: api.shared_vehicles(access, mode=mode)


def _only_grant(connection: Connection, user_id: str) -> SharedVehicle:
    """The one grant that v3 knows of the car, by whatever user id ("Backfill existing connections")."""
    grants = _call(
        connection,
        SmartcarApiVersion.V3,
        user_id,
        lambda api, access: cast(V3Api, api).grants_of(
            access, vehicle_id=connection.vehicle.smartcar_id, mode=connection.mode
        ),
    )
    known = set(
        Connection.objects.filter(vehicle=connection.vehicle, application=connection.application_id)
        .exclude(pk=connection.pk)
        .values_list("smartcar_user_id", flat=True)
    )
    free = [grant for grant in grants if grant.user_id and grant.user_id not in known]
    if len(free) != 1:
        reason = MigrationMessage.OTHERS_LISTED if free else MigrationMessage.NOT_LISTED
        steps = [reason.message(), MigrationMessage.ASK_SUPPORT.message()]
        raise CannotMigrateError(CommonMessage.SEQUENCE.message(messages=steps))
    return free[0]


def subscribe(*, connection: Connection, to: str, found: MatchedConnection) -> None:
    """Has the car feed the webhook in the other generation. It is the same subscription where there was one."""
    car = _check_vehicle(connection)
    _call(connection, to, found.user_id, lambda api, access: api.subscribe(access, **car))


def is_subscribed(*, connection: Connection, to: str, found: MatchedConnection) -> bool:
    """Whether Smartcar lists the subscription; v2 has no list, there the answer to `subscribe` counts."""
    car = _check_vehicle(connection)
    if to == SmartcarApiVersion.V2:
        return True
    listed = _call(
        connection,
        to,
        found.user_id,
        lambda api, access: cast(V3Api, api).subscriptions(access, mode=connection.mode, **car),
    )
    return bool(listed)


def _check_vehicle(connection: Connection) -> dict[str, str]:
    webhook_id = applications.for_connection(connection).webhook_id
    return {"vehicle_id": connection.vehicle.smartcar_id, "webhook_id": webhook_id}


def read(*, connection: Connection, to: str, found: MatchedConnection) -> frozenset[str] | None:
    """Reads the car in the other generation. On v2, one value of it; returns what the driver granted there.

    Raises CannotMoveError where nothing may be read, SmartcarError, connect.token_store.TokensUnavailableError.
    """
    vehicle_id = connection.vehicle.smartcar_id
    if to == SmartcarApiVersion.V3:
        _call(connection, to, found.user_id, lambda api, access: api.read(access, vehicle_id=vehicle_id))
        return None
    granted = _call(
        connection,
        to,
        found.user_id,
        lambda api, access: cast(V2Api, api).permissions(access, vehicle_id=vehicle_id),
    )
    paths = paths_granted(granted)[:1]
    if paths:  # Each path of a batch is billed: one is enough to see that it works.
        _call(
            connection,
            to,
            found.user_id,
            lambda api, access: cast(V2Api, api).read(access, vehicle_id=vehicle_id, paths=paths),
        )
    return granted


def _call(connection: Connection, to: str, user_id: str, make: Callable[[SmartcarApi, Access], T]) -> T:
    probe = copy.copy(connection)
    probe.api_version, probe.smartcar_user_id = to, user_id
    return gateway.call(connection=probe, purpose=CallPurpose.BACKGROUND, request=make)
