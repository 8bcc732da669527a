"""Reauthentication before sensitive actions, in case a browser was left unattended.

A sign-in also counts. Reauthentication, by password or passkey, is valid for ten minutes. The fifth failure within
five minutes, in any of the user's sessions, signs the user out (accounts.attempts). The pages of django-allauth
follow the same rule (accounts/profile/confirm_views.py).
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts import attempts, passkeys
from accounts.attempts import Outcome
from accounts.models import User

VALID_FOR = timedelta(minutes=10)
MAX_ATTEMPTS = attempts.MAX_ATTEMPTS
_CONFIRMED_AT = "confirmed_at"


class ReauthenticationRequiredError(Exception):
    """The reauthentication failed. str() explains what to do, for users."""


@dataclass(frozen=True, slots=True)
class ReauthMethods:
    """The ways in which a user can reauthenticate."""

    password: bool
    passkey: bool


def on_login(*, request: HttpRequest | None, **_: Any) -> None:
    """Records a sign-in as reauthentication (receives Django's `user_logged_in`)."""
    if request is not None and hasattr(request, "session"):
        _confirm(request)


def on_reauthentication(*, request: HttpRequest, reauthenticated: bool = False, **_: Any) -> None:
    """Records allauth's own reauthentication (receives its `authentication_step_completed`)."""
    if reauthenticated:
        _confirm(request)


def is_recent(request: HttpRequest) -> bool:
    """Whether the user signed in or reauthenticated within the last ten minutes."""
    confirmed_at: float = request.session.get(_CONFIRMED_AT, 0.0)
    return 0 <= time.time() - confirmed_at < VALID_FOR.total_seconds()


def available_methods(*, user: User) -> ReauthMethods:
    """Returns how the user can reauthenticate; without a password and a passkey, there is no way."""
    return ReauthMethods(password=user.has_usable_password(), passkey=passkeys.has_passkey(user=user))


def verify_from_post(*, request: HttpRequest, user: User) -> None:
    """Verifies a form with accounts/confirm_fields.html. Raises ReauthenticationRequiredError if it's wrong."""
    confirm(
        request=request,
        user=user,
        password=request.POST.get("password", ""),
        credential=request.POST.get("credential", ""),
    )


@sensitive_variables("password", "credential")
def confirm(*, request: HttpRequest, user: User, password: str = "", credential: str = "") -> None:
    """Verifies the user's password or a passkey's response.

    Raises ReauthenticationRequiredError if it's wrong.
    """
    outcome = _judge(request, user, password, credential)
    if outcome is Outcome.RIGHT:
        _confirm(request)
        return
    if outcome is Outcome.EXHAUSTED:
        raise ReauthenticationRequiredError(sign_out(request))
    if credential:
        raise ReauthenticationRequiredError(_("This passkey wasn't accepted. Try again."))
    raise ReauthenticationRequiredError(_("Incorrect password. Enter the password you sign in with."))


@sensitive_variables()
def _judge(request: HttpRequest, user: User, password: str, credential: str) -> Outcome:
    scope = attempts.REAUTHENTICATION
    if not credential:
        return attempts.attempt(user=user, scope=scope, check=lambda: user.check_password(password))
    # Nobody can guess a passkey, so a right one counts even when there are no attempts left.
    if not passkeys.verify(request=request, user=user, credential=credential):
        return attempts.record_failure(user=user, scope=scope)
    attempts.clear(user=user, scope=scope)
    return Outcome.RIGHT


def sign_out(request: HttpRequest) -> str:
    """Ends the session after too many failed attempts. Returns the message for the user."""
    logout(request)
    return _("You were signed out after five failed attempts. Sign in again.")


def _confirm(request: HttpRequest) -> None:
    request.session[_CONFIRMED_AT] = time.time()
