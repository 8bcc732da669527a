"""Several Smartcar applications in one simulator.

The applications share vehicles, drivers and the clock. Each has its own grants, tokens, webhooks and limits. A
request is served by the application whose credentials or id the request carries. Vehicles and drivers have the same
ids in every application. Whether Smartcar does the same is unknown.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.connections import Connections
from simulator.deliveries import WebhookSender
from simulator.http_utils import basic, bearer
from simulator.limits import Limits
from simulator.settings import Credentials
from simulator.simulation import Simulation
from simulator.tokens import TokenStore
from simulator.webhooks import Webhooks

_FIELDS = ("applicationId", "applicationSecret", "clientId", "clientSecret")
_FLOW = "/connect/flow/"
_MAX_SESSIONS = 10_000


class Applications:
    """All applications of a running simulator. The first one comes from the environment and always exists."""

    def __init__(self, first: Simulation) -> None:
        self.first = first
        self._more: dict[str, Simulation] = {}

    @property
    def simulations(self) -> list[Simulation]:
        """The simulations of all applications, the first application's first."""
        return [self.first, *self._more.values()]

    def add(self, body: Mapping[str, Any]) -> Simulation:
        """Add an application with these credentials.

        Raises:
            ValueError: Credentials are missing or already in use.
        """
        values = {name: body.get(name) for name in _FIELDS}
        tokens = body.get("managementTokens")
        if not all(isinstance(value, str) and value for value in values.values()):
            raise ValueError(f"{', '.join(_FIELDS)} must be strings")
        if not isinstance(tokens, list) or not tokens or not all(isinstance(each, str) for each in tokens):
            raise ValueError("managementTokens must be a list of strings")
        credentials = Credentials(
            application_id=str(values["applicationId"]),
            application_secret=str(values["applicationSecret"]),
            client_id=str(values["clientId"]),
            client_secret=str(values["clientSecret"]),
            management_tokens=tuple(tokens),
        )
        existing = [each.settings.credentials for each in self.simulations]
        if any(
            credentials.application_id == each.application_id or credentials.client_id == each.client_id
            for each in existing
        ):
            raise ValueError("another application has this applicationId or clientId")
        application = _create_beside(self.first, credentials)
        self._more[credentials.application_id] = application
        return application

    def remove_added(self) -> None:
        """Remove every application except the first."""
        self._more.clear()

    def by_id(self, application_id: str | None) -> Simulation | None:
        """Return the application with this id, or None."""
        return self._find(lambda each: each.settings.credentials.application_id == application_id)

    def by_client(self, client_id: str) -> Simulation | None:
        """Return the application with this v3 client id, or None."""
        return self._find(lambda each: each.settings.credentials.client_id == client_id)

    def by_authorization(self, request: Request) -> Simulation | None:
        """Return the application of the bearer token, or of the id or management token in the Basic header."""
        token, pair = bearer(request), basic(request)

        def matches(simulation: Simulation) -> bool:
            credentials = simulation.settings.credentials
            if pair is not None:
                return pair[0] == credentials.application_id or pair[1] in credentials.management_tokens
            return (
                token in simulation.tokens.application
                or token in simulation.tokens.access
                or token in credentials.management_tokens
            )

        return self._find(matches)

    def _find(self, matches: Callable[[Simulation], bool]) -> Simulation | None:
        return next((each for each in self.simulations if matches(each)), None)


def _create_beside(first: Simulation, credentials: Credentials) -> Simulation:
    settings = replace(first.settings, credentials=credentials)
    return Simulation(
        settings=settings,
        clock=first.clock,
        fleet=first.fleet,
        faults=first.faults,
        connections=Connections(),
        tokens=TokenStore(reuse=settings.refresh_reuse),
        webhooks=Webhooks(),
        limits=Limits(settings=settings, clock=first.clock),
        sender=WebhookSender(
            settings=settings,
            clock=first.clock,
            faults=first.faults,
            transport=first.sender.transport,
        ),
        requests=first.requests,
    )


class ApplicationRouter:
    """Routes each request to the hosts of its application. Requests without a known application go to the first."""

    def __init__(self, applications: Applications, hosts: Callable[[Simulation], ASGIApp]) -> None:
        self._applications = applications
        self._make = hosts
        self._hosts: dict[int, tuple[Simulation, ASGIApp]] = {}
        self._sessions: dict[str, Simulation] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._get_hosts(self._applications.first)(scope, receive, send)
            return
        if len(self._applications.simulations) > 1:
            simulation, receive = await self._route(scope, receive)
        else:
            simulation = self._applications.first
        if scope["path"].startswith("/connect/"):
            send = self._remember_session(simulation, send)
        await self._get_hosts(simulation)(scope, receive, send)

    def _get_hosts(self, simulation: Simulation) -> ASGIApp:
        entry = self._hosts.get(id(simulation))
        if entry is None:
            active = {id(each) for each in self._applications.simulations}
            self._hosts = {key: value for key, value in self._hosts.items() if key in active}
            entry = self._hosts[id(simulation)] = (simulation, self._make(simulation))
        return entry[1]

    async def _route(self, scope: Scope, receive: Receive) -> tuple[Simulation, Receive]:
        path, query = scope["path"], QueryParams(scope["query_string"])
        all_of_them, found = self._applications, None
        if path.startswith("/control"):
            found = all_of_them.by_id(query.get("applicationId"))
        elif path.startswith(_FLOW):
            found = self._sessions.get(path.removeprefix(_FLOW).split("/")[0])
        elif path.startswith("/connect/"):
            found = all_of_them.by_id(query.get("application_id") or query.get("client_id"))
        elif path.startswith("/iam/"):
            body, receive = await _body(receive)
            found = all_of_them.by_client(_client_in(body))
        else:
            found = all_of_them.by_authorization(Request(scope))
        return found or all_of_them.first, receive

    def _remember_session(self, simulation: Simulation, send: Send) -> Send:
        """Remember which application a Connect session belongs to."""

        async def session_remembering_send(message: Message) -> None:
            if message["type"] == "http.response.start" and simulation is not self._applications.first:
                target = Headers(raw=message["headers"]).get("location", "")
                if target.startswith(_FLOW) and len(self._sessions) < _MAX_SESSIONS:
                    self._sessions[target.removeprefix(_FLOW).split("/")[0]] = simulation
            await send(message)

        return session_remembering_send


async def _body(receive: Receive) -> tuple[bytes, Receive]:
    """Return the body of a small request, and a ``receive`` that returns the body again."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return body, replay


def _client_in(body: bytes) -> str:
    """Return the client id in a form or in a JSON body."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        fields = dict(parse_qsl(body.decode(errors="replace")))
    return str(fields.get("client_id", "")) if isinstance(fields, dict) else ""
