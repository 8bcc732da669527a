"""The ASGI application: every host under its path prefix, the request log and fault injection for responses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.applications import ApplicationRouter, Applications
from simulator.connect.pages import connect_host
from simulator.control.api import API_ROUTES
from simulator.control.pages import PAGE_ROUTES
from simulator.control.requests import ControlError, not_found, rejected
from simulator.engine import Engine
from simulator.errors import ApiError, v2_response, v3_response
from simulator.hosts.api import api_host
from simulator.hosts.compatibility import compatibility_host
from simulator.hosts.management import management_host, management_v3_host
from simulator.hosts.tokens import auth_host, iam_host
from simulator.hosts.vehicle import vehicle_host
from simulator.http_utils import json_response, request_id
from simulator.request_log import LoggedRequest, get_api_version
from simulator.simulation import Simulation

REQUEST_ID = b"sc-request-id"
FAULTY_PREFIXES = ("/api/", "/auth/", "/management/", "/vehicle/", "/iam/", "/management-v3/")
API = (*FAULTY_PREFIXES, "/compatibility/")


class RequestMiddleware:
    """Logs each request and injects faults into requests to Smartcar's API hosts."""

    def __init__(self, app: ASGIApp, simulation: Simulation) -> None:
        self._app = app
        self._simulation = simulation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _without_last_slash(scope)
        path = scope["path"]
        entry = LoggedRequest(
            method=scope["method"], path=path, at=self._simulation.now(), api_version=get_api_version(path)
        )
        scope["simulator.seen"] = entry
        if not path.startswith("/control"):
            self._simulation.requests.add(entry)

        async def logged_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                if path.startswith(API) and not any(
                    name.lower() == REQUEST_ID for name, _ in message["headers"]
                ):
                    headers = [*message["headers"], (REQUEST_ID, request_id().encode())]
                    message = {**message, "headers": headers}
            await send(message)

        if path.startswith(FAULTY_PREFIXES):
            await self._with_faults(scope, receive, logged_send)
        else:
            await self._app(scope, receive, logged_send)

    async def _with_faults(self, scope: Scope, receive: Receive, send: Send) -> None:
        faults = self._simulation.faults
        if faults.slow_answers:
            await asyncio.sleep(faults.slow_answers)
        v3 = get_api_version(scope["path"]) == "v3"
        error_response = v3_response if v3 else v2_response
        if faults.occurs(faults.rate_limited):
            code = "VEHICLE" if "/vehicles/" in scope["path"] else "SMARTCAR_API"
            await error_response(ApiError("RATE_LIMIT", code, retry_after=30))(scope, receive, send)
        elif faults.occurs(faults.server_errors):
            status = faults.rng.choice((500, 502, 503, 504) if v3 else (500, 502, 503))
            kind, code = ("UPSTREAM", "NO_RESPONSE") if status in (502, 504) else ("SERVER", "INTERNAL")
            await error_response(ApiError(kind, code, status=status))(scope, receive, send)
        else:
            scope["simulator.lost"] = faults.occurs(faults.lost_answers)
            with suppress(ResponseDropped):
                await self._app(scope, receive, _dropping(scope, send))


def _without_last_slash(scope: Scope) -> Scope:
    """Return the request without a trailing slash in its path, because the SDKs send one and Smartcar accepts it."""
    path = scope["path"]
    if not path.startswith(FAULTY_PREFIXES) or not path.endswith("/"):
        return scope
    return {**scope, "path": path.rstrip("/"), "raw_path": path.rstrip("/").encode()}


class ResponseDropped(Exception):  # noqa: N818 - an injected fault
    """The response was dropped deliberately."""


def _dropping(scope: Scope, send: Send) -> Send:
    """Return a ``send`` that breaks the connection in the middle of the body if the response is to be dropped."""

    async def server_error(message: Message) -> None:
        if scope.get("simulator.lost") and message["type"] == "http.response.start":
            headers = [each for each in message["headers"] if each[0].lower() != b"content-length"]
            await send({**message, "headers": [*headers, (b"content-length", b"1000000")]})
        elif scope.get("simulator.lost"):
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            raise ResponseDropped
        else:
            await send(message)

    return server_error


class SameOriginMiddleware:
    """Rejects requests from pages of other origins, because the control API requires no credentials."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin and urlsplit(origin).netloc != headers.get("host"):
                await json_response({"error": "requests from other origins are not allowed"}, status=403)(
                    scope, receive, send
                )
                return
        await self._app(scope, receive, send)


def create_app(simulation: Simulation, *, engine: Engine | None = None) -> ASGIApp:
    """Return the whole simulator as one ASGI application. ``engine`` runs while the application serves."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if engine is None:
            yield
            return
        async with engine.running():
            yield

    applications = Applications(simulation) if engine is None else engine.applications
    hosts = ApplicationRouter(applications, lambda each: _hosts(each, applications))
    return RequestMiddleware(Starlette(routes=[Mount("/", app=hosts)], lifespan=lifespan), simulation)


def _hosts(simulation: Simulation, applications: Applications) -> ASGIApp:
    """Return the routes of every host for one application."""
    control = Starlette(
        routes=[*API_ROUTES, *PAGE_ROUTES],
        exception_handlers={ControlError: rejected, ValueError: rejected, HTTPException: not_found},
    )
    control.state.simulation = simulation
    control.state.applications = applications
    hosts: dict[str, ASGIApp] = {
        "/connect": connect_host(simulation),
        "/auth": auth_host(simulation),
        "/iam": iam_host(simulation),
        "/api": api_host(simulation),
        "/management": management_host(simulation),
        "/vehicle": vehicle_host(simulation),
        "/management-v3": management_v3_host(simulation),
        "/compatibility": compatibility_host(simulation),
        "/control": SameOriginMiddleware(control),
    }
    return Starlette(routes=[Mount(prefix, app=host) for prefix, host in hosts.items()])
