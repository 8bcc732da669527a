"""Why a signal has no value, in words that say whom it concerns."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from connect.models import Connection
from connect.scopes import FLEET_SCOPES
from vehicles.catalogue import CATALOGUE
from vehicles.formatting import format_error
from vehicles.models import LatestSignal

_PERMISSION = "PERMISSION"


def granted_permissions(connections: Iterable[Connection]) -> frozenset[str] | None:
    """What the drivers of a car allow at present, together; None where it is not known of one of them."""
    standing = [set(each.scopes) for each in connections if each.granted]
    if not standing or not all(standing):
        return None
    return frozenset().union(*standing)


def unavailability_reason(row: LatestSignal, *, granted: frozenset[str] | None) -> str:
    """Why the last report of the signal held no value; "" when it did.

    Smartcar has one error for what the driver did not allow and what the plan does not include: the permissions that
    were granted tell them apart.
    """
    signal = CATALOGUE.get(row.code)
    words = format_error(row)
    if (
        not words
        or row.error_type != _PERMISSION
        or granted is None
        or signal is None
        or not signal.permission
    ):
        return words
    if signal.permission in granted:
        return _("The driver granted permission, but your Smartcar plan doesn't seem to include this data.")
    if signal.permission in FLEET_SCOPES:
        return _("Permission not granted by the driver.")
    return _("This fleet doesn't request this permission from drivers.")


def is_ungranted(row: LatestSignal, *, granted: frozenset[str] | None) -> bool:
    """Whether asking the driver may bring the value."""
    signal = CATALOGUE.get(row.code)
    if row.error_type != _PERMISSION or signal is None or signal.permission not in FLEET_SCOPES:
        return False
    return granted is None or signal.permission not in granted
