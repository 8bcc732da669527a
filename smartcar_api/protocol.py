"""What the rest of the project knows of Smartcar: plain values, and one interface for both generations.

v2 is one token pair for each vehicle owner ("Authorization", "Overview"); v3 is one token for the whole
application, with the owner's id in a header. The user id is the same in both, so a fleet can change over.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from smartcar_api.errors import SmartcarError
from smartcar_api.schedules import ChargeSchedule


class ApiVersion(StrEnum):
    """Which of Smartcar's two APIs a connection uses."""

    V2 = "v2"
    V3 = "v3"


class CommandOutcome(StrEnum):
    """What Smartcar says of a command. None of these proves the new state of the car; a later signal does."""

    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Origins:
    """Where Smartcar's hosts are. `auth` is the whole token address of v2, the others have no version and no path."""

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

    The application id and secret are for Connect and v2 tokens, the client id and secret ("API credentials") for
    v3 tokens, the management tokens for the v2 management API and for signing webhooks, the one in use first.
    """

    application_id: str
    application_secret: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    management_tokens: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What v2 grants for one owner: access for 2 hours, and 60 days to renew it once. Times are aware, UTC."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApplicationToken:
    """The v3 token of the whole application, good for an hour. The time is aware, UTC."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Access:
    """What a call is authorised with: v2, the owner's access token; v3, the application's token. And the owner."""

    token: str = field(repr=False)
    user_id: str


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """What to ask of a vehicle owner in Connect; no scopes means those chosen in Smartcar's dashboard.

    `external_id` is our own name for the owner; `country` is of two letters; the VIN implies single select.
    """

    redirect_uri: str
    state: str
    external_id: str
    scopes: tuple[str, ...]
    mode: str
    make: str = ""
    country: str = ""
    single_select_vin: str = field(default="", repr=False)
    single_select: bool = False
    force_prompt: bool = False


@dataclass(frozen=True, slots=True)
class SharedVehicle:
    """A car that an owner shares with the application.

    v2 knows neither `external_id` nor `powertrain` nor `connection_id` nor `updated_at`: they are empty there.
    What `permissions` means on v3 is unsettled (granted, or all the application may ask for): it is a hint.
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
    """What a car is. `powertrain` (ICE, BEV, PHEV) and `mode` (live, simulated) are empty on v2."""

    vehicle_id: str
    make: str
    model: str
    year: int | None
    powertrain: str
    mode: str


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """The answer to a read as Smartcar sent it; each API version has its own form. Units are metric."""

    body: dict[str, Any] = field(repr=False)
    request_id: str


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What Smartcar answered when a command ended. v2 has no execution id. `schedule_id` is of a charge schedule.

    `error` is the reason for a failure (v3), `smartcar_message` what Smartcar itself says about the outcome.
    """

    outcome: CommandOutcome
    execution_id: str
    request_id: str
    smartcar_message: str = ""
    schedule_id: str = ""
    error: SmartcarError | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One car of one owner that feeds one webhook (v3)."""

    id: str
    webhook_id: str
    user_id: str
    vehicle_id: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Smartcar has ended a grant, or (`known` is false) knew none. `request_id` is that of its answer."""

    known: bool
    request_id: str


@dataclass(frozen=True, slots=True)
class ListedConnection:
    """One grant in Smartcar's list of all of an application's. v2 knows neither `connection_id` nor `mode`.

    `since`: when it was made (v2) or last changed (v3), where told.
    """

    user_id: str
    vehicle_id: str
    connection_id: str
    mode: str
    since: datetime | None


class SmartcarApi(Protocol):
    """What can be asked of Smartcar in either generation. Every call raises SmartcarError and nothing else."""

    api_version: ApiVersion

    def connect_url(self, request: ConnectRequest) -> str:
        """The address to send a vehicle owner to ("Build the Connect URL")."""

    def shared_vehicles(self, access: Access, *, mode: str) -> tuple[SharedVehicle, ...]:
        """Every car that the owner shares with the application in this mode (live or simulated)."""

    def attributes(self, access: Access, *, vehicle_id: str) -> VehicleAttributes:
        """Make, model and year of a car."""

    def read(self, access: Access, *, vehicle_id: str) -> ReadAnswer:
        """The values Smartcar has of a car, in one request."""

    def lock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Lock the doors. Waits for the car, up to minutes; never call it inside a web request."""

    def unlock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Unlock the doors. Waits for the car, up to minutes; never call it inside a web request."""

    def start_charge(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Start charging. Waits for the car, as every command does."""

    def stop_charge(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Stop charging."""

    def set_charge_limit(self, access: Access, *, vehicle_id: str, percent: int) -> CommandAnswer:
        """Charge to this state of charge at most: whole percent, from 50 to 100."""

    def open_charge_port(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Open the flap of the charge port. v2 has no such command: NOT_SENT, UNSUPPORTED."""

    def close_charge_port(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Close the flap of the charge port. v2 has no such command: NOT_SENT, UNSUPPORTED."""

    def set_charge_schedule(
        self, access: Access, *, vehicle_id: str, schedule: ChargeSchedule
    ) -> CommandAnswer:
        """Let the car charge at a place at these times. v2 has no such command: NOT_SENT, UNSUPPORTED."""

    def delete_charge_schedule(self, access: Access, *, vehicle_id: str, schedule_id: str) -> CommandAnswer:
        """End a charge schedule. v2 has no such command: NOT_SENT, UNSUPPORTED."""

    def set_destination(
        self, access: Access, *, vehicle_id: str, latitude: float, longitude: float
    ) -> CommandAnswer:
        """Send a place, in degrees, to the car's navigation."""

    def subscribe(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Have the car feed the webhook. A car that does already is a success."""

    def unsubscribe(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Have the car feed the webhook no more. A car that does not is a success."""

    def is_subscribed(self, access: Access, *, vehicle_id: str, webhook_id: str) -> bool | None:
        """Whether the car feeds the webhook, or None where the API version has no way to ask."""

    def disconnect(self, access: Access, *, vehicle_id: str, connection_id: str = "") -> Disconnected:
        """End the owner's grant for this car. One that Smartcar does not know any more (404) is a success."""
