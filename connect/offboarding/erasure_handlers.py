"""What can be erased of a car, kind by kind. Rooms above this one add theirs when the project starts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from alerts import retention as alerts
from connect.messages import ErasureNote
from connect.models import Connection, ConnectionState, Invitation, LocationPause, TrackingSchedule
from core.message_codes import NO_MESSAGE, Message
from vehicles import erasure
from vehicles.erasure import History
from vehicles.models import Vehicle


@dataclass(frozen=True, slots=True)
class ErasureTarget:
    """What is to be erased of which car: recorded from `since` (None: ever) up to `until`.

    `places_only`: nothing but where the car was. `stays`: another driver of the fleet still shares the car, so
    that what tells which car it is has to stay.
    """

    vehicle: Vehicle
    places_only: bool
    since: datetime | None
    until: datetime
    stays: bool


@dataclass(frozen=True, slots=True)
class ErasureHandler:
    """One kind of rows. `erase` takes the target and how many rows at most, and returns how many it erased:
    fewer than asked for when nothing is left. `spared` says why all of them stay; no message when they are erased.
    """

    kind: str
    label: StrOrPromise
    erase: Callable[[ErasureTarget, int], int]
    spared: Callable[[ErasureTarget], Message] = lambda _: NO_MESSAGE


_added: list[ErasureHandler] = []


def register(eraser: ErasureHandler) -> None:
    """For the rooms above, at start-up."""
    if all(each.kind != eraser.kind for each in _added):
        _added.append(eraser)


def all_handlers() -> list[ErasureHandler]:
    """In the order in which they run: what tells which car it is goes last."""
    return [*_HISTORY, *_added, *_OWN]


def _history(*tables: History) -> Callable[[ErasureTarget, int], int]:
    def erase(target: ErasureTarget, limit: int) -> int:
        erased = 0
        for table in tables:
            erased += erasure.erase_history(
                table=table,
                vehicle_id=target.vehicle.pk,
                since=target.since,
                until=target.until,
                places_only=target.places_only,
                limit=limit - erased,
            )
        return erased

    return erase


def _latest(target: ErasureTarget, limit: int) -> int:
    return erasure.erase_latest(
        vehicle_id=target.vehicle.pk,
        since=target.since,
        until=target.until,
        places_only=target.places_only,
        limit=limit,
    )


def _driver_times(target: ErasureTarget, limit: int) -> int:
    """Working hours and pauses of connections that ended tell when somebody works."""
    ended = Q(connection__vehicle=target.vehicle, connection__state=ConnectionState.REMOVED)
    erased = TrackingSchedule.objects.filter(ended).delete()[0]
    pauses = LocationPause.objects.filter(ended).values_list("pk", flat=True)[: max(limit - erased, 0)]
    return erased + LocationPause.objects.filter(pk__in=list(pauses)).delete()[0]


def _only_places(target: ErasureTarget) -> Message:
    return ErasureNote.ONLY_PLACES.message() if target.places_only else NO_MESSAGE


def _identity_kept(target: ErasureTarget) -> Message:
    if target.stays:
        return ErasureNote.VEHICLE_SHARED.message()
    return _only_places(target)


def _invited_vins(target: ErasureTarget, limit: int) -> int:
    vehicle = target.vehicle
    if not vehicle.vin:
        return 0
    named = Invitation.objects.filter(fleet=vehicle.fleet, vin=vehicle.vin).values_list("pk", flat=True)
    return Invitation.objects.filter(pk__in=list(named[:limit])).update(vin="")


def _alerts(target: ErasureTarget, limit: int) -> int:
    return alerts.erase_vehicle(
        vehicle_id=target.vehicle.pk, since=target.since, until=target.until, limit=limit
    )


def _addresses(target: ErasureTarget, limit: int) -> int:
    """The maker's sign-in addresses can name the car."""
    held = Connection.objects.filter(vehicle=target.vehicle).exclude(resolution_url="")
    return Connection.objects.filter(pk__in=list(held.values_list("pk", flat=True)[:limit])).update(
        resolution_url=""
    )


def _identity(target: ErasureTarget, limit: int) -> int:
    return erasure.erase_identity(vehicle_id=target.vehicle.pk)


_HISTORY = (
    ErasureHandler("readings", _("History data points"), _history(History.READINGS)),
    ErasureHandler(
        "summaries",
        _("Hourly and daily summaries"),
        _history(History.DUE_HOURS, History.DUE_DAYS, History.HOURS, History.DAYS),
    ),
    ErasureHandler("latest", _("Latest values"), _latest),
)
_OWN = (
    ErasureHandler("driver_times", _("Driver's working hours and pauses"), _driver_times, _only_places),
    ErasureHandler("invitations", _("VINs in invitations"), _invited_vins, _identity_kept),
    ErasureHandler("notices", _("Alerts"), _alerts, _only_places),
    ErasureHandler("addresses", _("Manufacturer sign-in URLs"), _addresses, _identity_kept),
    ErasureHandler("identity", _("VIN, name and plate"), _identity, _identity_kept),
)
