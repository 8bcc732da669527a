"""Searches vehicles by their details and latest signals."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import Fleet
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.current_state import current
from vehicles.models import LatestSignal, Vehicle

ORDERS: Mapping[str, tuple[Any, ...]] = {
    "name": ("name", "make", "model"),
    "-name": ("-name", "-make", "-model"),
    "last_seen_at": (F("last_seen_at").asc(nulls_first=True),),
    "-last_seen_at": (F("last_seen_at").desc(nulls_last=True),),
}
"""The possible orders of vehicles. Those that never sent data count as the oldest."""


def find_vehicles(
    *,
    fleets: QuerySet[Fleet],
    now: datetime,
    search: str = "",
    make: str = "",
    powertrain: str = "",
    mode: str = "",
    heard_after: datetime | None = None,
    heard_before: datetime | None = None,
    charging: bool | None = None,
    locked: bool | None = None,
    charge_below: float | None = None,
    ordering: str = "name",
) -> QuerySet[Vehicle]:
    """Returns the fleets' vehicles that match all conditions, with their fleets.

    `search` applies to name, plate, make and model; `charge_below` is the state of charge in percent. `charging` and
    `locked` apply to current states (vehicles.current_state): a vehicle whose state is unknown or old matches neither
    value. A vehicle that never reported a signal doesn't match any condition on it. `ordering` is a key of ORDERS.
    """
    vehicles = Vehicle.objects.filter(fleet__in=fleets).select_related("fleet")
    for word in search.split():
        matches = Q(name__icontains=word) | Q(plate__icontains=word)
        vehicles = vehicles.filter(matches | Q(make__icontains=word) | Q(model__icontains=word))
    exact = {"make__iexact": make, "powertrain__iexact": powertrain, "mode__iexact": mode}
    vehicles = vehicles.filter(**{field: text for field, text in exact.items() if text})
    if heard_after is not None:
        vehicles = vehicles.filter(last_seen_at__gt=heard_after)
    if heard_before is not None:
        vehicles = vehicles.filter(Q(last_seen_at__lt=heard_before) | Q(last_seen_at=None))
    if charging is not None:
        vehicles = vehicles.filter(_is_now(catalogue.IS_CHARGING, charging, now=now))
    if locked is not None:
        vehicles = vehicles.filter(_is_now(catalogue.IS_LOCKED, locked, now=now))
    if charge_below is not None:
        vehicles = vehicles.filter(_reports(catalogue.STATE_OF_CHARGE, body__value__lt=charge_below))
    return vehicles.order_by(*ORDERS[ordering], "pk")


def _is_now(signal: Signal, value: bool, *, now: datetime) -> Exists:
    rows = LatestSignal.objects.filter(current(signal, now=now), vehicle=OuterRef("pk"), body__value=value)
    return Exists(rows)


def _reports(signal: Signal, **condition: Any) -> Exists:
    return Exists(LatestSignal.objects.filter(vehicle=OuterRef("pk"), code=signal.code, **condition))
