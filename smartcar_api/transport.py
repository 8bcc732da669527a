"""The pooled HTTP client of both API versions: timeouts, classification of failures, no secrets in errors.

Of the environment, only the usual proxy variables (HTTPS_PROXY, NO_PROXY) are honored. Redirects aren't followed and
cookies aren't stored.
"""

import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from smartcar_api.error_parsing import get_request_id, parse_error, parsed
from smartcar_api.errors import no_answer, not_sent, unreadable
from smartcar_api.redaction import one_line, scrub

USER_AGENT = "smartcar-fleet (httpx)"
CONNECT_TIMEOUT = 10.0
MAX_BODY_SIZE = 16 * 2**20

_OPEN_FIELDS = frozenset({"grant_type", "redirect_uri", "client_id"})
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_IMPOSSIBLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful response. Has the attributes of a response that Smartcar's SDK uses: `headers` and `json()`."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def request_id(self) -> str:
        return get_request_id(self.headers)

    def json(self) -> dict[str, Any]:
        """Returns the JSON object in the body. Raises SmartcarError (UNREADABLE_ANSWER) if there is none."""
        answer = parsed(self.body)
        if not isinstance(answer, dict):
            raise unreadable("the body is no JSON object", status=self.status, request_id=self.request_id)
        return answer


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request that is about to be sent, without its secrets. `timeout` is in seconds.

    `parts` is how many requests it counts as: the number of paths of a v2 batch ("Batch"), otherwise 1.
    """

    method: str
    url: str = field(repr=False)
    parts: int
    timeout: float


class Gate(Protocol):
    """A check that every request passes."""

    def guard(self, request: Outgoing) -> AbstractContextManager[None]:
        """Wraps the sending. Raises SmartcarError (NOT_SENT) on entry to reject the request; receives its errors."""


class Transport:
    """Sends requests for the threads of this process. A forked child opens its own connections."""

    def __init__(self, *, gate: Gate | None = None) -> None:
        self._gate = gate
        self._clients: dict[int, httpx.Client] = {}

    def send(self, method: str, url: str, *, timeout: float, auth: Any = None, **content: Any) -> Answer:
        """Sends one request. `auth` and `content` (params, headers, data, json) are arguments of httpx.

        `timeout` (seconds) limits each wait for the response, and the reading of its body. Raises SmartcarError for
        every status other than success, for an incomplete response, and if the gate rejects the request.
        """
        outgoing = Outgoing(method, url, _parts(content), timeout)
        with self._gate.guard(outgoing) if self._gate else nullcontext():
            return self._send(method, url, timeout, auth, content)

    def _send(self, method: str, url: str, timeout: float, auth: Any, content: dict[str, Any]) -> Answer:
        secrets = _secrets(auth, content)
        try:
            request = self._request(method, url, timeout, content)
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise not_sent(_describe(error, secrets)) from None
        try:
            return _exchange(self._client(), request, auth, timeout, secrets)
        except _NOTHING_SENT as error:
            failure = not_sent(_describe(error, secrets), code="CONNECT_FAILED")
        except _IMPOSSIBLE as error:
            failure = not_sent(_describe(error, secrets))
        except httpx.TimeoutException as error:
            failure = no_answer(_describe(error, secrets), code="TIMEOUT")
        except httpx.HTTPError as error:
            failure = no_answer(_describe(error, secrets), code="BROKEN")
        raise failure

    def close(self) -> None:
        """Closes this process's idle connections. The transport can be used again."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.close()

    def _request(self, method: str, url: str, timeout: float, content: dict[str, Any]) -> httpx.Request:
        if not content.get("params"):
            content.pop("params", None)  # httpx would remove the query from the URL
        timeouts = httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))
        return self._client().build_request(method, url, timeout=timeouts, **content)

    def _client(self) -> httpx.Client:
        client = self._clients.get(os.getpid())
        return client if client is not None else self._clients.setdefault(os.getpid(), _new_client())


def _parts(content: Mapping[str, Any]) -> int:
    body = content.get("json")
    requests = body.get("requests") if isinstance(body, dict) else None
    return max(1, len(requests)) if isinstance(requests, list) else 1


def segment(value: str, *, name: str) -> str:
    """Returns the value as one path segment. Raises SmartcarError (NOT_SENT) if it is empty or relative."""
    if not value or value in {".", ".."}:
        raise not_sent(f"no {name} was given")
    return quote(value, safe="")


def _new_client() -> httpx.Client:
    return httpx.Client(
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def _exchange(
    client: httpx.Client, request: httpx.Request, auth: Any, timeout: float, secrets: tuple[str, ...]
) -> Answer:
    response = client.send(request, auth=auth, stream=True)
    try:
        body = _read(response, timeout)
    finally:
        response.close()
    if response.is_success:
        return Answer(status=response.status_code, headers=response.headers, body=body)
    raise parse_error(status=response.status_code, headers=response.headers, body=body, secrets=secrets)


def _read(response: httpx.Response, timeout: float) -> bytes:
    """Returns the body. An incomplete body is accepted for an error response, because its status is enough."""
    deadline = time.monotonic() + timeout
    body = bytearray()
    try:
        for part in response.iter_bytes():
            body += part
            if len(body) > MAX_BODY_SIZE:
                raise httpx.ReadError("the answer is too large")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer does not end")
    except httpx.HTTPError:
        if response.is_success:
            raise
    return bytes(body)


def _secrets(auth: Any, content: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns what an error must not contain: the authorization and the values of a form."""
    headers = content.get("headers") or {}
    form = content.get("data") or {}
    bearer = str(headers.get("Authorization", "")).split(" ")[-1]
    basic = [str(part) for part in auth[1:]] if isinstance(auth, tuple) else []
    fields = [str(value) for key, value in form.items() if key not in _OPEN_FIELDS]
    return tuple(secret for secret in (bearer, *basic, *fields) if secret)


def _describe(error: Exception, secrets: tuple[str, ...]) -> str:
    return one_line(scrub(f"{type(error).__name__}: {error}", secrets), limit=200)
