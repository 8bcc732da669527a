"""Reading removals, always for one fleet or one driver; and which cars are no longer to be recorded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Fleet
from connect.driver_portal.models import DriverPage
from connect.models import Connection, ConnectionState, Removal
from connect.offboarding.models import ErasedRows, RemovedGrant
from vehicles.models import Vehicle


@dataclass(frozen=True, slots=True)
class Proof:
    """A removal with all that it says, as a page shows it."""

    removal: Removal
    grants: list[RemovedGrant]
    erased: list[ErasedRows]

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.erased)

    @property
    def version(self) -> str:
        """Changes with everything that the page shows."""
        ends = "".join(f"{each.end}{each.listing}" for each in self.grants)
        done = sum(each.done_at is not None for each in self.erased)
        removal = self.removal
        return f"{self.rows}-{done}-{ends}-{removal.attempts}-{int(removal.finished_at is not None)}"


def proof_of(removal: Removal) -> Proof:
    """The removal with its grants and its counts."""
    return Proof(removal, list(removal.grants.select_related("connection")), list(removal.erased.all()))


def removals_of(*, fleet: Fleet) -> QuerySet[Removal]:
    """The fleet's removals, newest first."""
    return Removal.objects.filter(fleet=fleet).select_related("vehicle", "asked_by")


def removals_on(*, page: DriverPage) -> QuerySet[Removal]:
    """What concerns the cars of this driver: their own requests, and removals of whole cars that ended their grant."""
    mine = RemovedGrant.objects.filter(removal=OuterRef("pk"), connection__in=page.connections)
    return removals_of(fleet=page.fleet).filter(Exists(mine))


def due(*, now: datetime, at_most: int = 20) -> list[int]:
    """Ids of removals that nobody works on and whose next try is due."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    open_now = Removal.objects.filter(free, Q(next_try_at=None) | Q(next_try_at__lte=now), finished_at=None)
    return list(open_now.order_by("pk").values_list("pk", flat=True)[:at_most])


def gone(*, smartcar_ids: Iterable[str]) -> set[str]:
    """Those of these cars that left every fleet they were in: nothing that comes of them is kept."""
    left = Vehicle.objects.filter(smartcar_id__in=list(smartcar_ids), removals__isnull=False)
    alive = Connection.objects.exclude(state=ConnectionState.REMOVED)
    shared = set(
        alive.filter(vehicle__smartcar_id__in=left.values("smartcar_id")).values_list(
            "vehicle__smartcar_id", flat=True
        )
    )
    return set(left.values_list("smartcar_id", flat=True)) - shared
