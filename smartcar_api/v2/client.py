"""Client of Smartcar's API v2.0, based on its SDK: a token pair per vehicle owner, values and commands under /v2.0."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from smartcar_api.errors import SmartcarError, not_sent, unreadable
from smartcar_api.json_access import parse_time, parse_year
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
from smartcar_api.transport import Answer, Gate, Transport, segment
from smartcar_api.v2 import sdk
from smartcar_api.v2.sdk import Host
from smartcar_api.validation import checked_percent, checked_place

T = TypeVar("T")

REFRESH_TOKEN_LIFE = timedelta(days=60)
VEHICLES_PER_PAGE = 50
CONNECTIONS_PER_PAGE = 100
PERMISSIONS_PER_PAGE = 25
MAX_PAGES = 2000

# The paths of every make. `/battery/capacity` is left out: its value is also in `/battery/nominal_capacity`.
FLEET_PATHS = {
    "/battery": "read_battery",
    "/battery/nominal_capacity": "read_battery",
    "/charge": "read_charge",
    "/charge/limit": "read_charge",
    "/diagnostics/dtcs": "read_diagnostics",
    "/diagnostics/system_status": "read_diagnostics",
    "/engine/oil": "read_engine_oil",
    "/fuel": "read_fuel",
    "/location": "read_location",
    "/odometer": "read_odometer",
    "/security": "read_security",
    "/service/history": "read_service_history",
    "/tires/pressure": "read_tires",
    "/vin": "read_vin",
}


def paths_granted(permissions: frozenset[str]) -> tuple[str, ...]:
    """Returns those of FLEET_PATHS that these permissions allow. Each path of a batch is billed ("Batch")."""
    return tuple(path for path, permission in FLEET_PATHS.items() if permission in permissions)


class V2Api:
    """The client of one application. Timeouts are in seconds. Can be shared by threads and used after a fork.

    `timeout` is for everything but commands, which wait for the vehicle: Smartcar responds to them within 310 s (the
    timeout of its SDK).
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
        """Closes idle connections."""
        self._transport.close()

    def connect_url(self, request: ConnectRequest) -> str:
        """Returns the Connect URL ("Build the Connect URL"). Our external ID is the parameter `user`."""
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
        url: str = client.get_auth_url(request.requested, options)
        return sdk.replace_origin(url, host=Host.CONNECT, origin=self._origins.connect)

    def exchange_code(self, *, code: str, redirect_uri: str) -> TokenPair:
        """Returns the token pair for a code from Connect, valid once and for 10 minutes ("Auth Code Exchange")."""
        client = self._auth_client(redirect_uri=redirect_uri)
        return self._pair(lambda: client.exchange_code(code))

    def refresh(self, *, refresh_token: str) -> TokenPair:
        """Returns a new pair. The used refresh token expires 10 minutes later ("Refreshing Access Tokens")."""
        client = self._auth_client()
        return self._pair(lambda: client.exchange_refresh_token(refresh_token))

    def user_id(self, access_token: str) -> str:
        """Returns the ID of the owner who granted the token ("User")."""
        found = self._api(lambda: sdk.get_user(access_token)).id
        if not isinstance(found, str) or not found:
            raise _unreadable("there is no user id in it")
        return found

    def shared_vehicles(self, access: Access, *, mode: str) -> tuple[SharedVehicle, ...]:
        """Returns the token's vehicles. v2 doesn't report a vehicle's mode, which is assumed to be the given one.

        Calls: one per 50 vehicles, and for each vehicle one for its attributes and one per 25 permissions.
        """
        user_id = access.user_id or self.user_id(access.token)
        found = self._pages(
            lambda paging: sdk.get_vehicles(access.token, paging), "vehicles", VEHICLES_PER_PAGE
        )
        return tuple(self._shared(access, vehicle_id, user_id, mode) for vehicle_id in found)

    def attributes(self, access: Access, *, vehicle_id: str) -> VehicleAttributes:
        """Returns make, model and year ("Vehicle Attributes")."""
        found = self._api(_vehicle(access, vehicle_id).attributes)
        return VehicleAttributes(
            vehicle_id=vehicle_id,
            make=str(found.make or ""),
            model=str(found.model or ""),
            year=parse_year(found.year),
            powertrain="",
            mode="",
        )

    def permissions(self, access: Access, *, vehicle_id: str) -> frozenset[str]:
        """Returns the permissions that the owner granted for this vehicle ("Permissions")."""
        vehicle = _vehicle(access, vehicle_id)
        return frozenset(
            self._pages(lambda paging: vehicle.permissions(paging), "permissions", PERMISSIONS_PER_PAGE)
        )

    def read(
        self, access: Access, *, vehicle_id: str, paths: tuple[str, ...] = tuple(FLEET_PATHS)
    ) -> ReadAnswer:
        """Reads the paths in one batch: `{"responses": [{"path", "code", "body", "headers"}]}`, each with its code."""
        if not paths:
            raise not_sent("no path to read was given")
        vehicle = _vehicle(access, vehicle_id)
        body = {"requests": [{"path": path} for path in paths]}
        # Not vehicle.batch(), which drops unknown values. The headers must be a new dict: the SDK writes this token
        # into its default argument, where the next owner's call would use it.
        received: list[Answer] = []
        answer = self._api(lambda: vehicle.request("POST", "batch", body, {}), on_answer=received.append)
        return ReadAnswer(body=answer.body, raw=received[-1].body, request_id=_request_id(answer))

    def lock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Locks the doors ("Lock & Unlock")."""
        return self._command(_vehicle(access, vehicle_id).lock)

    def unlock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Unlocks the doors ("Lock & Unlock")."""
        return self._command(_vehicle(access, vehicle_id).unlock)

    def start_charge(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Starts charging ("Start & Stop Charge")."""
        return self._command(_vehicle(access, vehicle_id).start_charge)

    def stop_charge(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Stops charging ("Start & Stop Charge")."""
        return self._command(_vehicle(access, vehicle_id).stop_charge)

    def set_charge_limit(self, access: Access, *, vehicle_id: str, percent: int) -> CommandAnswer:
        """Sets the charge limit, which is a fraction on v2 ("Charge Limit")."""
        limit = checked_percent(percent) / 100
        return self._command(partial(_vehicle(access, vehicle_id).set_charge_limit, limit))

    def open_charge_port(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Not supported by v2."""
        raise _unsupported()

    def close_charge_port(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Not supported by v2."""
        raise _unsupported()

    def set_charge_schedule(
        self, access: Access, *, vehicle_id: str, schedule: ChargeSchedule
    ) -> CommandAnswer:
        """Not supported: v2 only has paths for individual makes, which will end with v2."""
        raise _unsupported()

    def delete_charge_schedule(self, access: Access, *, vehicle_id: str, schedule_id: str) -> CommandAnswer:
        """Not supported by v2."""
        raise _unsupported()

    def set_destination(
        self, access: Access, *, vehicle_id: str, latitude: float, longitude: float
    ) -> CommandAnswer:
        """Sends a place to the vehicle's navigation ("Send Destination")."""
        place = checked_place(latitude=latitude, longitude=longitude)
        return self._command(partial(_vehicle(access, vehicle_id).send_destination, **place))

    def subscribe(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Subscribes the vehicle to the webhook ("Subscribe")."""
        vehicle = _vehicle(access, vehicle_id)
        webhook = segment(webhook_id, name="webhook id")
        try:
            self._api(lambda: vehicle.subscribe(webhook))
        except SmartcarError as error:
            if error.status != 409:
                raise

    def unsubscribe(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Unsubscribes the vehicle from the webhook ("Unsubscribe"). Requires a management token, not the owner's."""
        vehicle = _vehicle(access, vehicle_id)
        webhook = segment(webhook_id, name="webhook id")
        refusal = not_sent("no management token is set")
        for number in range(len(self._credentials.management_tokens)):
            try:
                self._unsubscribe(vehicle, webhook, number)
            except SmartcarError as error:
                if error.not_found:
                    return
                if not error.unauthorized:
                    raise
                refusal = error
            else:
                return
        raise refusal

    def is_subscribed(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Returns None: v2 can't report it."""

    def disconnect(self, access: Access, *, vehicle_id: str, connection_id: str = "") -> Disconnected:
        """Revokes the owner's grant for this vehicle. v2 has no connection IDs."""
        try:
            answer = self._api(_vehicle(access, vehicle_id).disconnect)
        except SmartcarError as error:
            if not error.not_found:
                raise
            return Disconnected(known=False, request_id=error.request_id)
        return Disconnected(known=True, request_id=_request_id(answer))

    def end_connection(self, *, user_id: str, vehicle_id: str) -> Disconnected:
        """Revokes an owner's grant for one vehicle without the owner's tokens ("Delete Vehicle Connections").

        Requires a management token. The SDK's function doesn't support both filters at once.
        """
        # With one filter only, Smartcar would end other owners' grants, or this owner's for other vehicles.
        if not user_id or not vehicle_id:
            raise not_sent("the owner or the vehicle is unknown")
        refusal = not_sent("no management token is set")
        for number in range(len(self._credentials.management_tokens)):
            try:
                answer = self._end_connection({"user_id": user_id, "vehicle_id": vehicle_id}, number)
            except SmartcarError as error:
                if error.not_found:
                    return Disconnected(known=False, request_id=error.request_id)
                if not error.unauthorized:
                    raise error.with_traceback(None) from None
                refusal = error
            else:
                return Disconnected(
                    known=bool(answer.json().get("connections")), request_id=answer.request_id
                )
        raise refusal

    def all_connections(self, *, user_id: str = "", vehicle_id: str = "") -> tuple[ListedConnection, ...]:
        """Returns all grants of the application, of an owner or of a vehicle, in all modes ("Get connections").

        Requires a management token. The SDK has no filter for the mode.
        """
        names = {"user_id": user_id, "vehicle_id": vehicle_id}
        filters = {name: value for name, value in names.items() if value}
        refusal = not_sent("no management token is set")
        for number in range(len(self._credentials.management_tokens)):
            try:
                found = self._managed_pages(filters, number)
            except SmartcarError as error:
                if not error.unauthorized:
                    raise
                refusal = error
            else:
                # If Smartcar ignored a filter, it would list other users' grants.
                return tuple(
                    each for each in found if all(getattr(each, name) == filters[name] for name in filters)
                )
        raise refusal

    def _auth_client(self, *, redirect_uri: str = "", mode: str = "live") -> Any:
        credentials = self._credentials
        if not credentials.application_id or not credentials.application_secret:
            raise not_sent("the application id or the application secret is not set")
        if mode not in {"live", "simulated"}:
            raise not_sent("the mode is neither live nor simulated")
        return sdk.AuthClient(
            credentials.application_id, credentials.application_secret, redirect_uri, mode=mode
        )

    def _pair(self, call: Callable[[], Any]) -> TokenPair:
        # The SDK's own expiry times are naive, and counted from the response.
        requested_at = datetime.now(UTC)

        def pair() -> TokenPair:
            found = call()
            if not (found.access_token and found.refresh_token):
                raise _unreadable("there is no token pair in it")
            return TokenPair(
                access_token=str(found.access_token),
                refresh_token=str(found.refresh_token),
                access_expires_at=requested_at + timedelta(seconds=found.expires_in),
                refresh_expires_at=requested_at + REFRESH_TOKEN_LIFE,
            )

        return sdk.call(
            pair, transport=self._transport, host=Host.AUTH, origin=self._origins.auth, timeout=self._timeout
        )

    def _api(
        self,
        call: Callable[[], T],
        *,
        timeout: float | None = None,
        on_answer: Callable[[Answer], None] | None = None,
    ) -> T:
        return sdk.call(
            call,
            on_answer=on_answer,
            transport=self._transport,
            host=Host.API,
            origin=self._origins.api,
            timeout=self._timeout if timeout is None else timeout,
        )

    def _pages(self, call: Callable[[dict[str, int]], Any], field: str, size: int) -> list[str]:
        def page(offset: int) -> tuple[list[str], int]:
            answer = call({"limit": size, "offset": offset})
            return [str(entry) for entry in getattr(answer, field)], int(answer.paging.count)

        found: list[str] = []
        for _ in range(MAX_PAGES):
            entries, count = self._api(partial(page, len(found)))
            found += entries
            if not entries or len(found) >= count:
                return list(dict.fromkeys(found))
        raise _unreadable(f"there is no end of {field}")

    def _managed_pages(self, filters: dict[str, str], number: int) -> list[ListedConnection]:
        def page(cursor: str | None) -> tuple[list[ListedConnection], str | None]:
            paging = {"limit": CONNECTIONS_PER_PAGE} | ({"cursor": cursor} if cursor else {})
            # The management token is not assigned to a variable, so that no error report can contain it.
            answer = sdk.get_connections(self._credentials.management_tokens[number], filters, paging)
            return [_listed(entry) for entry in answer.connections], answer.paging.cursor

        found: list[ListedConnection] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
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

    def _end_connection(self, filters: dict[str, str], number: int) -> Answer:
        return self._transport.send(
            "DELETE",
            f"{self._origins.management}/v2.0/management/connections",
            timeout=self._timeout,
            params=filters,
            # The management token is not assigned to a variable, so that no error report can contain it.
            auth=("default", self._credentials.management_tokens[number]),
        )

    def _unsubscribe(self, vehicle: Any, webhook: str, number: int) -> None:
        # The management token is not assigned to a variable, so that no error report can contain it.
        self._api(lambda: vehicle.unsubscribe(self._credentials.management_tokens[number], webhook))

    def _shared(self, access: Access, vehicle_id: str, user_id: str, mode: str) -> SharedVehicle:
        permissions = self.permissions(access, vehicle_id=vehicle_id)
        attributes = (
            self.attributes(access, vehicle_id=vehicle_id) if "read_vehicle_info" in permissions else None
        )
        return SharedVehicle(
            vehicle_id=vehicle_id,
            user_id=user_id,
            external_id="",
            make=attributes.make if attributes else "",
            model=attributes.model if attributes else "",
            year=attributes.year if attributes else None,
            powertrain="",
            mode=mode,
            permissions=permissions,
            connection_id="",
            updated_at=None,
        )

    def _command(self, call: Callable[[], Any]) -> CommandAnswer:
        answer = self._api(call, timeout=self._command_timeout)
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
        since=parse_time(entry.connected_at),
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


def _unreadable(reason: str) -> SmartcarError:
    return unreadable(reason, status=200, request_id="")
