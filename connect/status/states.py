"""The states of a connection, and what each allows. No tables."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ConnectionState(models.TextChoices):
    """Where a connection stands, as a fleet manager understands it."""

    PENDING = "pending", _("Awaiting data")
    ACTIVE = "active", _("Connected")
    STALE = "stale", _("No recent data")
    NEEDS_REAUTHENTICATION = "needs_reauth", _("Reauthentication required")
    PERMISSION_MISSING = "permission", _("Permissions needed")
    SUBSCRIPTION_NEEDED = "subscription", _("Manufacturer subscription needed")
    PLAN_LIMIT = "plan_limit", _("Plan limit reached")
    REVOKED = "revoked", _("Access revoked")
    REMOVED = "removed", _("Disconnected")


# The grant is over: only connecting again brings the car back.
TERMINATED = (ConnectionState.REVOKED, ConnectionState.REMOVED)
HEALTHY = (ConnectionState.PENDING, ConnectionState.ACTIVE)
# Calls may be made, best state first. A silent car may only be parked; where a permission is missing the others
# still count; beyond the plan Smartcar refuses for free and says so. Behind a sign-in or a subscription that
# ended no call comes through: those are tried now and then, to see whether they are back, and not otherwise.
USABLE = (
    ConnectionState.ACTIVE,
    ConnectionState.PENDING,
    ConnectionState.STALE,
    ConnectionState.PERMISSION_MISSING,
    ConnectionState.PLAN_LIMIT,
)
DEGRADED = tuple(state for state in ConnectionState if state not in (*HEALTHY, ConnectionState.REMOVED))


class AuthorizationPurpose(models.TextChoices):
    """What a trip to Smartcar Connect is for."""

    CONNECT = "connect", _("Share vehicle")
    SIGN_IN = "sign_in", _("Sign in again")
    PERMISSIONS = "permissions", _("Grant permissions")
    BATTERY = "battery", _("Select battery size")
