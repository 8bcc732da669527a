"""The types that the rest of the project uses, and one interface for both API versions.

v2 has a token pair per vehicle owner ("Authorization", "Overview"). v3 has one token for the whole application, with
the owner's ID in a header. The user ID is the same in both, which makes the API migration possible.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from smartcar_api.errors import SmartcarError
from smartcar_api.schedules import ChargeSchedule


class ApiVersion(StrEnum):
    """The version of Smartcar's API that a connection uses."""

    V2 = "v2"
    V3 = "v3"


class CommandOutcome(StrEnum):
    """Smartcar's result of a command. Only a later signal confirms the new state of the vehicle."""

    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Origins:
    """The URLs of Smartcar's hosts. `auth` is v2's complete token URL; the others have no version and no path."""

    connect: str = "https://connect.smartcar.com"
    auth: str = "https://auth.smartcar.com/oauth/token"
    api: str = "https://api.smartcar.com"
    management: str = "https://management.smartcar.com"
    iam: str = "https://iam.smartcar.com"
    vehicle: str = "https://vehicle.api.smartcar.com"
    management_v3: str = "https://management.api.smartcar.com"
    compatibility: str = "https://compatibility.api.smartcar.com"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The four credentials of a Smartcar application.

    The application ID and secret are for Connect and v2 tokens, the client ID and secret ("API credentials") for v3
    tokens, and the management tokens, the current one first, for the v2 management API and for signing webhooks.
    """

    application_id: str
    application_secret: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    management_tokens: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An owner's v2 tokens: the access token is valid for 2 hours, the refresh token for 60 days and one use.

    Times are aware, UTC.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApplicationToken:
    """The v3 token of the whole application, valid for an hour. The time is aware, UTC."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Access:
    """The authorization of a call: the owner's access token (v2) or the application's token (v3), and the owner ID."""

    token: str = field(repr=False)
    user_id: str


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """The parameters of a Connect URL. Without scopes, those chosen in Smartcar's dashboard apply.

    `external_id` is our own ID of the owner, `country` a two-letter code. `single_select_vin` implies single select.
    """

    redirect_uri: str
    state: str
    external_id: str
    scopes: tuple[str, ...]
    mode: str
    required: frozenset[str] = frozenset()
    make: str = ""
    country: str = ""
    single_select_vin: str = field(default="", repr=False)
    single_select: bool = False
    force_prompt: bool = False

    @property
    def requested(self) -> list[str]:
        """The scopes as Smartcar expects them: those without which no vehicle can be connected have a prefix."""
        return [f"required:{name}" if name in self.required else name for name in self.scopes]


@dataclass(frozen=True, slots=True)
class SharedVehicle:
    """A vehicle that an owner shares with the application.

    On v2, `external_id`, `powertrain`, `connection_id` and `updated_at` are empty. On v3, it isn't documented whether
    `permissions` are those granted or those that the application can request, so they are only a hint.
    """

    vehicle_id: str
    user_id: str
    external_id: str
    make: str
    model: str
    year: int | None
    powertrain: str
    mode: str
    permissions: frozenset[str]
    connection_id: str
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class VehicleAttributes:
    """The attributes of a vehicle. `powertrain` (ICE, BEV, PHEV) and `mode` (live, simulated) are empty on v2."""

    vehicle_id: str
    make: str
    model: str
    year: int | None
    powertrain: str
    mode: str


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """Smartcar's response to a read, in the API version's own form. Units are metric.

    `raw` is the response as received, and `body` its JSON, repaired if it was damaged.
    """

    body: dict[str, Any] = field(repr=False)
    raw: bytes = field(repr=False)
    request_id: str


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """Smartcar's response to a command. v2 has no execution ID. `schedule_id` is the ID of a charge schedule.

    `error` is the reason for a failure (v3), `smartcar_message` Smartcar's own message about the outcome.
    """

    outcome: CommandOutcome
    execution_id: str
    request_id: str
    smartcar_message: str = ""
    schedule_id: str = ""
    error: SmartcarError | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """The subscription of one owner's vehicle to one webhook (v3)."""

    id: str
    webhook_id: str
    user_id: str
    vehicle_id: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Smartcar has revoked a grant or, if `known` is false, had none. `request_id` is that of the response."""

    known: bool
    request_id: str


@dataclass(frozen=True, slots=True)
class ListedConnection:
    """A grant in Smartcar's list of the application's grants. On v2, `connection_id` and `mode` are empty.

    `since`: when it was created (v2) or last changed (v3), if known. `external_id`: ours, of the authorization (v3).
    """

    user_id: str
    vehicle_id: str
    connection_id: str
    mode: str
    since: datetime | None
    external_id: str = ""


class SmartcarApi(Protocol):
    """The calls that both API versions have. They raise only SmartcarError."""

    api_version: ApiVersion

    def connect_url(self, request: ConnectRequest) -> str:
        """Returns the Connect URL for a vehicle owner ("Build the Connect URL")."""

    def shared_vehicles(self, access: Access, *, mode: str) -> tuple[SharedVehicle, ...]:
        """Returns the vehicles that the owner shares with the application in this mode (live or simulated)."""

    def attributes(self, access: Access, *, vehicle_id: str) -> VehicleAttributes:
        """Returns make, model and year of a vehicle."""

    def read(self, access: Access, *, vehicle_id: str) -> ReadAnswer:
        """Returns the values that Smartcar has of a vehicle, in one request."""

    def lock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Locks the doors. Waits for the vehicle, up to minutes: never call it within a web request."""

    def unlock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Unlocks the doors. Waits for the vehicle, up to minutes: never call it within a web request."""

    def start_charge(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Starts charging. Waits for the vehicle, as every command does."""

    def stop_charge(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Stops charging."""

    def set_charge_limit(self, access: Access, *, vehicle_id: str, percent: int) -> CommandAnswer:
        """Sets the maximum state of charge: whole percent, from 50 to 100."""

    def open_charge_port(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Opens the flap of the charge port. v2 has no such command: NOT_SENT, UNSUPPORTED."""

    def close_charge_port(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Closes the flap of the charge port. v2 has no such command: NOT_SENT, UNSUPPORTED."""

    def set_charge_schedule(
        self, access: Access, *, vehicle_id: str, schedule: ChargeSchedule
    ) -> CommandAnswer:
        """Sets the times for charging at a place. v2 has no such command: NOT_SENT, UNSUPPORTED."""

    def delete_charge_schedule(self, access: Access, *, vehicle_id: str, schedule_id: str) -> CommandAnswer:
        """Deletes a charge schedule. v2 has no such command: NOT_SENT, UNSUPPORTED."""

    def set_destination(
        self, access: Access, *, vehicle_id: str, latitude: float, longitude: float
    ) -> CommandAnswer:
        """Sends a place, in degrees, to the vehicle's navigation."""

    def subscribe(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Subscribes the vehicle to the webhook. Succeeds if it is already subscribed."""

    def unsubscribe(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Unsubscribes the vehicle from the webhook. Succeeds if it is not subscribed."""

    def is_subscribed(self, access: Access, *, vehicle_id: str, webhook_id: str) -> bool | None:
        """Whether the vehicle is subscribed to the webhook, or None if the API version can't report it."""

    def disconnect(self, access: Access, *, vehicle_id: str, connection_id: str = "") -> Disconnected:
        """Revokes the owner's grant for this vehicle. Succeeds if Smartcar no longer has the grant (404)."""
