"""Browsers in which a user has signed in before.

Wrong passwords entered elsewhere don't keep a user out of a known browser, which has attempts of its own. Otherwise
anybody could lock a user out by entering wrong passwords (OWASP: "Device cookies").
"""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from accounts.models import User

COOKIE = "known_device"
_SALT = "accounts.known_device"
# The longest lifetime that browsers accept.
_MAX_AGE = 400 * 24 * 3600


def remember(*, request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Marks the browser as known after the user has signed in completely."""
    key = known_device(request=request, user=user) or secrets.token_urlsafe(16)
    response.set_cookie(
        COOKIE,
        signing.dumps([user.pk, key], salt=_SALT),
        max_age=_MAX_AGE,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def known_device(*, request: HttpRequest, user: User) -> str | None:
    """Returns the key of the browser if the user has signed in there before."""
    try:
        found = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_MAX_AGE)
    except signing.BadSignature:
        return None
    user_id, key = found
    return str(key) if user_id == user.pk else None


def attempts_scope(*, request: HttpRequest, user: User, otherwise: str) -> str:
    """Returns what the user's attempts to sign in count against: the known browser, or `otherwise`."""
    key = known_device(request=request, user=user)
    return f"{otherwise}:{key}" if key else otherwise
