"""Why a signal has no value, in texts for users."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from connect.models import Connection
from connect.scopes import FLEET_SCOPES
from vehicles.catalogue import CATALOGUE
from vehicles.formatting import format_error
from vehicles.models import LatestSignal

_PERMISSION = "PERMISSION"


def granted_permissions(connections: Iterable[Connection]) -> frozenset[str] | None:
    """Returns all permissions that the vehicle's drivers currently grant; None if any driver's are unknown."""
    scopes = [set(each.scopes) for each in connections if each.granted]
    if not scopes or not all(scopes):
        return None
    return frozenset().union(*scopes)


def unavailability_reason(row: LatestSignal, *, granted: frozenset[str] | None) -> str:
    """Returns why the signal's last report had no value; "" if it had one.

    Smartcar reports the same error for a permission that the driver didn't grant and for data outside the plan. The
    granted permissions distinguish the two.
    """
    signal = CATALOGUE.get(row.code)
    text = format_error(row)
    if row.rejection_reason:
        return f"{text} {row.rejection_reason}"
    if (
        not text
        or row.error_type != _PERMISSION
        or granted is None
        or signal is None
        or not signal.permission
    ):
        return text
    if signal.permission in granted:
        return _("The driver granted permission, but your Smartcar plan doesn't seem to include this data.")
    if signal.permission in FLEET_SCOPES:
        return _("Permission not granted by the driver.")
    return _("This fleet doesn't request this permission from drivers.")


def is_ungranted(row: LatestSignal, *, granted: frozenset[str] | None) -> bool:
    """Whether asking the driver for the permission may bring the value."""
    signal = CATALOGUE.get(row.code)
    if row.error_type != _PERMISSION or signal is None or signal.permission not in FLEET_SCOPES:
        return False
    return granted is None or signal.permission not in granted
