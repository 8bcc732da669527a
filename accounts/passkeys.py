"""Reauthentication with a passkey. django-allauth handles registering passkeys and signing in with them."""

import ipaddress
from typing import Any

from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts.forms import ConfirmByPasskeyForm
from accounts.models import User


def is_supported(*, host: str, secure: bool) -> bool:
    """Whether browsers allow passkeys for this host: it must be a name, and use HTTPS or be localhost."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return secure or host == "localhost"
    return False


def has_passkey(*, user: User) -> bool:
    """Whether the user has a passkey."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()


def challenge(*, user: User) -> dict[str, Any]:
    """Returns what the browser must sign with one of the user's passkeys. The session stores it for one response."""
    options: dict[str, Any] = auth.begin_authentication(user)
    return options


@sensitive_variables()
def verify(*, request: HttpRequest, user: User, credential: str) -> bool:
    """Whether `credential` (JSON from the browser) answers the challenge with one of the user's passkeys.

    The authenticator has verified the user by PIN or biometrics (MFA_WEBAUTHN_USER_VERIFICATION). A challenge is valid
    for one correct response.
    """
    form = ConfirmByPasskeyForm(data={"credential": credential}, user=user)
    if not form.is_valid():
        return False
    post_authentication(request, form.cleaned_data["credential"], reauthenticated=True)
    return True
