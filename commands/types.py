"""What a car can be asked for: each command with how long it may wait, and the permission it needs."""

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
# For a car with a traction battery only.
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
# v2 of Smartcar's API has no address for them.
V3_ONLY = frozenset({CommandType.OPEN_CHARGE_PORT, CommandType.CLOSE_CHARGE_PORT}) | SCHEDULING

# How long a command may wait for its sending: an unlock must never come late.
EXPIRY = dict.fromkeys(CommandType, timedelta(minutes=10)) | {CommandType.UNLOCK: timedelta(seconds=60)}

# Sent twice it does no harm, so a lost answer may be followed by another try.
IDEMPOTENT = frozenset({CommandType.LOCK})
# Never later than asked for, and asked for again with the person's password: it opens the car.
UNLOCKING = frozenset({CommandType.UNLOCK})

# What the driver has to have allowed ("Permissions").
PERMISSION = (
    dict.fromkeys(CHARGING, "control_charge")
    | dict.fromkeys(LOCKING, "control_security")
    | {CommandType.SET_DESTINATION: "control_navigation"}
)
