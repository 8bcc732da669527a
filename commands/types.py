"""The command types: how long each may wait, and the permission it needs."""

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _


class CommandType(models.TextChoices):
    LOCK = "lock", _("Lock")
    UNLOCK = "unlock", _("Unlock")
    START_CHARGE = "start_charge", _("Start charging")
    STOP_CHARGE = "stop_charge", _("Stop charging")
    SET_CHARGE_LIMIT = "set_charge_limit", _("Charge limit")
    SET_DESTINATION = "set_destination", _("Destination")
    OPEN_CHARGE_PORT = "open_charge_port", _("Open charge port")
    CLOSE_CHARGE_PORT = "close_charge_port", _("Close charge port")
    SET_CHARGE_SCHEDULE = "set_charge_schedule", _("Charge schedule")
    DELETE_CHARGE_SCHEDULE = "delete_charge_schedule", _("Delete charge schedule")


LOCKING = frozenset({CommandType.LOCK, CommandType.UNLOCK})
# Only for vehicles with a traction battery.
CHARGING = frozenset(
    {
        CommandType.START_CHARGE,
        CommandType.STOP_CHARGE,
        CommandType.SET_CHARGE_LIMIT,
        CommandType.OPEN_CHARGE_PORT,
        CommandType.CLOSE_CHARGE_PORT,
        CommandType.SET_CHARGE_SCHEDULE,
        CommandType.DELETE_CHARGE_SCHEDULE,
    }
)
SCHEDULING = frozenset({CommandType.SET_CHARGE_SCHEDULE, CommandType.DELETE_CHARGE_SCHEDULE})
# Smartcar's API v2 has no endpoints for these.
V3_ONLY = frozenset({CommandType.OPEN_CHARGE_PORT, CommandType.CLOSE_CHARGE_PORT}) | SCHEDULING

# How long a command may wait to be sent: an unlock must never be late.
EXPIRY = dict.fromkeys(CommandType, timedelta(minutes=10)) | {CommandType.UNLOCK: timedelta(seconds=60)}

# Repeating these is harmless, so a lost response may be followed by another attempt.
IDEMPOTENT = frozenset({CommandType.LOCK})
# Unlocks are never delayed, and require reauthentication.
UNLOCKING = frozenset({CommandType.UNLOCK})

# The permission that the driver must have granted ("Permissions").
PERMISSION = (
    dict.fromkeys(CHARGING, "control_charge")
    | dict.fromkeys(LOCKING, "control_security")
    | {CommandType.SET_DESTINATION: "control_navigation"}
)
