"""Who connected which vehicle: the drivers' Smartcar users and what they granted."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class User:
    """A Smartcar user. ``error`` is the error of every request about the user (test addresses)."""

    id: str
    email: str
    external_id: str | None = None
    label: str | None = None
    error: tuple[str, str | None] | None = None


@dataclass(slots=True, kw_only=True)
class Connection:
    """One driver's grant for one vehicle. Times are epoch seconds."""

    id: str
    user_id: str
    vehicle_id: str
    permissions: tuple[str, ...]
    mode: str
    created_at: float
    updated_at: float


@dataclass(slots=True)
class Connections:
    """All connections of the application, newest last."""

    users: dict[str, User] = field(default_factory=dict)
    by_key: dict[tuple[str, str], Connection] = field(default_factory=dict)

    def remember(self, *, user_id: str, email: str, error: tuple[str, str | None] | None) -> User:
        """Return the user with this id, created at the first session."""
        user = self.users.setdefault(user_id, User(id=user_id, email=email))
        user.error = error
        return user

    def grant(
        self, *, user_id: str, vehicle_id: str, permissions: Iterable[str], mode: str, now: float
    ) -> Connection:
        """Connect or reconnect a vehicle. Only the connection id changes on reconnect."""
        self.by_key.pop((user_id, vehicle_id), None)
        connection = Connection(
            id=str(uuid.uuid4()),
            user_id=user_id,
            vehicle_id=vehicle_id,
            permissions=tuple(permissions),
            mode=mode,
            created_at=now,
            updated_at=now,
        )
        self.by_key[user_id, vehicle_id] = connection
        return connection

    def get(self, *, user_id: str, vehicle_id: str) -> Connection | None:
        """Return the connection of this user and vehicle, or None."""
        return self.by_key.get((user_id, vehicle_id))

    def by_id(self, connection_id: str) -> Connection | None:
        """Return the connection with this id, or None."""
        return next((each for each in self.by_key.values() if each.id == connection_id), None)

    def select(
        self, *, user_id: str | None = None, vehicle_id: str | None = None, mode: str | None = None
    ) -> list[Connection]:
        """Return matching connections, newest first."""
        found = [
            each
            for each in self.by_key.values()
            if (user_id is None or each.user_id == user_id)
            and (vehicle_id is None or each.vehicle_id == vehicle_id)
            and (mode is None or each.mode == mode)
        ]
        return sorted(found, key=lambda each: each.created_at, reverse=True)

    def remove(self, connection: Connection) -> None:
        """Remove one connection."""
        self.by_key.pop((connection.user_id, connection.vehicle_id), None)

    def clear(self) -> None:
        """Remove all users and connections."""
        self.users.clear()
        self.by_key.clear()

    def snapshot(self) -> dict[str, Any]:
        """Return everything as values that orjson can write."""
        return {"users": list(self.users.values()), "connections": list(self.by_key.values())}

    def restore(self, saved: dict[str, Any]) -> None:
        """Restore what ``snapshot`` returned."""
        self.clear()
        for each in saved["users"]:
            error = each.pop("error")
            self.users[each["id"]] = User(**each, error=(error[0], error[1]) if error else None)
        for each in saved["connections"]:
            connection = Connection(**(each | {"permissions": tuple(each["permissions"])}))
            self.by_key[connection.user_id, connection.vehicle_id] = connection
