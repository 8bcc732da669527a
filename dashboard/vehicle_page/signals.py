"""The signals tab: everything that a vehicle has reported, as stored, and what it hasn't reported and why.

A location that the driver hides is hidden here, too, in values and bodies. Only the end of a VIN is shown, because
views of the full one are logged (dashboard.vehicle_page.settings_views).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from connect.models import Connection
from connect.permission_settings.selectors import requested_scopes
from dashboard.vehicle_page.records import RecordTable, build_table
from dashboard.vehicle_page.signal_groups import grouped
from dashboard.vehicle_page.unavailability import (
    granted_permissions,
    is_unrequested,
    unavailability_reason,
)
from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Signal
from vehicles.details import mask_vin
from vehicles.energy import ELECTRIC, WITHOUT_PLUG
from vehicles.formatting import format_value, is_stale
from vehicles.models import LatestSignal, Vehicle
from vehicles.selectors import list_states
from webhooks.webhook_log.payloads import Reveal, mask


@dataclass(frozen=True, slots=True)
class ReportedSignal:
    """A signal that the vehicle reports. `raw` is its body as JSON, "" without one to show; `hidden` explains why.

    `table` has the records of a signal that consists of them.
    """

    code: str
    label: str
    group: str
    value: str
    row: LatestSignal
    stale: bool
    problem: str
    raw: str
    hidden: str
    table: RecordTable | None

    @property
    def text(self) -> str:
        """The text that the search uses."""
        return f"{self.label} {self.code} {self.value}".lower()


@dataclass(frozen=True, slots=True)
class _Secrets:
    """What the member may not see: the location, and any part of the VIN."""

    place: bool
    hidden: frozenset[str]
    vin: bool

    def why(self, code: str) -> str:
        """Returns why the signal is hidden; "" if it isn't."""
        if code in self.hidden:
            return _("Hidden by the driver.")
        if self.vin and code == catalogue.VIN.code:
            return _("Visible only to members who can connect vehicles.")
        return ""


@dataclass(frozen=True, slots=True)
class UnreportedSignal:
    """A signal of the catalog that the vehicle doesn't report, with the reason if known."""

    code: str
    label: str
    group: str
    reason: str

    @property
    def text(self) -> str:
        return f"{self.label} {self.code}".lower()


@dataclass(frozen=True, slots=True)
class Signals:
    """Reported and unreported signals, grouped under labels. Those that no permission allows are only counted."""

    reported: Sequence[tuple[str | Promise, Sequence[ReportedSignal]]]
    unreported: Sequence[tuple[str | Promise, Sequence[UnreportedSignal]]]
    unreported_count: int
    unrequested_count: int
    version: str


def list_signals(
    *, vehicle: Vehicle, connections: Sequence[Connection], may_see_vin: bool, now: datetime
) -> Signals:
    """Returns all signals of a vehicle by label, in four queries. `may_see_vin` includes the end of the VIN."""
    (state,) = list_states(vehicles=[vehicle])
    granted, requested = granted_permissions(connections), requested_scopes(fleet=vehicle.fleet_id)
    unrequested = {
        code
        for code, signal in CATALOGUE.items()
        if is_unrequested(signal, granted=granted, requested=requested)
        and not ((row := state.signals.get(code)) and row.body is not None)
    }
    secret = _Secrets(place=state.location_hidden, hidden=state.hidden, vin=not may_see_vin)
    reported, unreported = [], []
    for row in state.signals.values():
        if row.code in unrequested:
            continue
        problem = unavailability_reason(row, granted=granted, requested=requested)
        if row.body is None and row.error_type == "COMPATIBILITY":
            unreported.append(_unreported_signal(row.code, problem))
        else:
            reported.append(_reported_signal(row, vehicle.units, problem=problem, secret=secret, now=now))
    unreported += [
        _unreported_signal(code, _unreported_reason(signal, powertrain=vehicle.powertrain, granted=granted))
        for code, signal in CATALOGUE.items()
        if code not in state.signals and code not in unrequested
    ]
    shown = [
        (each.code, each.value, each.raw, each.stale, each.problem, each.row.reported_at) for each in reported
    ]
    return Signals(
        reported=grouped(sorted(reported, key=_by_label), group=lambda each: each.group),
        unreported=grouped(sorted(unreported, key=_by_label), group=lambda each: each.group),
        unreported_count=len(unreported),
        unrequested_count=len(unrequested),
        version=str(crc32(repr((shown, unreported, len(unrequested))).encode())),
    )


def _by_label(signal: ReportedSignal | UnreportedSignal) -> str:
    return signal.label.lower()


def _reported_signal(
    row: LatestSignal, units: str, *, problem: str, secret: _Secrets, now: datetime
) -> ReportedSignal:
    signal = CATALOGUE.get(row.code)
    reveal = Reveal(place=not secret.place, vin=False)
    why = secret.why(row.code)
    value = "" if why else format_value(code=row.code, body=row.body, units=units)
    body = None if why else mask(row.body, reveal=reveal)
    if row.code == catalogue.VIN.code and body:
        value = mask_vin(value)
        body = {"value": value}
    return ReportedSignal(
        code=row.code,
        label=signal.label if signal else row.code,
        group=signal.group if signal else "",
        value=mask(value, reveal=reveal),
        row=row,
        stale=is_stale(row, now=now),
        problem=problem,
        raw=json.dumps(body, indent=2, ensure_ascii=False) if body is not None else "",
        hidden=why,
        table=None if why else build_table(row, units=units),
    )


def _unreported_signal(code: str, reason: str) -> UnreportedSignal:
    signal = CATALOGUE.get(code)
    return UnreportedSignal(code, signal.label if signal else code, signal.group if signal else "", reason)


def _unreported_reason(signal: Signal, *, powertrain: str, granted: frozenset[str] | None) -> str:
    """Returns the probable reason why the signal was never reported."""
    if signal.group == "InternalCombustionEngine" and powertrain in ELECTRIC:
        return _("This vehicle has no combustion engine.")
    if signal.group in ("Charge", "TractionBattery") and powertrain in WITHOUT_PLUG:
        return _("This vehicle doesn't plug in to charge.")
    if granted is not None and signal.permission not in granted:
        return _("Permission not granted by the driver.")
    return _("Not reported so far. The vehicle may not support this signal.")
