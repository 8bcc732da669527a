"""The token endpoints: v2 at /auth/oauth/token, v3 at /iam/oauth2/token, with the documented OAuth errors."""

import hmac
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.fault_injection import Faults
from simulator.hosts.common import get_simulation, mark, v2_host, v3_host
from simulator.http_utils import basic, json_response
from simulator.simulation import Simulation
from simulator.tokens import ACCESS_LIFE, APPLICATION_LIFE, Pair, TokenError


def same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def oauth_error(error: str, description: str, *, status: int = 400) -> Response:
    """Return an OAuth error body."""
    return json_response({"error": error, "error_description": description}, status=status)


async def _fields(request: Request) -> dict[str, str] | None:
    raw = await request.body()
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        try:
            value: Any = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(value, dict):
            return None
        return {key: each for key, each in value.items() if isinstance(each, str)}
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(raw.decode(errors="replace")))
    return None


async def v2_token(request: Request) -> Response:
    """Exchange a code or rotate a refresh token ("Auth Code Exchange", "Refreshing Access Tokens").

    The credentials come in a Basic header, as documented, or in the form, as other OAuth clients send them.
    """
    simulation = get_simulation(request)
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    fields = await _fields(request) if form else None
    if not _is_application(simulation, basic(request) or _in_form(fields)):
        return oauth_error("invalid_client", "Client ID or secret is invalid.", status=401)
    if not request.headers.get("user-agent"):
        return oauth_error("invalid_request", "A User-Agent header is required.")
    if fields is None:
        return oauth_error("invalid_request", "The body must be application/x-www-form-urlencoded.")
    return _grant(request, simulation, fields)


def _in_form(fields: dict[str, str] | None) -> tuple[str, str] | None:
    if fields is None or "client_id" not in fields or "client_secret" not in fields:
        return None
    return fields["client_id"], fields["client_secret"]


def _is_application(simulation: Simulation, presented: tuple[str, str] | None) -> bool:
    credentials = simulation.settings.credentials
    return (
        presented is not None
        and same(presented[0], credentials.application_id)
        and same(presented[1], credentials.application_secret)
    )


def _grant(request: Request, simulation: Simulation, fields: dict[str, str]) -> Response:
    kind = fields.get("grant_type")
    parameter = {"authorization_code": "code", "refresh_token": "refresh_token"}.get(kind or "")
    if parameter is None:
        return oauth_error("unsupported_grant_type" if kind else "invalid_request", "Invalid grant_type.")
    if not fields.get(parameter):
        return oauth_error("invalid_request", f"Missing parameter: {parameter}.")
    if kind == "authorization_code":
        rejected = _unauthorized_make(simulation, fields["code"])
        if rejected:
            description = f"not authorized to requested make(s): {rejected}"
            return oauth_error("unauthorized_client", description, status=403)
    try:
        if kind == "authorization_code":
            pair = simulation.tokens.exchange(
                code=fields["code"], redirect_uri=fields.get("redirect_uri"), now=simulation.now()
            )
        else:
            pair = simulation.tokens.rotate(refresh=fields["refresh_token"], now=simulation.now())
    except TokenError as rejection:
        return oauth_error("invalid_grant", str(rejection))
    simulation.changed = True
    mark(request, user_id=pair.user_id)
    _lose_answer(request, simulation.faults, kind)
    return _pair(pair)


def _unauthorized_make(simulation: Simulation, code: str) -> str | None:
    issued = simulation.tokens.codes.get(code)
    makes = {simulation.fleet.vehicles[each].make for each in issued.vehicle_ids} if issued else set()
    return next((each for each in sorted(makes) if each in simulation.faults.unauthorized_makes), None)


def _lose_answer(request: Request, faults: Faults, kind: str | None) -> None:
    if kind == "refresh_token" and faults.occurs(faults.token_answer_lost):
        request.scope["simulator.lost"] = True


def _pair(pair: Pair) -> Response:
    return json_response(
        {
            "access_token": pair.access,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIFE),
            "refresh_token": pair.refresh,
        }
    )


async def v3_token(request: Request) -> Response:
    """Issue a v3 application token for client credentials, as a form or JSON ("Authentication" of API V3)."""
    simulation = get_simulation(request)
    credentials = simulation.settings.credentials
    fields = await _fields(request)
    if fields is None or fields.get("grant_type") != "client_credentials":
        return oauth_error("invalid_request", "grant_type must be client_credentials.")
    client_id, secret = fields.get("client_id"), fields.get("client_secret")
    if not client_id or not secret:
        return oauth_error("invalid_request", "client_id and client_secret are required.")
    if not same(client_id, credentials.client_id) or not same(secret, credentials.client_secret):
        return oauth_error("invalid_client", "Client authentication failed.", status=401)
    token = simulation.tokens.issue_application(now=simulation.now())
    simulation.changed = True
    return json_response({"access_token": token, "token_type": "Bearer", "expires_in": int(APPLICATION_LIFE)})


def auth_host(simulation: Simulation) -> Starlette:
    """Return the routes of auth.smartcar.com."""
    # The Python SDK's SMARTCAR_AUTH_ORIGIN names the endpoint. The Node SDK appends the path again.
    paths = ("/oauth/token", "/oauth/token/oauth/token")
    return v2_host(simulation, [Route(each, v2_token, methods=["POST"]) for each in paths])


def iam_host(simulation: Simulation) -> Starlette:
    """Return the routes of iam.smartcar.com."""
    return v3_host(simulation, [Route("/oauth2/token", v3_token, methods=["POST"])])
