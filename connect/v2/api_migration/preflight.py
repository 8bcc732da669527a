"""Checks with Smartcar before a connection may use the other API version.

The calls use an unsaved copy of the connection with the other API version.
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
    """The connection can't use the other API version, and retrying won't help. `message` is the reason."""

    smartcar_message = ""

    def __init__(self, message: Message) -> None:
        super().__init__(message.code)
        self.message = message


@dataclass(frozen=True, slots=True)
class MatchedConnection:
    """The connection's IDs in the other API version; empty where that version has none."""

    user_id: str
    connection_id: str = ""


Listings = dict[tuple[int | None, str, str], dict[str, SharedVehicle]]
"""Drivers' connections on v3 by (application, user ID, mode), so that each driver's list is requested only once."""


def match_connection(*, connection: Connection, to: str, listings: Listings) -> MatchedConnection:
    """Returns the IDs of the connection's driver and grant in the other API version.

    Raises CannotMigrateError, SmartcarError or connect.token_store.TokensUnavailableError.
    """
    if to == SmartcarApiVersion.V3:
        return _listed_on_v3(connection, listings)
    if connection.tokens is None or connection.tokens.reread().revoked_at is not None:
        raise CannotMigrateError(MigrationMessage.NO_TOKENS.message())
    return MatchedConnection(connection.smartcar_user_id)


def _listed_on_v3(connection: Connection, listings: Listings) -> MatchedConnection:
    user_id = connection.smartcar_user_id or _token_owner(connection)
    key = (connection.application_id, user_id, connection.mode)
    if key not in listings:
        shared = _call(connection, SmartcarApiVersion.V3, user_id, _shared(connection.mode))
        listings[key] = {vehicle.vehicle_id: vehicle for vehicle in shared}
    vehicle = listings[key].get(connection.vehicle.smartcar_id) or _only_grant(connection, user_id)
    return MatchedConnection(vehicle.user_id, vehicle.connection_id)


def _token_owner(connection: Connection) -> str:
    """The ID of the owner of the connection's v2 token pair ("User")."""
    return gateway.call(
        connection=connection,
        purpose=CallPurpose.BACKGROUND,
        request=lambda api, access: cast(V2Api, api).user_id(access.token),
    )


def _shared(mode: str) -> Callable[[SmartcarApi, Access], tuple[SharedVehicle, ...]]:
    return lambda api, access: api.shared_vehicles(access, mode=mode)


def _only_grant(connection: Connection, user_id: str) -> SharedVehicle:
    """The vehicle's only unused grant on v3, under any user ID ("Backfill existing connections")."""
    grants = _call(
        connection,
        SmartcarApiVersion.V3,
        user_id,
        lambda api, access: cast(V3Api, api).list_grants(
            access, vehicle_id=connection.vehicle.smartcar_id, mode=connection.mode
        ),
    )
    used_ids = set(
        Connection.objects.filter(vehicle=connection.vehicle, application=connection.application_id)
        .exclude(pk=connection.pk)
        .values_list("smartcar_user_id", flat=True)
    )
    unused = [grant for grant in grants if grant.user_id and grant.user_id not in used_ids]
    if len(unused) != 1:
        reason = MigrationMessage.OTHERS_LISTED if unused else MigrationMessage.NOT_LISTED
        steps = [reason.message(), MigrationMessage.ASK_SUPPORT.message()]
        raise CannotMigrateError(CommonMessage.SEQUENCE.message(messages=steps))
    return unused[0]


def subscribe(*, connection: Connection, to: str, found: MatchedConnection) -> None:
    """Subscribes the vehicle to the webhook in the other API version. An existing subscription is reused."""
    ids = _subscription_ids(connection)
    _call(connection, to, found.user_id, lambda api, access: api.subscribe(access, **ids))


def is_subscribed(*, connection: Connection, to: str, found: MatchedConnection) -> bool:
    """Whether Smartcar lists the subscription. v2 has no list: the response to `subscribe` is enough there."""
    ids = _subscription_ids(connection)
    if to == SmartcarApiVersion.V2:
        return True
    listed = _call(
        connection,
        to,
        found.user_id,
        lambda api, access: cast(V3Api, api).subscriptions(access, mode=connection.mode, **ids),
    )
    return bool(listed)


def _subscription_ids(connection: Connection) -> dict[str, str]:
    webhook_id = applications.for_connection(connection).webhook_id
    return {"vehicle_id": connection.vehicle.smartcar_id, "webhook_id": webhook_id}


def read(*, connection: Connection, to: str, found: MatchedConnection) -> frozenset[str] | None:
    """Reads the vehicle in the other API version, on v2 only one value.

    Returns the permissions granted on v2, or None for v3. Raises SmartcarError or
    connect.token_store.TokensUnavailableError.
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
    if paths:  # Each path of a batch is billed, and one is enough to test the access.
        _call(
            connection,
            to,
            found.user_id,
            lambda api, access: cast(V2Api, api).read(access, vehicle_id=vehicle_id, paths=paths),
        )
    return granted


def _call(connection: Connection, to: str, user_id: str, api_call: Callable[[SmartcarApi, Access], T]) -> T:
    probe = copy.copy(connection)
    probe.api_version, probe.smartcar_user_id = to, user_id
    return gateway.call(connection=probe, purpose=CallPurpose.BACKGROUND, request=api_call)
