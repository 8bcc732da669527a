"""How long a reported state may be taken as the present one.

A state (charging, locked, open, online) ends without a report if the vehicle sleeps, has no reception, or if the signal
fails. So a state that is counted, filtered, drawn, checked or alerted on is current only for a limited time, and only
until a report of its signal has failed: afterwards it is unknown, and the last known value is shown as such. This
module is the only place that decides so, in Python and in SQL.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Q

from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Signal
from vehicles.models import LatestSignal
from vehicles.observations import SignalStatus

# Ends by itself, without anybody near the vehicle. Smartcar documents for the slowest makes that an awake vehicle
# reports every hour ("Data Freshness Frequencies", read on 2026-11-29), and a charging vehicle is awake. One report may
# be missed.
_WHILE_AWAKE = timedelta(hours=2)
# Changes only if somebody is at the vehicle, which wakes it, so that it reports the change as soon as it has reception.
# Sleep without reports is usual over a night; after a day, the state may be any.
_WHILE_PARKED = timedelta(days=1)

_HOLDS: Mapping[Signal, timedelta] = {
    **dict.fromkeys(
        (
            catalogue.IS_CHARGING,
            catalogue.DETAILED_CHARGING_STATUS,
            catalogue.IS_ONLINE,
            catalogue.IS_ASLEEP,
        ),
        _WHILE_AWAKE,
    ),
    **dict.fromkeys(
        (
            catalogue.IS_LOCKED,
            catalogue.DOORS,
            catalogue.WINDOWS,
            catalogue.FRONT_TRUNK,
            catalogue.REAR_TRUNK,
            catalogue.TAILGATE,
            catalogue.ENGINE_COVER,
            catalogue.SUNROOF,
            catalogue.CABLE_CONNECTED,
            catalogue.CABLE_LATCHED,
            catalogue.CHARGE_PORT_OPEN,
            catalogue.FAST_CHARGER_PRESENT,
        ),
        _WHILE_PARKED,
    ),
}


def is_state(code: str) -> bool:
    """Returns whether the signal is a state in this module's table: when it isn't current, it is the last known one."""
    return CATALOGUE.get(code) in _HOLDS


def holding_time(signal: Signal) -> timedelta | None:
    """Returns how long a value of the signal stays current: its staleness, if it has no time of its own here."""
    return _HOLDS.get(signal, signal.staleness)


def is_current(row: LatestSignal | None, *, now: datetime) -> bool:
    """Returns whether the signal's value may be taken as the present one. A missing value isn't current."""
    if row is None or row.body is None or row.observed_at is None or row.status != SignalStatus.SUCCESS:
        return False
    signal = CATALOGUE.get(row.code)
    holds = holding_time(signal) if signal else None
    return holds is None or now - row.observed_at <= holds


def current(signal: Signal, *, now: datetime) -> Q:
    """Returns the condition for rows of `LatestSignal` with a current value of this signal."""
    holds = holding_time(signal)
    since = Q() if holds is None else Q(observed_at__gte=now - holds)
    return Q(code=signal.code, body__isnull=False, status=SignalStatus.SUCCESS) & since


def current_sql(signal: Signal, *, at: str, failed: str, now: str = "%(now)s") -> str:
    """Returns the SQL condition for a current value, from the columns with its time and whether a later report failed.

    Such columns are those of `VehicleSnapshot`. `now` is the parameter with the present time.
    """
    holds = holding_time(signal)
    recent = (
        f"{at} >= {now}::timestamptz - interval '{holds.total_seconds():.0f} seconds'" if holds else "true"
    )
    return f"({recent} AND NOT {failed})"
