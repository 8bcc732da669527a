"""Checks whether Smartcar accepts credentials, without using up or changing anything.

Each check is a request whose response differs for valid and invalid credentials: 401 for invalid ones ("API Errors",
AUTHENTICATION; OAuth `invalid_client`). Secrets are sent to Smartcar's own hosts only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from smartcar_api.errors import SmartcarError
from smartcar_api.json_access import text_at, value_at
from smartcar_api.protocol import Access, Credentials, Origins
from smartcar_api.transport import Transport, segment
from smartcar_api.v2.client import V2Api
from smartcar_api.v3 import V3Api

TIMEOUT = 8.0
_FAKE_TOKEN = "test-credentials"  # noqa: S105  plainly none


class Accepted(StrEnum):
    """Whether Smartcar accepts credentials."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "silent"  # No response, or one that doesn't depend on the credentials.


@dataclass(frozen=True, slots=True)
class CredentialAnswer:
    """The result of a check. `why` is a message for the user; empty for YES."""

    accepted: Accepted
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WebhookFound:
    """A webhook of the application, as stored at Smartcar."""

    name: str
    address: str
    enabled: bool


class Prober:
    """Checks an application's credentials."""

    def __init__(self, *, origins: Origins) -> None:
        self._origins = origins
        self._transport = Transport()

    def v2(self, credentials: Credentials) -> CredentialAnswer:
        """Checks the application ID and secret: a fake refresh token gets `invalid_grant` only if they are valid."""
        api = V2Api(origins=self._origins, credentials=credentials, timeout=TIMEOUT)
        return _check(lambda: api.refresh(refresh_token=_FAKE_TOKEN), accepted_errors=("invalid_grant",))

    def v3(self, credentials: Credentials) -> CredentialAnswer:
        """Checks the client ID and secret by requesting a token, which is discarded."""
        return _check(self._api(credentials).request_token)

    def management(self, token: str) -> CredentialAnswer:
        """Checks an application management token with v2's management API ("Management API", Basic)."""
        return _check(
            lambda: self._transport.send(
                "GET",
                f"{self._origins.management}/v2.0/management/connections",
                timeout=TIMEOUT,
                auth=("default", token),
                params={"limit": "1"},
            )
        )

    def applications(self, credentials: Credentials) -> frozenset[str]:
        """Returns the IDs of the client ID's applications (v3 management). Raises SmartcarError."""
        body = self._get("/applications", credentials)
        entries = body.get("data")
        return (
            frozenset(text_at(entry, "id") for entry in entries if isinstance(entry, dict))
            if isinstance(entries, list)
            else frozenset()
        )

    def webhook(self, credentials: Credentials, webhook_id: str) -> WebhookFound | None:
        """Returns the application's webhook with this ID, or None (v3 management). Raises SmartcarError."""
        try:
            body = self._get(f"/webhooks/{segment(webhook_id, name='webhook id')}", credentials)
        except SmartcarError as error:
            if error.status in (400, 404):
                return None
            raise
        attributes = value_at(body, "data", "attributes")
        return WebhookFound(
            name=text_at(attributes, "name"),
            address=text_at(attributes, "callbackUri"),
            enabled=value_at(attributes, "isEnabled") is not False,
        )

    def _api(self, credentials: Credentials) -> V3Api:
        return V3Api(origins=self._origins, credentials=credentials, timeout=TIMEOUT)

    def _get(self, path: str, credentials: Credentials) -> dict[str, object]:
        token = Access(token=self._api(credentials).request_token().token, user_id="")
        url = f"{self._origins.management_v3}/v3{path}"
        headers = {"Authorization": f"Bearer {token.token}"}
        try:
            return self._transport.send("GET", url, timeout=TIMEOUT, headers=headers).json()
        except SmartcarError as error:
            raise error.with_traceback(None) from None  # The inner frames contain the token.


def _check(request: Callable[[], object], *, accepted_errors: tuple[str, ...] = ()) -> CredentialAnswer:
    try:
        request()
    except SmartcarError as error:
        if error.type in accepted_errors:
            return CredentialAnswer(Accepted.YES)
        if error.unauthorized or error.type in ("invalid_client", "unauthorized_client"):
            return CredentialAnswer(Accepted.NO, error.user_message)
        return CredentialAnswer(Accepted.UNCLEAR, error.user_message)
    return CredentialAnswer(Accepted.YES)
