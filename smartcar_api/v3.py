"""Client of Smartcar's API v3, over plain HTTP, because the SDK (6.19.1) supports only two of its reads.

v3 has one token for the application, with the owner's ID in a header. Reads return the values that Smartcar has
collected. The response to a command can take minutes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from smartcar_api.error_parsing import parse_error, v3_error
from smartcar_api.errors import SmartcarError, not_sent, unreadable
from smartcar_api.json_access import parse_time, parse_year, text_at, value_at
from smartcar_api.protocol import (
    Access,
    ApiVersion,
    ApplicationToken,
    CommandAnswer,
    CommandOutcome,
    ConnectRequest,
    Credentials,
    Disconnected,
    ListedConnection,
    Origins,
    ReadAnswer,
    SharedVehicle,
    Subscription,
    VehicleAttributes,
)
from smartcar_api.schedules import ChargeSchedule, schedule_attributes
from smartcar_api.transport import Answer, Gate, Transport, segment
from smartcar_api.validation import checked_percent, checked_place

CONNECTIONS_PER_PAGE = 50
SUBSCRIPTIONS_PER_PAGE = 100
MAX_PAGES = 2000
MODES = ("live", "simulated")
_ALL_USERS = "*"


class V3Api:
    """The client of one application. Timeouts are in seconds. Can be shared by threads and used after a fork.

    `command_timeout` is longer than the 175 s after which Smartcar announces a late result ("Commands").
    """

    api_version = ApiVersion.V3

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
        """Returns the Connect URL. The application ID is passed under its new and its old name; both are in use."""
        query = {
            "response_type": "code",
            "application_id": self._credentials.application_id,
            "client_id": self._credentials.application_id,
            "redirect_uri": request.redirect_uri,
            "state": request.state,
            "external_id": request.external_id,
            "scope": " ".join(request.requested),
            "mode": request.mode,
            "approval_prompt": "force" if request.force_prompt else "auto",
            "make": request.make,
            "single_select": "true" if request.single_select or request.single_select_vin else "",
            "single_select_vin": request.single_select_vin,
            "flags": f"country:{request.country}" if request.country else "",
        }
        non_empty = {name: value for name, value in query.items() if value}
        return f"{self._origins.connect}/oauth/authorize?{urlencode(non_empty)}"

    def request_token(self) -> ApplicationToken:
        """Requests a new token of the application with its API credentials ("Application Access Token")."""
        credentials = self._credentials
        if not credentials.client_id or not credentials.client_secret:
            raise not_sent("the client id or the client secret is not set")
        requested_at = datetime.now(UTC)
        try:
            answer = self._transport.send(
                "POST",
                f"{self._origins.iam}/oauth2/token",
                timeout=self._timeout,
                data={
                    "grant_type": "client_credentials",
                    "client_id": credentials.client_id,
                    "client_secret": credentials.client_secret,
                },
            )
        except SmartcarError as error:
            raise error.with_traceback(None) from None  # The inner frames contain the secret.
        body = answer.json()
        token, life = text_at(body, "access_token"), body.get("expires_in")
        if (
            not token
            or not isinstance(life, int | float)
            or not 0 < life <= timedelta(days=366).total_seconds()
        ):
            raise _unreadable(answer, "there is no token with an expiry in it")
        return ApplicationToken(token=token, expires_at=requested_at + timedelta(seconds=life))

    def shared_vehicles(self, access: Access, *, mode: str) -> tuple[SharedVehicle, ...]:
        """Returns the owner's vehicles from all pages ("List connections"). Smartcar's default mode is live."""
        found = self._connections(access, mode=mode)
        return tuple({vehicle.vehicle_id: vehicle for vehicle in found}.values())

    def list_grants(self, access: Access, *, vehicle_id: str, mode: str) -> tuple[SharedVehicle, ...]:
        """Returns every driver's connection to this vehicle ("List connections"). The owner in `access` is ignored."""
        filters = {"filter[vehicleId]": vehicle_id, "filter[vehicle.mode]": mode}
        url = f"{self._origins.vehicle}/v3/connections"
        found = map(
            _shared, self._pages(url, _application_access(access.token), filters, CONNECTIONS_PER_PAGE)
        )
        return tuple(each for each in found if each.vehicle_id == vehicle_id)

    def attributes(self, access: Access, *, vehicle_id: str) -> VehicleAttributes:
        """Returns make, model, year, powertrain and mode ("Vehicle")."""
        body = self._request("GET", self._vehicle_url(vehicle_id, ""), access).json()
        known = value_at(body, "data", "attributes")
        return VehicleAttributes(
            vehicle_id=vehicle_id,
            make=text_at(known, "make"),
            model=text_at(known, "model"),
            year=parse_year(value_at(known, "year")),
            powertrain=text_at(known, "powertrainType"),
            mode=text_at(known, "mode"),
        )

    def read(self, access: Access, *, vehicle_id: str) -> ReadAnswer:
        """Returns all signals that Smartcar has collected ("Signals"): none before the vehicle is subscribed."""
        answer = self._request("GET", self._vehicle_url(vehicle_id, "/signals"), access)
        return ReadAnswer(body=answer.json(), raw=answer.body, request_id=answer.request_id)

    def lock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Locks the doors ("Lock doors")."""
        return self._command(access, vehicle_id, "/commands/security/lock")

    def unlock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Unlocks the doors ("Unlock doors")."""
        return self._command(access, vehicle_id, "/commands/security/unlock")

    def start_charge(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Starts charging ("Start charge")."""
        return self._command(access, vehicle_id, "/commands/charge/start")

    def stop_charge(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Stops charging ("Stop charge")."""
        return self._command(access, vehicle_id, "/commands/charge/stop")

    def set_charge_limit(self, access: Access, *, vehicle_id: str, percent: int) -> CommandAnswer:
        """Sets the charge limit ("Set charge limit")."""
        limit = {"percent": checked_percent(percent)}
        return self._command(access, vehicle_id, "/commands/charge/set-limit", limit)

    def open_charge_port(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Opens the flap of the charge port ("Open charge port")."""
        return self._command(access, vehicle_id, "/commands/charge-port/open")

    def close_charge_port(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        """Closes the flap of the charge port ("Close charge port")."""
        return self._command(access, vehicle_id, "/commands/charge-port/close")

    def set_destination(
        self, access: Access, *, vehicle_id: str, latitude: float, longitude: float
    ) -> CommandAnswer:
        """Sends a place to the vehicle's navigation ("Set destination")."""
        place = checked_place(latitude=latitude, longitude=longitude)
        return self._command(access, vehicle_id, "/commands/navigation/set-destination", place)

    def set_charge_schedule(
        self, access: Access, *, vehicle_id: str, schedule: ChargeSchedule
    ) -> CommandAnswer:
        """Sets a charge schedule ("Charge schedules"). The response contains Smartcar's ID of the schedule."""
        attributes = schedule_attributes(schedule)
        return self._command(access, vehicle_id, f"/charge-schedules/{schedule.type}", attributes)

    def delete_charge_schedule(self, access: Access, *, vehicle_id: str, schedule_id: str) -> CommandAnswer:
        """Deletes a charge schedule ("Charge schedules")."""
        path = f"/charge-schedules/{segment(schedule_id, name='schedule id')}"
        return self._command(access, vehicle_id, path, method="DELETE")

    def subscribe(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Subscribes the vehicle to the webhook, which takes effect later: see `is_subscribed`."""
        ids = _subscription_ids(access, vehicle_id=vehicle_id, webhook_id=webhook_id)
        try:
            self._request(
                "POST", self._management_url("/subscriptions"), access, json={"data": {"attributes": ids}}
            )
        except SmartcarError as error:
            if error.status != 409:
                raise

    def unsubscribe(self, access: Access, *, vehicle_id: str, webhook_id: str) -> None:
        """Unsubscribes the vehicle from the webhook."""
        for mode in MODES:
            for subscription in self.subscriptions(
                access, vehicle_id=vehicle_id, webhook_id=webhook_id, mode=mode
            ):
                self._delete(
                    self._management_url(f"/subscriptions/{segment(subscription.id, name='id')}"), access
                )

    def is_subscribed(self, access: Access, *, vehicle_id: str, webhook_id: str) -> bool:
        """Whether the vehicle is subscribed to the webhook; False for a moment after `subscribe`."""
        return any(
            self.subscriptions(access, vehicle_id=vehicle_id, webhook_id=webhook_id, mode=mode)
            for mode in MODES
        )

    def subscriptions(
        self, access: Access, *, vehicle_id: str, webhook_id: str, mode: str
    ) -> tuple[Subscription, ...]:
        """Returns the subscriptions of this owner's vehicle to the webhook, in this mode ("List subscriptions")."""
        ids = _subscription_ids(access, vehicle_id=vehicle_id, webhook_id=webhook_id)
        filters = {f"filter[{name}]": value for name, value in ids.items()} | {"filter[vehicle.mode]": mode}
        entries = self._pages(self._management_url("/subscriptions"), access, filters, SUBSCRIPTIONS_PER_PAGE)
        expected = (vehicle_id, webhook_id, access.user_id)
        # If Smartcar ignored a filter, it would list other users' subscriptions, which must never be deleted.
        return tuple(
            found
            for found in map(_subscription, entries)
            if (found.vehicle_id, found.webhook_id, found.user_id) == expected
        )

    def disconnect(self, access: Access, *, vehicle_id: str, connection_id: str = "") -> Disconnected:
        """Revokes the owner's grant for this vehicle ("Delete connection").

        The connection is looked up if its ID isn't given, or no longer exists at Smartcar: reconnecting changes the ID.
        """
        segment(
            vehicle_id, name="vehicle id"
        )  # Without an ID, all of the owner's vehicles would be disconnected.
        ended = None
        if connection_id:
            ended = self._delete(self._connection_url(connection_id), access)
        if ended is None:
            for mode in MODES:
                for shared in self._connections(access, mode=mode, vehicle_id=vehicle_id):
                    ended = self._delete(self._connection_url(shared.connection_id), access) or ended
        return Disconnected(known=ended is not None, request_id=ended.request_id if ended else "")

    def all_connections(self, token: str, *, mode: str) -> tuple[ListedConnection, ...]:
        """Returns every grant of the application in this mode, from all pages ("List connections")."""
        return tuple(
            ListedConnection(
                each.user_id, each.vehicle_id, each.connection_id, mode, each.updated_at, each.external_id
            )
            for each in self.all_shared(token, mode=mode)
            if each.user_id and each.vehicle_id
        )

    def all_shared(self, token: str, *, mode: str) -> tuple[SharedVehicle, ...]:
        """Returns every user's vehicles in this mode, from all pages, with their makes ("List connections")."""
        url = f"{self._origins.vehicle}/v3/connections"
        filters = {"filter[vehicle.mode]": mode}
        pages = self._pages(url, _application_access(token), filters, CONNECTIONS_PER_PAGE)
        return tuple(map(_shared, pages))

    def all_subscriptions(self, token: str, *, webhook_id: str, mode: str) -> tuple[Subscription, ...]:
        """Returns every subscription to the webhook in this mode, from all pages ("List subscriptions")."""
        if not webhook_id:
            raise not_sent("no webhook id was given")
        filters = {"filter[webhookId]": webhook_id, "filter[vehicle.mode]": mode}
        entries = self._pages(
            self._management_url("/subscriptions"),
            _application_access(token),
            filters,
            SUBSCRIPTIONS_PER_PAGE,
        )
        return tuple(each for each in map(_subscription, entries) if each.webhook_id == webhook_id)

    def _connections(self, access: Access, *, mode: str, vehicle_id: str = "") -> list[SharedVehicle]:
        filters = {"filter[userId]": _owner(access), "filter[vehicle.mode]": mode}
        if vehicle_id:
            filters["filter[vehicleId]"] = vehicle_id
        url = f"{self._origins.vehicle}/v3/connections"
        found = [_shared(entry) for entry in self._pages(url, access, filters, CONNECTIONS_PER_PAGE)]
        # If Smartcar ignored a filter, it would list other users' vehicles.
        return [
            each
            for each in found
            if each.vehicle_id and each.user_id == access.user_id and vehicle_id in {"", each.vehicle_id}
        ]

    def _command(
        self,
        access: Access,
        vehicle_id: str,
        path: str,
        attributes: dict[str, Any] | None = None,
        *,
        method: str = "POST",
    ) -> CommandAnswer:
        """Sends a command. The result is in the body, whose end can follow minutes after the status 202."""
        content: dict[str, Any] = {"json": {"data": {"attributes": attributes}}} if attributes else {}
        url = self._vehicle_url(vehicle_id, path)
        answer = self._request(method, url, access, timeout=self._command_timeout, **content)
        body = answer.json()
        status = value_at(body, "data", "attributes", "status")
        if status is None and ("errors" in body or "type" in body):
            raise parse_error(
                status=answer.status, headers=answer.headers, body=answer.body, secrets=(access.token,)
            )
        try:
            outcome = CommandOutcome((text_at(status, "value") or str(status)).lower())
        except ValueError:
            raise _unreadable(answer, "it names no outcome that we know") from None
        error = _failure_reason(answer, value_at(status, "error"))
        return CommandAnswer(
            outcome=outcome,
            execution_id=text_at(body, "data", "id"),
            request_id=answer.request_id,
            smartcar_message=error.smartcar_message if error else "",
            schedule_id=text_at(body, "data", "attributes", "scheduleId"),
            error=error,
        )

    def _pages(
        self, url: str, access: Access, filters: dict[str, str], size: int
    ) -> Iterator[dict[str, Any]]:
        seen = 0
        for number in range(1, MAX_PAGES + 1):
            page = {"page[number]": str(number), "page[size]": str(size)}
            answer = self._request("GET", url, access, params=filters | page)
            body = answer.json()
            entries = body.get("data")
            if not isinstance(entries, list):
                raise _unreadable(answer, "there is no list in it")
            yield from (entry for entry in entries if isinstance(entry, dict))
            seen += len(entries)
            if not entries or not _more(body, seen):
                return
        raise _unreadable(answer, "there is no end of pages")

    def _delete(self, url: str, access: Access) -> Answer | None:
        """Returns Smartcar's response, or None if there was nothing to delete."""
        try:
            return self._request("DELETE", url, access)
        except SmartcarError as error:
            if error.not_found:
                return None
            raise

    def _vehicle_url(self, vehicle_id: str, path: str) -> str:
        return f"{self._origins.vehicle}/v3/vehicles/{segment(vehicle_id, name='vehicle id')}{path}"

    def _connection_url(self, connection_id: str) -> str:
        return f"{self._origins.vehicle}/v3/connections/{segment(connection_id, name='connection id')}"

    def _management_url(self, path: str) -> str:
        return f"{self._origins.management_v3}/v3{path}"

    def _request(
        self, method: str, url: str, access: Access, *, timeout: float | None = None, **content: Any
    ) -> Answer:
        owner = {} if access.user_id == _ALL_USERS else {"sc-user-id": _owner(access)}
        try:
            return self._transport.send(
                method,
                url,
                timeout=self._timeout if timeout is None else timeout,
                headers={
                    "Authorization": f"Bearer {access.token}",
                    "SC-Unit-System": "metric",
                }
                | owner,
                **content,
            )
        except SmartcarError as error:
            raise error.with_traceback(None) from None  # The inner frames contain the token.


def _application_access(token: str) -> Access:
    """Returns the access for the application's own lists, which have no owner."""
    return Access(token=token, user_id=_ALL_USERS)


def _owner(access: Access) -> str:
    if not access.user_id:
        raise not_sent("the access names no vehicle owner")
    return access.user_id


def _subscription_ids(access: Access, *, vehicle_id: str, webhook_id: str) -> dict[str, str]:
    """Returns the IDs of a subscription by Smartcar's names for them. Raises SmartcarError if one is empty."""
    if not (vehicle_id and webhook_id):
        raise not_sent("no vehicle id or no webhook id was given")
    return {"webhookId": webhook_id, "userId": _owner(access), "vehicleId": vehicle_id}


def _shared(entry: dict[str, Any]) -> SharedVehicle:
    known = value_at(entry, "attributes", "vehicle")
    permissions = value_at(entry, "attributes", "permissions")
    return SharedVehicle(
        vehicle_id=text_at(entry, "relationships", "vehicle", "data", "id"),
        user_id=text_at(entry, "relationships", "user", "data", "id")
        or text_at(entry, "attributes", "user", "id"),
        external_id=text_at(entry, "attributes", "user", "externalId"),
        make=text_at(known, "make"),
        model=text_at(known, "model"),
        year=parse_year(value_at(known, "year")),
        powertrain=text_at(known, "powertrainType"),
        mode=text_at(known, "mode"),
        permissions=frozenset(map(str, permissions if isinstance(permissions, list) else [])),
        connection_id=text_at(entry, "id"),
        updated_at=parse_time(value_at(entry, "meta", "updatedAt")),
    )


def _subscription(entry: dict[str, Any]) -> Subscription:
    relationships = value_at(entry, "relationships")
    return Subscription(
        id=text_at(entry, "id"),
        webhook_id=text_at(relationships, "webhook", "data", "id"),
        user_id=text_at(relationships, "user", "data", "id"),
        vehicle_id=text_at(relationships, "vehicle", "data", "id"),
    )


def _more(body: dict[str, Any], seen: int) -> bool:
    total = value_at(body, "meta", "totalCount")
    return bool(value_at(body, "links", "next")) or (isinstance(total, int) and seen < total)


def _failure_reason(answer: Answer, error: Any) -> SmartcarError | None:
    """Returns why a command failed, or None if the body contains no reason."""
    if not isinstance(error, dict):
        return None
    return v3_error(error, status=answer.status, request_id=answer.request_id)


def _unreadable(answer: Answer, reason: str) -> SmartcarError:
    return unreadable(reason, status=answer.status, request_id=answer.request_id)
