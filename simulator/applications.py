"""Several Smartcar applications in one simulator: the same cars, drivers and clock, and for each application grants,
tokens, webhooks and limits of its own. A request is served by the application whose credentials or id it carries.

Cars and drivers have the same ids in all of them; whether Smartcar does so is not known.
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
from simulator.deliveries import Courier
from simulator.limits import Limits
from simulator.settings import Credentials
from simulator.tokens import TokenBook
from simulator.webhooks import Webhooks
from simulator.wire import basic, bearer
from simulator.world import World

_FIELDS = ("applicationId", "applicationSecret", "clientId", "clientSecret")
_FLOW = "/connect/flow/"
_MOST_VISITS = 10_000


class Applications:
    """All applications of a running simulator; the first is that of the environment and always there."""

    def __init__(self, first: World) -> None:
        self.first = first
        self._more: dict[str, World] = {}

    @property
    def worlds(self) -> list[World]:
        """What each application holds, the first one's first."""
        return [self.first, *self._more.values()]

    def add(self, body: Mapping[str, Any]) -> World:
        """A new application with these credentials. Raises ValueError for credentials that are missing or taken."""
        given = {name: body.get(name) for name in _FIELDS}
        tokens = body.get("managementTokens")
        if not all(isinstance(value, str) and value for value in given.values()):
            raise ValueError(f"{', '.join(_FIELDS)} are texts")
        if not isinstance(tokens, list) or not tokens or not all(isinstance(each, str) for each in tokens):
            raise ValueError("managementTokens is a list of texts")
        credentials = Credentials(
            application_id=str(given["applicationId"]),
            application_secret=str(given["applicationSecret"]),
            client_id=str(given["clientId"]),
            client_secret=str(given["clientSecret"]),
            management_tokens=tuple(tokens),
        )
        held = [each.settings.credentials for each in self.worlds]
        if any(
            credentials.application_id == each.application_id or credentials.client_id == each.client_id
            for each in held
        ):
            raise ValueError("there is an application with that applicationId or clientId")
        made = _beside(self.first, credentials)
        self._more[credentials.application_id] = made
        return made

    def forget(self) -> None:
        """Only the first one stays."""
        self._more.clear()

    def by_id(self, application_id: str | None) -> World | None:
        """The application with that id, or None."""
        return self._found(lambda each: each.settings.credentials.application_id == application_id)

    def by_client(self, client_id: str) -> World | None:
        """The application with these API credentials, or None."""
        return self._found(lambda each: each.settings.credentials.client_id == client_id)

    def by_authorization(self, request: Request) -> World | None:
        """The application that issued the bearer token, or whose id or management token is in the Basic header."""
        token, pair = bearer(request), basic(request)

        def fits(world: World) -> bool:
            held = world.settings.credentials
            if pair is not None:
                return pair[0] == held.application_id or pair[1] in held.management_tokens
            return (
                token in world.tokens.application
                or token in world.tokens.access
                or token in held.management_tokens
            )

        return self._found(fits)

    def _found(self, fits: Callable[[World], bool]) -> World | None:
        return next((each for each in self.worlds if fits(each)), None)


def _beside(first: World, credentials: Credentials) -> World:
    settings = replace(first.settings, credentials=credentials)
    return World(
        settings=settings,
        clock=first.clock,
        garage=first.garage,
        troubles=first.troubles,
        connections=Connections(),
        tokens=TokenBook(reuse=settings.refresh_reuse),
        webhooks=Webhooks(),
        limits=Limits(settings=settings, clock=first.clock),
        courier=Courier(
            settings=settings,
            clock=first.clock,
            troubles=first.troubles,
            transport=first.courier.transport,
        ),
        requests=first.requests,
    )


class ByApplication:
    """Passes each request to the hosts of the application that it belongs to; unknown ones to the first."""

    def __init__(self, applications: Applications, hosts: Callable[[World], ASGIApp]) -> None:
        self._applications = applications
        self._make = hosts
        self._hosts: dict[int, tuple[World, ASGIApp]] = {}
        self._visits: dict[str, World] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._of(self._applications.first)(scope, receive, send)
            return
        if len(self._applications.worlds) > 1:
            world, receive = await self._serving(scope, receive)
        else:
            world = self._applications.first
        if scope["path"].startswith("/connect/"):
            send = self._remembering(world, send)
        await self._of(world)(scope, receive, send)

    def _of(self, world: World) -> ASGIApp:
        held = self._hosts.get(id(world))
        if held is None:
            alive = {id(each) for each in self._applications.worlds}
            self._hosts = {key: value for key, value in self._hosts.items() if key in alive}
            held = self._hosts[id(world)] = (world, self._make(world))
        return held[1]

    async def _serving(self, scope: Scope, receive: Receive) -> tuple[World, Receive]:
        path, query = scope["path"], QueryParams(scope["query_string"])
        all_of_them, found = self._applications, None
        if path.startswith("/control"):
            found = all_of_them.by_id(query.get("applicationId"))
        elif path.startswith(_FLOW):
            found = self._visits.get(path.removeprefix(_FLOW).split("/")[0])
        elif path.startswith("/connect/"):
            found = all_of_them.by_id(query.get("application_id") or query.get("client_id"))
        elif path.startswith("/iam/"):
            body, receive = await _body(receive)
            found = all_of_them.by_client(_client_in(body))
        else:
            found = all_of_them.by_authorization(Request(scope))
        return found or all_of_them.first, receive

    def _remembering(self, world: World, send: Send) -> Send:
        """Notes whose visit it is that Connect sends the browser on to."""

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and world is not self._applications.first:
                target = Headers(raw=message["headers"]).get("location", "")
                if target.startswith(_FLOW) and len(self._visits) < _MOST_VISITS:
                    self._visits[target.removeprefix(_FLOW).split("/")[0]] = world
            await send(message)

        return noted


async def _body(receive: Receive) -> tuple[bytes, Receive]:
    """The body of a small request, and a way to receive it once more."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)

    async def again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return body, again


def _client_in(body: bytes) -> str:
    """The client id in a form or in JSON."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        fields = dict(parse_qsl(body.decode(errors="replace")))
    return str(fields.get("client_id", "")) if isinstance(fields, dict) else ""
