"""Who calls the API: a browser's session, or a token in `Authorization: Bearer …`."""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.tokens.services import find_token, touch

_LONGEST = 200


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer scf_…`. `request.auth` is then the ApiToken, which opens one fleet only."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """None where no bearer token is sent. Raises AuthenticationFailed for one that opens nothing."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword.lower().encode():
            return None
        token = find_token(secret=_secret(words))
        if token is None:
            raise AuthenticationFailed(
                "This token opens nothing: it was revoked, has expired, or was not copied whole. "
                "Make a new one on the fleet's page of API tokens."
            )
        touch(token=token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Makes the answer to a caller who is nobody a 401."""
        return self.keyword


def _secret(words: list[bytes]) -> str:
    if len(words) != 2 or len(words[1]) > _LONGEST:
        raise AuthenticationFailed("Send the token as: Authorization: Bearer scf_…")
    return words[1].decode("latin-1")
