"""Asking Smartcar which credentials it takes, without using up or changing anything.

Each question is one that Smartcar answers differently for right and wrong credentials: 401 for wrong ones ("API
Errors", AUTHENTICATION; OAuth `invalid_client`). Secrets go to Smartcar's own hosts only.
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
_NOBODYS_TOKEN = "test-credentials"  # noqa: S105  plainly none


class Accepted(StrEnum):
    """What Smartcar says of credentials."""

    YES = "yes"
    NO = "no"
    SILENT = "silent"  # No answer, or one that says nothing of the credentials.


@dataclass(frozen=True, slots=True)
class CredentialAnswer:
    """`why` is fit for people; empty for YES."""

    taken: Accepted
    why: str = ""


@dataclass(frozen=True, slots=True)
class WebhookFound:
    """A webhook of the application, as Smartcar knows it."""

    name: str
    address: str
    enabled: bool


class Prober:
    """Questions about one application's credentials."""

    def __init__(self, *, origins: Origins) -> None:
        self._origins = origins
        self._transport = Transport()

    def v2(self, credentials: Credentials) -> CredentialAnswer:
        """Application id and secret: a made-up refresh token is refused as such only once they are right."""
        api = V2Api(origins=self._origins, credentials=credentials, timeout=TIMEOUT)
        return _answered(lambda: api.refresh(refresh_token=_NOBODYS_TOKEN), fine=("invalid_grant",))

    def v3(self, credentials: Credentials) -> CredentialAnswer:
        """Client id and secret: a token is minted, and forgotten."""
        return _answered(self._api(credentials).mint_token)

    def management(self, token: str) -> CredentialAnswer:
        """An application management token: it opens v2's management API ("Management API", Basic)."""
        return _answered(
            lambda: self._transport.send(
                "GET",
                f"{self._origins.management}/v2.0/management/connections",
                timeout=TIMEOUT,
                auth=("default", token),
                params={"limit": "1"},
            )
        )

    def applications(self, credentials: Credentials) -> frozenset[str]:
        """The ids of the applications that the client id stands for (v3 management). Raises SmartcarError."""
        body = self._get("/applications", credentials)
        entries = body.get("data")
        return (
            frozenset(text_at(entry, "id") for entry in entries if isinstance(entry, dict))
            if isinstance(entries, list)
            else frozenset()
        )

    def webhook(self, credentials: Credentials, webhook_id: str) -> WebhookFound | None:
        """The application's webhook, or None for an id that it doesn't have (v3 management). Raises SmartcarError."""
        try:
            body = self._get(f"/webhooks/{segment(webhook_id, name='webhook id')}", credentials)
        except SmartcarError as error:
            if error.status in (400, 404):
                return None
            raise
        known = value_at(body, "data", "attributes")
        return WebhookFound(
            name=text_at(known, "name"),
            address=text_at(known, "callbackUri"),
            enabled=value_at(known, "isEnabled") is not False,
        )

    def _api(self, credentials: Credentials) -> V3Api:
        return V3Api(origins=self._origins, credentials=credentials, timeout=TIMEOUT)

    def _get(self, path: str, credentials: Credentials) -> dict[str, object]:
        token = Access(token=self._api(credentials).mint_token().token, user_id="")
        url = f"{self._origins.management_v3}/v3{path}"
        headers = {"Authorization": f"Bearer {token.token}"}
        try:
            return self._transport.send("GET", url, timeout=TIMEOUT, headers=headers).json()
        except SmartcarError as error:
            raise error.with_traceback(None) from None  # The frames below hold the token.


def _answered(ask: Callable[[], object], *, fine: tuple[str, ...] = ()) -> CredentialAnswer:
    try:
        ask()
    except SmartcarError as error:
        if error.type in fine:
            return CredentialAnswer(Accepted.YES)
        if error.unauthorized or error.type in ("invalid_client", "unauthorized_client"):
            return CredentialAnswer(Accepted.NO, error.user_message)
        return CredentialAnswer(Accepted.SILENT, error.user_message)
    return CredentialAnswer(Accepted.YES)
