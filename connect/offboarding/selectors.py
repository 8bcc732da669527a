"""Queries for offboardings, always for one fleet or one driver, and for vehicles that must no longer be recorded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Fleet
from connect.driver_portal.models import DriverPortal
from connect.models import Connection, ConnectionState, OffboardingRequest
from connect.offboarding.erasure_handlers import all_handlers
from connect.offboarding.models import ErasureRecord, GrantRevocation
from vehicles.models import Vehicle


@dataclass(frozen=True, slots=True)
class ErasedKind:
    """The name of one kind of rows, and how many were erased so far."""

    label: str
    record: ErasureRecord


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """An offboarding with its grants and row counts, as pages display it."""

    offboarding: OffboardingRequest
    grants: list[GrantRevocation]
    erased: list[ErasedKind]

    @property
    def rows(self) -> int:
        return sum(each.record.rows for each in self.erased)

    @property
    def version(self) -> str:
        """A token that changes whenever the displayed content changes."""
        ends = "".join(f"{each.end}{each.listing}" for each in self.grants)
        done = sum(each.record.done_at is not None for each in self.erased)
        offboarding = self.offboarding
        return f"{self.rows}-{done}-{ends}-{offboarding.attempts}-{int(offboarding.finished_at is not None)}"


def get_receipt(offboarding: OffboardingRequest) -> DeletionReceipt:
    """Returns the receipt of an offboarding."""
    labels = {each.kind: str(each.label) for each in all_handlers()}
    erased = [ErasedKind(labels.get(each.kind, each.kind), each) for each in offboarding.erased.all()]
    return DeletionReceipt(offboarding, list(offboarding.grants.select_related("connection")), erased)


def list_requests(*, fleet: Fleet) -> QuerySet[OffboardingRequest]:
    """The fleet's offboardings, newest first."""
    return OffboardingRequest.objects.filter(fleet=fleet).select_related("vehicle", "asked_by")


def requests_for_connections(*, page: DriverPortal) -> QuerySet[OffboardingRequest]:
    """Offboardings that include a connection of this driver, requested by the driver or by a manager."""
    own = GrantRevocation.objects.filter(offboarding=OuterRef("pk"), connection__in=page.connections)
    return list_requests(fleet=page.fleet).filter(Exists(own))


def due_requests(*, now: datetime, limit: int = 20) -> list[int]:
    """Returns the IDs of offboardings that no process has leased and whose next attempt is due."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = OffboardingRequest.objects.filter(
        free, Q(next_try_at=None) | Q(next_try_at__lte=now), finished_at=None
    )
    return list(due.order_by("pk").values_list("pk", flat=True)[:limit])


def offboarded_vehicles(*, smartcar_ids: Iterable[str]) -> set[str]:
    """Returns those of the vehicles that were offboarded from every fleet: their new data must not be stored."""
    offboarded = Vehicle.objects.filter(smartcar_id__in=list(smartcar_ids), offboardings__isnull=False)
    active = Connection.objects.exclude(state=ConnectionState.REMOVED)
    shared = set(
        active.filter(vehicle__smartcar_id__in=offboarded.values("smartcar_id")).values_list(
            "vehicle__smartcar_id", flat=True
        )
    )
    return set(offboarded.values_list("smartcar_id", flat=True)) - shared
