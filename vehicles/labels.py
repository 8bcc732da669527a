"""Labels for enumerated signal values, in the active language.

Smartcar's lists are open: an unknown value is shown without its capitals and underscores.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from vehicles import catalogue
from vehicles.catalogue import Signal

_LABELS: Mapping[str, Mapping[str, str | Promise]] = {
    catalogue.DETAILED_CHARGING_STATUS.code: {
        "CHARGING": pgettext_lazy("charging status", "Charging"),
        "FULLY_CHARGED": pgettext_lazy("charging status", "Fully charged"),
        "NOT_CHARGING": pgettext_lazy("charging status", "Not charging"),
    },
    catalogue.GEAR_STATE.code: {
        "PARK": pgettext_lazy("gear", "Park"),
        "DRIVE": pgettext_lazy("gear", "Drive"),
        "REVERSE": pgettext_lazy("gear", "Reverse"),
        "NEUTRAL": pgettext_lazy("gear", "Neutral"),
    },
    catalogue.LOW_VOLTAGE_STATUS.code: {
        "GOOD": pgettext_lazy("12 V battery", "Good"),
        "WARN": pgettext_lazy("12 V battery", "Weak"),
        "BAD": pgettext_lazy("12 V battery", "Bad"),
    },
    catalogue.CHARGE_PORT_COLOR.code: {
        "BLUE": pgettext_lazy("color of a light", "Blue"),
        "GREEN": pgettext_lazy("color of a light", "Green"),
        "ORANGE": pgettext_lazy("color of a light", "Orange"),
        "RED": pgettext_lazy("color of a light", "Red"),
        "WHITE": pgettext_lazy("color of a light", "White"),
        "YELLOW": pgettext_lazy("color of a light", "Yellow"),
        "OFF": pgettext_lazy("color of a light", "Off"),
    },
    catalogue.DRIVE_MODE.code: {
        "COMFORT": pgettext_lazy("drive mode", "Comfort"),
        "ECO": pgettext_lazy("drive mode", "Eco"),
        "NORMAL": pgettext_lazy("drive mode", "Normal"),
        "SPORT": pgettext_lazy("drive mode", "Sport"),
    },
}
_STATUSES: Mapping[str, str | Promise] = {
    "OK": pgettext_lazy("diagnostics", "OK"),
    "ALERT": pgettext_lazy("diagnostics", "Warning"),
}

_POWERTRAINS: Mapping[str, str | Promise] = {
    "BEV": pgettext_lazy("powertrain", "Electric"),
    "PHEV": pgettext_lazy("powertrain", "Plug-in hybrid"),
    "HEV": pgettext_lazy("powertrain", "Hybrid"),
    "ICE": pgettext_lazy("powertrain", "Combustion engine"),
}


def powertrain(code: str) -> str:
    """Returns the label of a powertrain: "Electric" for BEV. Returns an unknown code unchanged."""
    return str(_POWERTRAINS.get(code.upper(), code))


def choice(signal: Signal, value: str) -> str:
    """Returns the label of a signal's value: "Fully charged" for FULLY_CHARGED."""
    return _label(_LABELS.get(signal.code, {}), value)


def status(value: str) -> str:
    """Returns the label of a diagnostic status: OK or ALERT."""
    return _label(_STATUSES, value)


def _label(labels: Mapping[str, str | Promise], value: str) -> str:
    known = labels.get(value.upper())
    return str(known) if known is not None else value.replace("_", " ").capitalize()
