"""Smartcar's API v2.0, through its SDK: a token pair for each vehicle owner, values and commands under /v2.0."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from smartcar_api.errors import SmartcarError, not_sent, unreadable
from smartcar_api.json_access import moment_of, year_of
from smartcar_api.protocol import (
    Access,
    ApiVersion,
    CommandAnswer,
    CommandOutcome,
    ConnectRequest,
    Credentials,
    Disconnected,
    ListedConnection,
    Origins,
    ReadAnswer,
    SharedVehicle,
    TokenPair,
    VehicleAttributes,
)
from smartcar_api.redaction import one_line, scrub
from smartcar_api.schedules import ChargeSchedule
from smartcar_api.transport import Gate, Transport, segment
from smartcar_api.v2 import sdk
from smartcar_api.v2.sdk import Host
from smartcar_api.validation import checked_percent, checked_place

T = TypeVar("T")

REFRESH_TOKEN_LIFE = timedelta(days=60)
VEHICLES_A_PAGE = 50
CONNECTIONS_A_PAGE = 100
PERMISSIONS_A_PAGE = 25
MOST_PAGES = 2000

FLEET_PATHS = {
    "/battery": "read_battery",
    "/charge": "read_charge",
    "/fuel": "read_fuel",
    "/location": "read_location",
    "/odometer": "read_odometer",
    "/security": "read_security",
    "/tires/pressure": "read_tires",
}


def paths_granted(permissions: frozenset[str]) -> tuple[str, ...]:
    """The paths of the fleet set that these permissions open. Each path of a batch is billed ("Batch")."""
    return tuple(path for path, permission in FLEET_PATHS.items() if permission in permissions)


class V2Api:
    """The client of one application. Time-outs are seconds; shared by the threads of a process, and across a fork.

    `timeout` is for everything but commands, which wait for the car: Smartcar answers them after at most 310 s
    (the time-out of its SDK).
    """

    api_version = ApiVersion.V2

    def __init__(
        self,
        *,
        origins: Origins,
        credentials: Credentials,
        timeout: float = 15.0,
        command_timeout: float = 310.0,
        gate: Gate | None = None,
    ) -> None:
        self._origins = origins
        self._credentials = credentials
        self._timeout = timeout
        self._command_timeout = command_timeout
        self._transport = Transport(gate=gate)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def connect_url(self, request: ConnectRequest) -> str:
        """The address of Connect ("Build the Connect URL"); our external id goes as `user`."""
        options: dict[str, Any] = {
            "state": request.state,
            "force_prompt": request.force_prompt,
            "make_bypass": request.make,
            "user": request.external_id,
        }
        if request.single_select or request.single_select_vin:
            options["single_select"] = {"enabled": True, "vin": request.single_select_vin}
        if request.country:
            options["flags"] = {"country": request.country}
        client = self._auth_client(redirect_uri=request.redirect_uri, mode=request.mode)
        url: str = client.get_auth_url(list(request.scopes), options)
        return sdk.readdressed(url, host=Host.CONNECT, origin=self._origins.connect)

    def exchange_code(self, *, code: str, redirect_uri: str) -> TokenPair:
        """The token pair for a code from Connect, which is good for 10 minutes and once ("Auth Code Exchange")."""
        client = self._auth_client(redirect_uri=redirect_uri)
        return self._pair(lambda: client.exchange_code(code))

    def refresh(self, *, refresh_token: str) -> TokenPair:
        """A new pair for a refresh token, which dies 10 minutes after its use ("Refreshing Access Tokens")."""
        client = self._auth_client()
        return self._pair(lambda: client.exchange_refresh_token(refresh_token))

    def user_id(self, access_token: str) -> str:
        """The id of the owner who granted the token ("User")."""
        found = self._api(lambda: sdk.get_user(access_token)).id
        if not isinstance(found, str) or not found:
            raise _unreadable("there is no user id in it")
        return found

    def shared_vehicles(self, access: Access, *, mode: str) -> tuple[SharedVehicle, ...]:
        """Every car the token opens. v2 does not tell a car's mode: it is taken to be the given one.

        Calls: one for 50 cars, and for each car one for its attributes and one for 25 permissions.
        """
        user_id = access.user_id or self.user_id(access.token)
        found = self._pages(
            lambda paging: sdk.get_vehicles(access.token, paging), "vehicles", VEHICLES_A_PAGE
        )
        return tuple(self._shared(access, vehicle_id, user_id, mode) for vehicle_id in found)

    def attributes(self, access: Access, *, vehicle_id: str) -> VehicleAttributes:
        """Make, model and year ("Vehicle Attributes")."""
        found = self._api(_vehicle(access, vehicle_id).attributes)
        return VehicleAttributes(
            vehicle_id=vehicle_id,
            make=str(found.make or ""),
            model=str(found.model or ""),
            year=year_of(found.year),
            powertrain="",
            mode="",
        )

    def permissions(self, access: Access, *, vehicle_id: str) -> frozenset[str]:
        """What the owner granted for this car ("Permissions")."""
        vehicle = _vehicle(access, vehicle_id)
        return frozenset(
            self._pages(lambda paging: vehicle.permissions(paging), "permissions", PERMISSIONS_A_PAGE)
        )

    def read(
        self, access: Access, *, vehicle_id: str, paths: tuple[str, ...] = tuple(FLEET_PATHS)
    ) -> ReadAnswer:
        """One batch of the paths: `{"responses": [{"path", "code", "body", "headers"}]}`; each has its own code."""
        if not paths:
            raise not_sent("no path to read was given")
        vehicle = _vehicle(access, vehicle_id)
        body = {"requests": [{"path": path} for path in paths]}
        # Not vehicle.batch(), which drops what it does not know. The headers must be ours: the SDK writes this
        # token into its default for them, where the next owner's call would find it.
        answer = self._api(lambda: vehicle.request("POST", "batch", body, {}))
        return ReadAnswer(body=answer.body, request_id=_request_id(answer))

    def lock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Lock the doors ("Lock & Unlock")."""
        return self._command(_vehicle(access, vehicle_id).lock)

    def unlock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Unlock the doors ("Lock & Unlock")."""
        return self._command(_vehicle(access, vehicle_id).unlock)

    def start_charge(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Start charging ("Start & Stop Charge")."""
        return self._command(_vehicle(access, vehicle_id).start_charge)

    def stop_charge(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Stop charging ("Start & Stop Charge")."""
        return self._command(_vehicle(access, vehicle_id).stop_charge)

    def set_charge_limit(self, access: Access, *, vehicle_id: str, percent: int) -> CommandAnswer:
        """Set the charge limit, which v2 takes as a fraction ("Charge Limit")."""
        limit = checked_percent(percent) / 100
        return self._command(partial(_vehicle(access, vehicle_id).set_charge_limit, limit))

    def open_charge_port(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """v2 cannot."""
        raise _unsupported()

    def close_charge_port(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """v2 cannot."""
        raise _unsupported()

    def set_charge_schedule(
        self, access: Access, *, vehicle_id: str, schedule: ChargeSchedule
    ) -> CommandAnswer:
        """v2 cannot, but for paths of single makes, which end with it."""
        raise _unsupported()

    def delete_charge_schedule(self, access: Access, *, vehicle_id: str, schedule_id: str) -> CommandAnswer:
        """v2 cannot."""
        raise _unsupported()

    def set_destination(
        self, access: Access, *, vehicle_id: str, latitude: float, longitude: float
    ) -> CommandAnswer:
        """Send a place to the car's navigation ("Send Destination")."""
        place = checked_place(latitude=latitude, longitude=longitude)
        return self._command(partial(_vehicle(access, vehicle_id).send_destination, **place))

    def subscribe(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Have the car feed the webhook ("Subscribe")."""
        vehicle = _vehicle(access, vehicle_id)
        webhook = segment(webhook_id, name="webhook id")
        try:
            self._api(lambda: vehicle.subscribe(webhook))
        except SmartcarError as error:
            if error.status != 409:
                raise

    def unsubscribe(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Have the car feed the webhook no more ("Unsubscribe"); needs a management token, the owner's is no use."""
        vehicle = _vehicle(access, vehicle_id)
        webhook = segment(webhook_id, name="webhook id")
        refusal = not_sent("no management token is set")
        for number in range(len(self._credentials.management_tokens)):
            try:
                self._unsubscribe(vehicle, webhook, number)
            except SmartcarError as error:
                if error.gone:
                    return
                if not error.unauthorized:
                    raise
                refusal = error
            else:
                return
        raise refusal

    def is_subscribed(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """v2 has no way to ask."""

    def disconnect(self, access: Access, *, vehicle_id: str, connection_id: str = "") -> Disconnected:
        """End the owner's grant for this car; v2 knows no connection ids."""
        try:
            answer = self._api(_vehicle(access, vehicle_id).disconnect)
        except SmartcarError as error:
            if not error.gone:
                raise
            return Disconnected(known=False, request_id=error.request_id)
        return Disconnected(known=True, request_id=_request_id(answer))

    def all_connections(self, *, user_id: str = "", vehicle_id: str = "") -> tuple[ListedConnection, ...]:
        """Every grant of the application, or those of an owner or a car, in all modes ("Get connections").

        Needs a management token; the SDK knows no filter for the mode.
        """
        names = {"user_id": user_id, "vehicle_id": vehicle_id}
        wanted = {name: value for name, value in names.items() if value}
        refusal = not_sent("no management token is set")
        for number in range(len(self._credentials.management_tokens)):
            try:
                found = self._managed_pages(wanted, number)
            except SmartcarError as error:
                if not error.unauthorized:
                    raise
                refusal = error
            else:
                # A filter that Smartcar does not know would list other people's.
                return tuple(
                    each for each in found if all(getattr(each, name) == wanted[name] for name in wanted)
                )
        raise refusal

    def _auth_client(self, *, redirect_uri: str = "", mode: str = "live") -> Any:
        held = self._credentials
        if not held.application_id or not held.application_secret:
            raise not_sent("the application id or the application secret is not set")
        if mode not in {"live", "simulated"}:
            raise not_sent("the mode is neither live nor simulated")
        return sdk.AuthClient(held.application_id, held.application_secret, redirect_uri, mode=mode)

    def _pair(self, ask: Callable[[], Any]) -> TokenPair:
        # The SDK's own expiries are without a zone, and counted from the answer.
        asked_at = datetime.now(UTC)

        def pair() -> TokenPair:
            found = ask()
            if not (found.access_token and found.refresh_token):
                raise _unreadable("there is no token pair in it")
            return TokenPair(
                access_token=str(found.access_token),
                refresh_token=str(found.refresh_token),
                access_expires_at=asked_at + timedelta(seconds=found.expires_in),
                refresh_expires_at=asked_at + REFRESH_TOKEN_LIFE,
            )

        return sdk.call(
            pair, transport=self._transport, host=Host.AUTH, origin=self._origins.auth, timeout=self._timeout
        )

    def _api(self, ask: Callable[[], T], *, timeout: float | None = None) -> T:
        return sdk.call(
            ask,
            transport=self._transport,
            host=Host.API,
            origin=self._origins.api,
            timeout=self._timeout if timeout is None else timeout,
        )

    def _pages(self, ask: Callable[[dict[str, int]], Any], field: str, size: int) -> list[str]:
        def page(offset: int) -> tuple[list[str], int]:
            answer = ask({"limit": size, "offset": offset})
            return [str(entry) for entry in getattr(answer, field)], int(answer.paging.count)

        found: list[str] = []
        for _ in range(MOST_PAGES):
            entries, count = self._api(partial(page, len(found)))
            found += entries
            if not entries or len(found) >= count:
                return list(dict.fromkeys(found))
        raise _unreadable(f"there is no end of {field}")

    def _managed_pages(self, wanted: dict[str, str], number: int) -> list[ListedConnection]:
        def page(cursor: str | None) -> tuple[list[ListedConnection], str | None]:
            paging = {"limit": CONNECTIONS_A_PAGE} | ({"cursor": cursor} if cursor else {})
            # The management token is in no name of ours, so that no report of an error can show it.
            answer = sdk.get_connections(self._credentials.management_tokens[number], wanted, paging)
            return [_listed(entry) for entry in answer.connections], answer.paging.cursor

        found: list[ListedConnection] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            entries, cursor = sdk.call(
                partial(page, cursor),
                transport=self._transport,
                host=Host.MANAGEMENT,
                origin=self._origins.management,
                timeout=self._timeout,
            )
            found += entries
            if not cursor:
                return found
        raise _unreadable("there is no end of connections")

    def _unsubscribe(self, vehicle: Any, webhook: str, number: int) -> None:
        # The management token is in no name of ours, so that no report of an error can show it.
        self._api(lambda: vehicle.unsubscribe(self._credentials.management_tokens[number], webhook))

    def _shared(self, access: Access, vehicle_id: str, user_id: str, mode: str) -> SharedVehicle:
        permissions = self.permissions(access, vehicle_id=vehicle_id)
        known = self.attributes(access, vehicle_id=vehicle_id) if "read_vehicle_info" in permissions else None
        return SharedVehicle(
            vehicle_id=vehicle_id,
            user_id=user_id,
            external_id="",
            make=known.make if known else "",
            model=known.model if known else "",
            year=known.year if known else None,
            powertrain="",
            mode=mode,
            permissions=permissions,
            connection_id="",
            updated_at=None,
        )

    def _command(self, ask: Callable[[], Any]) -> CommandAnswer:
        answer = self._api(ask, timeout=self._command_timeout)
        return CommandAnswer(
            outcome=_outcome(answer.status),
            execution_id="",
            request_id=_request_id(answer),
            smartcar_message=one_line(scrub(str(answer.message or "")), limit=300),
        )


def _vehicle(access: Access, vehicle_id: str) -> Any:
    return sdk.Vehicle(segment(vehicle_id, name="vehicle id"), access.token, {"version": "2.0"})


def _listed(entry: Any) -> ListedConnection:
    return ListedConnection(
        user_id=str(entry.user_id or ""),
        vehicle_id=str(entry.vehicle_id or ""),
        connection_id="",
        mode="",
        since=moment_of(entry.connected_at),
    )


def _unsupported() -> SmartcarError:
    return not_sent("v2 has no command for the charge port", code="UNSUPPORTED")


def _request_id(answer: Any) -> str:
    return str(getattr(answer.meta, "request_id", ""))


def _outcome(status: Any) -> CommandOutcome:
    try:
        return CommandOutcome(str(status).lower())
    except ValueError:
        raise _unreadable("it names no outcome that we know") from None


def _unreadable(what: str) -> SmartcarError:
    return unreadable(what, status=200, request_id="")
