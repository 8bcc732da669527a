"""The vehicle's warnings: systems with self-diagnosis, the malfunction indicator lamp, and trouble codes."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.vehicle_page.unavailability import PERMISSION_ERROR
from vehicles import catalogue, formatting
from vehicles.catalogue import CATALOGUE, Shape, Signal
from vehicles.models import LatestSignal
from vehicles.observations import SignalStatus
from vehicles.selectors import VehicleState

_MOST_CODES = 8


@dataclass(frozen=True, slots=True)
class VehicleWarning:
    """One warning with its text."""

    label: str
    text: str
    row: LatestSignal


def list_warnings(state: VehicleState) -> list[VehicleWarning]:
    """Returns the malfunction indicator lamp first, then trouble codes, then systems by name."""
    lamp = [alert for row in _statuses(state) if (alert := _alert(row))]
    lamp.sort(key=lambda alert: (alert.row.code != catalogue.MIL.code, alert.label.lower()))
    first = [alert for alert in lamp if alert.row.code == catalogue.MIL.code]
    return [*first, *_trouble_codes(state), *lamp[len(first) :]]


def checked_systems(state: VehicleState) -> int:
    """Returns the number of systems that report their condition."""
    rows = [*_statuses(state), *filter(None, [state.signal(catalogue.DTC_COUNT)])]
    return sum(row.status == SignalStatus.SUCCESS for row in rows)


def unreported_systems(state: VehicleState, *, is_unrequested: Callable[[Signal], bool]) -> list[str]:
    """Returns the names of the systems that the vehicle has, and whose condition its last report didn't contain.

    Systems that no permission allows, since the fleet doesn't request it, aren't missing.
    """
    rows = (
        row for code, row in state.signals.items() if _is_status(code) or code == catalogue.DTC_COUNT.code
    )
    unreported = [
        row
        for row in rows
        if row.status != SignalStatus.SUCCESS
        and row.error_type != "COMPATIBILITY"
        and not (row.error_type == PERMISSION_ERROR and is_unrequested(CATALOGUE[row.code]))
    ]
    return sorted((str(CATALOGUE[row.code].label) for row in unreported), key=str.lower)


def _is_status(code: str) -> bool:
    return code in CATALOGUE and CATALOGUE[code].shape is Shape.STATUS


def _statuses(state: VehicleState) -> list[LatestSignal]:
    """Returns the conditions that were reported. Rows of older versions may say that it is unknown."""
    return [
        row
        for code, row in state.signals.items()
        if _is_status(code) and row.body is not None and row.body.get("status") != "UNKNOWN"
    ]


def _alert(row: LatestSignal) -> VehicleWarning | None:
    body = row.body or {}
    if body.get("status") == "OK":
        return None
    text = body.get("description") or formatting.format_value(code=row.code, body=body, units="")
    return VehicleWarning(str(CATALOGUE[row.code].label), text, row)


def _trouble_codes(state: VehicleState) -> list[VehicleWarning]:
    counted, listed = state.signal(catalogue.DTC_COUNT), state.signal(catalogue.DTC_LIST)
    codes = (
        [str(each["code"]) for each in (listed.body or {}).get("values", []) if each.get("code")]
        if listed
        else []
    )
    count = int(counted.value) if counted and counted.value is not None else len(codes)
    row = listed if codes else counted
    if row is None or not (count or codes):
        return []
    text = ", ".join(codes[:_MOST_CODES])
    if len(codes) > _MOST_CODES:
        text = _("%(codes)s and more") % {"codes": text}
    elif not codes:
        text = ngettext("%(n)d stored, codes not reported", "%(n)d stored, codes not reported", count) % {
            "n": count
        }
    return [VehicleWarning(_("Trouble codes"), text, row)]
