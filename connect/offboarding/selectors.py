"""Reading removals, always for one fleet or one driver; and which cars are no longer to be recorded."""

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
    """One kind of rows by name, with how many were erased so far."""

    label: str
    record: ErasureRecord


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """An offboarding with its grants and counts, as a page shows them."""

    removal: OffboardingRequest
    grants: list[GrantRevocation]
    erased: list[ErasedKind]

    @property
    def rows(self) -> int:
        return sum(each.record.rows for each in self.erased)

    @property
    def version(self) -> str:
        """Changes with everything that the page shows."""
        ends = "".join(f"{each.end}{each.listing}" for each in self.grants)
        done = sum(each.record.done_at is not None for each in self.erased)
        removal = self.removal
        return f"{self.rows}-{done}-{ends}-{removal.attempts}-{int(removal.finished_at is not None)}"


def get_receipt(removal: OffboardingRequest) -> DeletionReceipt:
    """The removal with its grants and its counts."""
    labels = {each.kind: str(each.label) for each in all_handlers()}
    erased = [ErasedKind(labels.get(each.kind, each.kind), each) for each in removal.erased.all()]
    return DeletionReceipt(removal, list(removal.grants.select_related("connection")), erased)


def list_requests(*, fleet: Fleet) -> QuerySet[OffboardingRequest]:
    """The fleet's removals, newest first."""
    return OffboardingRequest.objects.filter(fleet=fleet).select_related("vehicle", "asked_by")


def requests_for_connections(*, page: DriverPortal) -> QuerySet[OffboardingRequest]:
    """What concerns the cars of this driver: their own requests, and removals of whole cars that ended their grant."""
    mine = GrantRevocation.objects.filter(removal=OuterRef("pk"), connection__in=page.connections)
    return list_requests(fleet=page.fleet).filter(Exists(mine))


def due_requests(*, now: datetime, at_most: int = 20) -> list[int]:
    """Ids of removals that nobody works on and whose next try is due."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    open_now = OffboardingRequest.objects.filter(
        free, Q(next_try_at=None) | Q(next_try_at__lte=now), finished_at=None
    )
    return list(open_now.order_by("pk").values_list("pk", flat=True)[:at_most])


def offboarded_vehicles(*, smartcar_ids: Iterable[str]) -> set[str]:
    """Those of these cars that left every fleet they were in: nothing that comes of them is kept."""
    left = Vehicle.objects.filter(smartcar_id__in=list(smartcar_ids), removals__isnull=False)
    alive = Connection.objects.exclude(state=ConnectionState.REMOVED)
    shared = set(
        alive.filter(vehicle__smartcar_id__in=left.values("smartcar_id")).values_list(
            "vehicle__smartcar_id", flat=True
        )
    )
    return set(left.values_list("smartcar_id", flat=True)) - shared
