"""What a car can be asked for: each command with how long it may wait, and the permission it needs."""

from datetime import timedelta

from django.db import models


class Kind(models.TextChoices):
    LOCK = "lock", "Lock"
    UNLOCK = "unlock", "Unlock"
    START_CHARGE = "start_charge", "Start charging"
    STOP_CHARGE = "stop_charge", "Stop charging"
    SET_CHARGE_LIMIT = "set_charge_limit", "Charge limit"
    SET_DESTINATION = "set_destination", "Destination"
    OPEN_CHARGE_PORT = "open_charge_port", "Open charge port"
    CLOSE_CHARGE_PORT = "close_charge_port", "Close charge port"


LOCKING = frozenset({Kind.LOCK, Kind.UNLOCK})
# For a car with a traction battery only.
CHARGING = frozenset(
    {
        Kind.START_CHARGE,
        Kind.STOP_CHARGE,
        Kind.SET_CHARGE_LIMIT,
        Kind.OPEN_CHARGE_PORT,
        Kind.CLOSE_CHARGE_PORT,
    }
)
# v2 of Smartcar's API has no address for them.
V3_ONLY = frozenset({Kind.OPEN_CHARGE_PORT, Kind.CLOSE_CHARGE_PORT})

# How long a command may wait for its sending: an unlock must never come late.
LIFETIME = dict.fromkeys(Kind, timedelta(minutes=10)) | {Kind.UNLOCK: timedelta(seconds=60)}

# What the driver has to have allowed ("Permissions").
PERMISSION = (
    dict.fromkeys(CHARGING, "control_charge")
    | dict.fromkeys(LOCKING, "control_security")
    | {Kind.SET_DESTINATION: "control_navigation"}
)
