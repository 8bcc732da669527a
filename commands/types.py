"""What a car can be asked for: each command with how long it may wait, and the permission it needs."""

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    LOCK = "lock", _("Lock")
    UNLOCK = "unlock", _("Unlock")
    START_CHARGE = "start_charge", _("Start charging")
    STOP_CHARGE = "stop_charge", _("Stop charging")
    SET_CHARGE_LIMIT = "set_charge_limit", _("Charge limit")
    SET_DESTINATION = "set_destination", _("Destination")
    OPEN_CHARGE_PORT = "open_charge_port", _("Open charge port")
    CLOSE_CHARGE_PORT = "close_charge_port", _("Close charge port")
    SET_CHARGE_SCHEDULE = "set_charge_schedule", _("Charge schedule")
    DELETE_CHARGE_SCHEDULE = "delete_charge_schedule", _("End charge schedule")


LOCKING = frozenset({Kind.LOCK, Kind.UNLOCK})
# For a car with a traction battery only.
CHARGING = frozenset(
    {
        Kind.START_CHARGE,
        Kind.STOP_CHARGE,
        Kind.SET_CHARGE_LIMIT,
        Kind.OPEN_CHARGE_PORT,
        Kind.CLOSE_CHARGE_PORT,
        Kind.SET_CHARGE_SCHEDULE,
        Kind.DELETE_CHARGE_SCHEDULE,
    }
)
SCHEDULING = frozenset({Kind.SET_CHARGE_SCHEDULE, Kind.DELETE_CHARGE_SCHEDULE})
# v2 of Smartcar's API has no address for them.
V3_ONLY = frozenset({Kind.OPEN_CHARGE_PORT, Kind.CLOSE_CHARGE_PORT}) | SCHEDULING

# How long a command may wait for its sending: an unlock must never come late.
LIFETIME = dict.fromkeys(Kind, timedelta(minutes=10)) | {Kind.UNLOCK: timedelta(seconds=60)}

# Sent twice it does no harm, so a lost answer may be followed by another try.
REPEATABLE = frozenset({Kind.LOCK})
# Never later than asked for, and asked for again with the person's password: it opens the car.
OPENING = frozenset({Kind.UNLOCK})

# What the driver has to have allowed ("Permissions").
PERMISSION = (
    dict.fromkeys(CHARGING, "control_charge")
    | dict.fromkeys(LOCKING, "control_security")
    | {Kind.SET_DESTINATION: "control_navigation"}
)
