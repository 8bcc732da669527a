"""The kinds of data that can be erased for a vehicle. Apps that import this one register their own at startup."""

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
    """The data to erase: what was recorded for the vehicle from `since` (None: from the beginning) up to `until`.

    `places_only`: only locations. `still_shared`: another driver of the fleet still shares the vehicle, so data that
    identifies the vehicle is retained.
    """

    vehicle: Vehicle
    places_only: bool
    since: datetime | None
    until: datetime
    still_shared: bool


@dataclass(frozen=True, slots=True)
class ErasureHandler:
    """One kind of rows. `erase` takes the target and a row limit and returns how many rows it erased: fewer than the
    limit when nothing is left. `skip_reason` returns why all of the rows are retained, or an empty message if they are
    erased.
    """

    kind: str
    label: StrOrPromise
    erase: Callable[[ErasureTarget, int], int]
    skip_reason: Callable[[ErasureTarget], Message] = lambda _: NO_MESSAGE


_registered: list[ErasureHandler] = []


def register(handler: ErasureHandler) -> None:
    """Registers a handler at startup. A kind that is already registered is ignored."""
    if all(each.kind != handler.kind for each in _registered):
        _registered.append(handler)


def all_handlers() -> list[ErasureHandler]:
    """All handlers in the order in which they run: data that identifies the vehicle is erased last."""
    return [*_HISTORY, *_registered, *_OWN]


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
    """Erases the working hours and pauses of offboarded connections, which reveal when the driver works."""
    ended = Q(connection__vehicle=target.vehicle, connection__state=ConnectionState.REMOVED)
    erased = TrackingSchedule.objects.filter(ended).delete()[0]
    pauses = LocationPause.objects.filter(ended).values_list("pk", flat=True)[: max(limit - erased, 0)]
    return erased + LocationPause.objects.filter(pk__in=list(pauses)).delete()[0]


def _only_places(target: ErasureTarget) -> Message:
    return ErasureNote.ONLY_PLACES.message() if target.places_only else NO_MESSAGE


def _identity_retained(target: ErasureTarget) -> Message:
    if target.still_shared:
        return ErasureNote.VEHICLE_SHARED.message()
    return _only_places(target)


def _invited_vins(target: ErasureTarget, limit: int) -> int:
    vehicle = target.vehicle
    if not vehicle.vin:
        return 0
    invitations = Invitation.objects.filter(fleet=vehicle.fleet, vin=vehicle.vin).values_list("pk", flat=True)
    return Invitation.objects.filter(pk__in=list(invitations[:limit])).update(vin="")


def _alerts(target: ErasureTarget, limit: int) -> int:
    return alerts.erase_vehicle(
        vehicle_id=target.vehicle.pk, since=target.since, until=target.until, limit=limit
    )


def _addresses(target: ErasureTarget, limit: int) -> int:
    """Erases the manufacturer's sign-in URLs, which can identify the vehicle."""
    with_url = Connection.objects.filter(vehicle=target.vehicle).exclude(resolution_url="")
    return Connection.objects.filter(pk__in=list(with_url.values_list("pk", flat=True)[:limit])).update(
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
    ErasureHandler("invitations", _("VINs in invitations"), _invited_vins, _identity_retained),
    ErasureHandler("notices", _("Alerts"), _alerts, _only_places),
    ErasureHandler("addresses", _("Manufacturer sign-in URLs"), _addresses, _identity_retained),
    ErasureHandler("identity", _("VIN, name and plate"), _identity, _identity_retained),
)
