"""How a connection's state follows from what is heard.

A single error never ends a connection (false re-authentication errors are common while data goes on
arriving); fresh data heals it.
"""

from collections.abc import Iterable
from datetime import datetime

from connect.models import Connection, ConnectionState
from connect.smartcar import SmartcarError


def data_arrived(*, vehicle_ids: Iterable[int], now: datetime) -> None:
    """Fresh data of these cars: their connections work."""
    waiting = Connection.objects.filter(vehicle_id__in=list(vehicle_ids)).exclude(
        state__in=[ConnectionState.ACTIVE, ConnectionState.REMOVED]
    )
    waiting.update(state=ConnectionState.ACTIVE, state_cause="Data arrives.", state_since=now)


def usable(*, vehicle_id: int) -> Connection | None:
    """The connection through which the car can be called now, newest first, or None."""
    return (
        Connection.objects.select_related("vehicle", "tokens", "fleet")
        .filter(vehicle_id=vehicle_id, state__in=[ConnectionState.PENDING, ConnectionState.ACTIVE])
        .order_by("-created_at")
        .first()
    )


def call_failed(*, connection: Connection, error: SmartcarError, now: datetime) -> None:
    """A call for this car was refused: only the maker's own 'sign in again' moves the connection."""
    if error.type == "CONNECTED_SERVICES_ACCOUNT" and error.reauthentication:
        connection.move_to(ConnectionState.NEEDS_REAUTHENTICATION, cause=error.for_people, now=now)
