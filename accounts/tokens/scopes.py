"""The scopes of service accounts, and the permissions in the fleet that each gives."""

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission


class TokenScope(models.TextChoices):
    """What a service account may do. Values are stored and part of the API."""

    VEHICLES_READ = "vehicles:read", _("Read vehicles, their data and commands")
    COMMANDS_SEND = "commands:send", _("Send commands to vehicles, including unlocking")
    DELIVERIES_READ = "deliveries:read", _("Read webhook deliveries")


# Every service account can read vehicles: vehicle IDs identify the commands and deliveries that it reads.
_PERMISSIONS = {
    TokenScope.VEHICLES_READ: Permission.VIEW,
    TokenScope.COMMANDS_SEND: Permission.COMMAND,
    TokenScope.DELIVERIES_READ: Permission.INSPECT,
}


def permissions_of(scopes: Iterable[str]) -> frozenset[Permission]:
    """Returns the permissions of these scopes. Scopes that this version doesn't know give none."""
    return frozenset(_PERMISSIONS[TokenScope(scope)] for scope in scopes if scope in TokenScope.values)


def scope_for(right: Permission) -> TokenScope | None:
    """Returns the scope that gives the permission, or None if none does."""
    return next((scope for scope, given in _PERMISSIONS.items() if given == right), None)
