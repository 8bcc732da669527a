"""Walking an invited driver's trip without a browser."""

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
    """An invitation as the manager's form makes it."""
    wanted = {"driver_name": "Dana", "scopes": list(FLEET_SCOPES), "mode": settings.SMARTCAR_MODE} | options
    return services.invite(fleet=fleet, user=user, by_email=by_email, **wanted)


def at_connect(browser: Browser, invitation: Invitation) -> str:
    """Where the invitation's button leads."""
    address: str = browser.get(f"{invitation.path}start/").headers["Location"]
    return address


def walk(smartcar: str, browser: Client, invitation: Invitation, **choices: Any) -> Any:
    """The whole trip; gives the page at its end."""
    params = authorize(smartcar, at_connect(browser, invitation), **choices)
    return browser.get("/connect/callback/", params, follow=True)
