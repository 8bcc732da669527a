"""Authorization of an invited driver, without a browser."""

from typing import Any

from django.conf import settings
from django.test import Client
from django.test.client import Client as Browser

from accounts.models import Fleet, User
from connect.invitations import services
from connect.models import Invitation
from connect.scopes import FLEET_SCOPES
from tests.smartcar import authorize


def invited(*, fleet: Fleet, user: User, by_email: bool = False, **options: Any) -> Invitation:
    """Returns an invitation as the manager's form creates it."""
    values = {"driver_name": "Dana", "scopes": list(FLEET_SCOPES), "mode": settings.SMARTCAR_MODE} | options
    return services.invite(fleet=fleet, user=user, by_email=by_email, **values)


def at_connect(browser: Browser, invitation: Invitation) -> str:
    """Returns the address of Connect to which the invitation's button leads."""
    address: str = browser.get(f"{invitation.path}start/").headers["Location"]
    return address


def walk(smartcar: str, browser: Client, invitation: Invitation, **choices: Any) -> Any:
    """Completes the authorization and returns the final page."""
    params = authorize(smartcar, at_connect(browser, invitation), **choices)
    return browser.get("/connect/callback/", params, follow=True)
