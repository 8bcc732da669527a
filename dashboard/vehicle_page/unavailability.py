"""Why a signal has no value, in texts for users."""

from collections.abc import Collection, Iterable

from django.utils.translation import gettext as _

from connect.models import Connection
from vehicles.catalogue import CATALOGUE, Signal
from vehicles.formatting import format_error
from vehicles.models import LatestSignal

PERMISSION_ERROR = "PERMISSION"


def granted_permissions(connections: Iterable[Connection]) -> frozenset[str] | None:
    """Returns all permissions that the vehicle's drivers currently grant; None if any driver's are unknown."""
    scopes = [set(each.scopes) for each in connections if each.granted]
    if not scopes or not all(scopes):
        return None
    return frozenset().union(*scopes)


def unavailability_reason(
    row: LatestSignal, *, granted: frozenset[str] | None, requested: Collection[str]
) -> str:
    """Returns why the signal's last report had no value; "" if it had one, or if the fleet doesn't request it.

    Smartcar reports the same error for a permission that the driver didn't grant and for data outside the plan. The
    granted permissions distinguish the two.
    """
    signal = CATALOGUE.get(row.code)
    text = format_error(row)
    if row.rejection_reason:
        return f"{text} {row.rejection_reason}"
    if not text or row.error_type != PERMISSION_ERROR or signal is None:
        return text
    if is_unrequested(signal, granted=granted, requested=requested):
        return ""
    if granted is None:
        return text
    if signal.permission in granted:
        return _("The driver granted permission, but your Smartcar plan doesn't seem to include this data.")
    return _("Permission not granted by the driver.")


def is_unrequested(signal: Signal, *, granted: frozenset[str] | None, requested: Collection[str]) -> bool:
    """Whether no permission allows the signal, because the fleet requests none for it: then it isn't missing."""
    return signal.permission not in requested and (granted is None or signal.permission not in granted)


def is_ungranted(row: LatestSignal, *, granted: frozenset[str] | None, requested: Collection[str]) -> bool:
    """Whether asking the driver for the permission may bring the value."""
    signal = CATALOGUE.get(row.code)
    if row.error_type != PERMISSION_ERROR or signal is None or signal.permission not in requested:
        return False
    return granted is None or signal.permission not in granted
