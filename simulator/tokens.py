"""Authorization codes, v2 token pairs and v3 application tokens: issued, rotated, expired.

Lifetimes follow "Authorization, Overview": codes 10 minutes and one use, access tokens 2 hours, refresh tokens 60
days and a while after their use, v3 application tokens one hour.
"""

import secrets
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

CODE_LIFE = 600.0
ACCESS_LIFE = 7200.0
REFRESH_LIFE = 60 * 86400.0
APPLICATION_LIFE = 3600.0


class TokenError(Exception):
    """The grant is unknown, used, expired or for another redirect URI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An unused authorization code. Times are epoch seconds."""

    code: str = field(repr=False)
    user_id: str
    vehicle_ids: tuple[str, ...]
    scopes: tuple[str, ...]
    redirect_uri: str | None
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A v2 access and refresh token for some vehicles of one driver."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    user_id: str
    vehicle_ids: tuple[str, ...]
    scopes: tuple[str, ...]
    access_until: float
    refresh_until: float


@dataclass(slots=True)
class TokenStore:
    """Every valid code and token."""

    reuse: float = 600.0
    codes: dict[str, Code] = field(default_factory=dict, repr=False)
    access: dict[str, Pair] = field(default_factory=dict, repr=False)
    refresh: dict[str, Pair] = field(default_factory=dict, repr=False)
    application: dict[str, float] = field(default_factory=dict, repr=False)

    def issue_code(
        self,
        *,
        user_id: str,
        vehicle_ids: tuple[str, ...],
        scopes: tuple[str, ...],
        redirect_uri: str | None,
        now: float,
    ) -> str:
        """Issue a code for a grant that the driver has just made."""
        code = str(uuid.uuid4())
        self.codes[code] = Code(
            code=code,
            user_id=user_id,
            vehicle_ids=vehicle_ids,
            scopes=scopes,
            redirect_uri=redirect_uri,
            expires_at=now + CODE_LIFE,
        )
        return code

    def exchange(self, *, code: str, redirect_uri: str | None, now: float) -> Pair:
        """Exchange a code for a token pair.

        Raises:
            TokenError: The code is invalid.
        """
        stored = self.codes.pop(code, None)
        if stored is None or stored.expires_at < now:
            raise TokenError("Invalid code: it is unknown, used or expired.")
        if stored.redirect_uri and redirect_uri and stored.redirect_uri != redirect_uri:
            raise TokenError("Invalid redirect_uri: it is not the one the code was issued for.")
        return self._issue(stored.user_id, stored.vehicle_ids, stored.scopes, now)

    def rotate(self, *, refresh: str, now: float) -> Pair:
        """Issue a new pair for a refresh token, which expires soon after its first use.

        Raises:
            TokenError: The refresh token is invalid.
        """
        stored = self.refresh.get(refresh)
        if stored is None or stored.refresh_until < now:
            raise TokenError("Invalid or expired refresh token.")
        expires_at = min(stored.refresh_until, now + self.reuse)
        self.refresh[refresh] = replace(stored, refresh_until=expires_at)
        return self._issue(stored.user_id, stored.vehicle_ids, stored.scopes, now)

    def _issue(self, user_id: str, vehicle_ids: tuple[str, ...], scopes: tuple[str, ...], now: float) -> Pair:
        self._purge_expired(now)
        pair = Pair(
            access=secrets.token_urlsafe(32),
            refresh=secrets.token_urlsafe(32),
            user_id=user_id,
            vehicle_ids=vehicle_ids,
            scopes=scopes,
            access_until=now + ACCESS_LIFE,
            refresh_until=now + REFRESH_LIFE,
        )
        self.access[pair.access] = pair
        self.refresh[pair.refresh] = pair
        return pair

    def pair_for(self, *, access: str, now: float) -> Pair | None:
        """Return the pair of a valid v2 access token, or None."""
        pair = self.access.get(access)
        return pair if pair and pair.access_until >= now else None

    def issue_application(self, *, now: float) -> str:
        """Issue a v3 application token."""
        self._purge_expired(now)
        token = secrets.token_urlsafe(48)
        self.application[token] = now + APPLICATION_LIFE
        return token

    def is_application(self, *, token: str, now: float) -> bool:
        """Return whether ``token`` is a valid v3 application token."""
        return self.application.get(token, 0.0) >= now

    def revoke_user(self, *, user_id: str) -> None:
        """Revoke every code and v2 token of one driver."""
        self.codes = {key: entry for key, entry in self.codes.items() if entry.user_id != user_id}
        self.access = {key: entry for key, entry in self.access.items() if entry.user_id != user_id}
        self.refresh = {key: entry for key, entry in self.refresh.items() if entry.user_id != user_id}

    def revoke_vehicle(self, *, user_id: str, vehicle_id: str) -> None:
        """Remove one vehicle from a driver's tokens. Tokens without a vehicle are revoked."""

        def without(pairs: dict[str, Pair]) -> dict[str, Pair]:
            remaining: dict[str, Pair] = {}
            for key, pair in pairs.items():
                other_ids = tuple(each for each in pair.vehicle_ids if each != vehicle_id)
                if pair.user_id != user_id:
                    remaining[key] = pair
                elif other_ids:
                    remaining[key] = replace(pair, vehicle_ids=other_ids)
            return remaining

        self.access, self.refresh = without(self.access), without(self.refresh)

    def clear(self) -> None:
        """Remove every code and token."""
        self.codes.clear()
        self.access.clear()
        self.refresh.clear()
        self.application.clear()

    def _purge_expired(self, now: float) -> None:
        self.codes = {key: entry for key, entry in self.codes.items() if entry.expires_at >= now}
        self.access = {key: entry for key, entry in self.access.items() if entry.access_until >= now}
        self.refresh = {key: entry for key, entry in self.refresh.items() if entry.refresh_until >= now}
        self.application = {key: until for key, until in self.application.items() if until >= now}

    def snapshot(self) -> dict[str, Any]:
        """Return everything as values that orjson can write."""
        return {
            "codes": list(self.codes.values()),
            "access": self.access,
            "refresh": self.refresh,
            "application": self.application,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Restore what ``snapshot`` returned."""
        self.codes = {each["code"]: Code(**_tuples(each)) for each in saved["codes"]}
        self.access = {key: Pair(**_tuples(each)) for key, each in saved["access"].items()}
        self.refresh = {key: Pair(**_tuples(each)) for key, each in saved["refresh"].items()}
        self.application = dict(saved["application"])


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"vehicle_ids": tuple(fields["vehicle_ids"]), "scopes": tuple(fields["scopes"])}
