"""A passkey as the answer to “is it still you?”. Registering one and signing in with it is django-allauth's."""

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
    """Whether browsers allow passkeys at this host: it has a name, and is secure or this machine itself."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return secure or host == "localhost"
    return False


def has_passkey(*, user: User) -> bool:
    """Whether the person has a passkey."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()


def challenge(*, user: User) -> dict[str, Any]:
    """What the browser is to sign with one of the person's passkeys. It is kept in the session, for one answer."""
    options: dict[str, Any] = auth.begin_authentication(user)
    return options


@sensitive_variables()
def verify(*, request: HttpRequest, user: User, credential: str) -> bool:
    """Whether `credential` (JSON, from the browser) answers the challenge with a passkey of this person.

    The authenticator has checked the person by PIN or body (MFA_WEBAUTHN_USER_VERIFICATION). One challenge is good
    for one answer that fits.
    """
    form = ConfirmByPasskeyForm(data={"credential": credential}, user=user)
    if not form.is_valid():
        return False
    post_authentication(request, form.cleaned_data["credential"], reauthenticated=True)
    return True
