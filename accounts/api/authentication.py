"""Authentication of API requests with a token in `Authorization: Bearer …`."""

from dataclasses import dataclass

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.tokens.services import find_token, touch

_MAX_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The caller of a request with a service account's token: authenticated, but not a user."""

    pk: str
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer scf_…`. Sets `request.auth` to the ApiToken, which gives access to one fleet only."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User | ServiceAccount, ApiToken] | None:
        """Returns None without a bearer token. Raises AuthenticationFailed for a token that isn't valid."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != self.keyword.lower().encode():
            return None
        token = find_token(secret=_secret(parts))
        if token is None:
            raise AuthenticationFailed(
                "Invalid token: it was revoked, has expired, or was not copied completely. "
                "Create a new one on the fleet's API tokens page."
            )
        touch(token=token)
        # Limits of calls are counted by the caller's key.
        return token.user or ServiceAccount(pk=f"service-account-{token.pk}"), token

    def authenticate_header(self, request: Request) -> str:
        """Returns the challenge, so that unauthenticated requests get 401 rather than 403."""
        return self.keyword


def _secret(parts: list[bytes]) -> str:
    if len(parts) != 2 or len(parts[1]) > _MAX_LENGTH:
        raise AuthenticationFailed("Send the token as: Authorization: Bearer scf_…")
    return parts[1].decode("latin-1")
