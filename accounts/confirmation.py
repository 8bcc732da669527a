"""Asking for the password once more before what cannot be taken back: a browser may have been left open.

A sign-in counts as a confirmation, and each holds for ten minutes. Whoever enters five wrong passwords in a row is
signed out.
"""

import time
from datetime import timedelta
from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts.models import User

HOLDS_FOR = timedelta(minutes=10)
MOST_TRIES = 5
_CONFIRMED_AT = "confirmed_at"
_WRONG = "wrong_passwords"


class NotConfirmedError(Exception):
    """The password was not the person's; str() says what to do, fit for people."""


def signed_in(*, request: HttpRequest | None, **_: Any) -> None:
    """Whoever has just signed in has confirmed who they are (receives Django's `user_logged_in`)."""
    if request is not None and hasattr(request, "session"):
        _confirm(request)


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person signed in or confirmed it within the last ten minutes."""
    confirmed_at: float = request.session.get(_CONFIRMED_AT, 0.0)
    return 0 <= time.time() - confirmed_at < HOLDS_FOR.total_seconds()


@sensitive_variables("password")
def confirm(*, request: HttpRequest, user: User, password: str) -> None:
    """Takes the person's password as a confirmation. Raises NotConfirmedError when it is wrong."""
    if user.check_password(password):
        _confirm(request)
        return
    wrong = request.session.get(_WRONG, 0) + 1
    request.session[_WRONG] = wrong
    if wrong >= MOST_TRIES:
        logout(request)
        raise NotConfirmedError("Five wrong passwords: you were signed out. Sign in again.")
    raise NotConfirmedError("This is not your password. Enter the one that you sign in with.")


def _confirm(request: HttpRequest) -> None:
    request.session[_CONFIRMED_AT] = time.time()
    request.session.pop(_WRONG, None)
