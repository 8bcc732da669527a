"""The vehicle's warnings: systems with self-diagnosis, the malfunction indicator lamp, and trouble codes."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from vehicles import catalogue, formatting
from vehicles.catalogue import CATALOGUE, Shape
from vehicles.models import LatestSignal
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
    return len(_statuses(state)) + (state.signal(catalogue.DTC_COUNT) is not None)


def _statuses(state: VehicleState) -> list[LatestSignal]:
    return [
        row
        for code, row in state.signals.items()
        if row.body is not None and code in CATALOGUE and CATALOGUE[code].shape is Shape.STATUS
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
