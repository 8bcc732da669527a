"""The states of a connection and what each allows. Imports no models."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ConnectionState(models.TextChoices):
    """The status of a connection, in terms for fleet managers."""

    PENDING = "pending", _("Awaiting data")
    ACTIVE = "active", _("Connected")
    STALE = "stale", _("No recent data")
    NEEDS_REAUTHENTICATION = "needs_reauth", _("Reauthentication required")
    PERMISSION_MISSING = "permission", _("Permissions needed")
    SUBSCRIPTION_NEEDED = "subscription", _("Manufacturer subscription needed")
    PLAN_LIMIT = "plan_limit", _("Plan limit reached")
    REVOKED = "revoked", _("Access revoked")
    REMOVED = "removed", _("Disconnected")


# The grant has ended: the driver has to connect the vehicle again.
TERMINATED = (ConnectionState.REVOKED, ConnectionState.REMOVED)
HEALTHY = (ConnectionState.PENDING, ConnectionState.ACTIVE)
# Calls may be made, best state first. A vehicle without recent data may only be parked; if one permission is missing,
# the others still work; above the plan limit, Smartcar rejects calls without charge. If the sign-in or the
# manufacturer subscription has ended, no call succeeds, so such connections are only probed from time to time.
USABLE = (
    ConnectionState.ACTIVE,
    ConnectionState.PENDING,
    ConnectionState.STALE,
    ConnectionState.PERMISSION_MISSING,
    ConnectionState.PLAN_LIMIT,
)
DEGRADED = tuple(state for state in ConnectionState if state not in (*HEALTHY, ConnectionState.REMOVED))


class AuthorizationPurpose(models.TextChoices):
    """The purpose of an authorization."""

    CONNECT = "connect", _("Share vehicle")
    SIGN_IN = "sign_in", _("Sign in again")
    PERMISSIONS = "permissions", _("Grant permissions")
    BATTERY = "battery", _("Select battery size")
