"""Counts API calls per vehicle and month, and compares them with the monthly limit.

Smartcar's plan limits the calls per vehicle and month ("Billing Limits") but doesn't expose its count, so we count
ourselves: all calls except those whose response shows that they were rejected before they were processed. Months are
assumed to change at midnight UTC. The count is stored in PostgreSQL, with one upsert per call. Losing a count is
harmless, so no call fails because of it.
"""

import logging
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.audit import AuditEvent, log_event
from accounts.models import Fleet, User
from connect.usage.models import FleetAllowance, VehicleUsage
from smartcar_api.ratelimit.months import billing_month as billing_month
from smartcar_api.ratelimit.months import next_month as next_month
from smartcar_api.ratelimit.priority import CallPurpose
from vehicles.models import Vehicle

logger = logging.getLogger(__name__)

# The share of the limit from which a vehicle is shown as near it.
NEAR_LIMIT = 0.8

_COUNT = """
    INSERT INTO connect_vehicleusage AS held (vehicle_id, month, purpose, calls)
    SELECT id, %s, %s, %s FROM vehicles_vehicle WHERE id = %s
    ON CONFLICT (vehicle_id, month, purpose) DO UPDATE SET calls = held.calls + EXCLUDED.calls
"""


def count_calls(*, vehicle_id: int, purpose: CallPurpose, calls: int) -> None:
    """Adds calls about a vehicle to the count. Database errors are only logged."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_COUNT, [billing_month(timezone.now()), purpose, calls, vehicle_id])
    except DatabaseError as error:
        logger.warning("%d calls to vehicle %s are not counted: %s", calls, vehicle_id, type(error).__name__)


def monthly_limit(*, fleet_id: int) -> int:
    """Returns the API calls per vehicle and month for the fleet; 0 is no limit."""
    own = FleetAllowance.objects.filter(fleet_id=fleet_id).values_list("calls", flat=True).first()
    return settings.SMARTCAR_MONTHLY_LIMIT if own is None else own


def is_limit_reached(*, vehicle_id: int, fleet_id: int) -> bool:
    """Returns whether the vehicle has reached this month's limit. False on database errors."""
    try:
        allowance = monthly_limit(fleet_id=fleet_id)
        if not allowance:
            return False
        rows = VehicleUsage.objects.filter(vehicle_id=vehicle_id, month=billing_month(timezone.now()))
        return (rows.aggregate(sum=Sum("calls"))["sum"] or 0) >= allowance
    except DatabaseError:
        return False


@dataclass(frozen=True, slots=True)
class VehicleMeter:
    """The rate limiter's view of one vehicle's quota (smartcar_api.ratelimit.priority.UsageMeter)."""

    vehicle_id: int
    fleet_id: int

    def limit_reached(self) -> bool:
        return is_limit_reached(vehicle_id=self.vehicle_id, fleet_id=self.fleet_id)

    def add(self, *, purpose: CallPurpose, calls: int) -> None:
        count_calls(vehicle_id=self.vehicle_id, purpose=purpose, calls=calls)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """A vehicle's API calls in one month by purpose. An `allowance` of 0 is no limit."""

    vehicle: Vehicle
    command: int
    person: int
    background: int
    allowance: int

    @property
    def total(self) -> int:
        return self.command + self.person + self.background

    @property
    def over(self) -> bool:
        return bool(self.allowance) and self.total >= self.allowance

    @property
    def near(self) -> bool:
        return bool(self.allowance) and not self.over and self.total >= self.allowance * NEAR_LIMIT

    @property
    def percent(self) -> int:
        """The used share of the limit, rounded down; above 100 if more was used."""
        return self.total * 100 // self.allowance if self.allowance else 0


def usage_by_vehicle(*, fleet: Fleet, month: date) -> list[UsageRow]:
    """Returns the month's usage of all vehicles of the fleet, in two queries and one for the limit."""
    rows = VehicleUsage.objects.filter(vehicle__fleet=fleet, month=month)
    calls = {(row.vehicle_id, row.purpose): row.calls for row in rows}
    allowance = monthly_limit(fleet_id=fleet.pk)
    return [_usage_row(vehicle, calls, allowance) for vehicle in Vehicle.objects.filter(fleet=fleet)]


def vehicle_usage(*, vehicle: Vehicle, month: date) -> UsageRow:
    """Returns the month's usage of one vehicle."""
    rows = VehicleUsage.objects.filter(vehicle=vehicle, month=month)
    calls = {(row.vehicle_id, row.purpose): row.calls for row in rows}
    return _usage_row(vehicle, calls, monthly_limit(fleet_id=vehicle.fleet_id))


def _usage_row(vehicle: Vehicle, calls: dict[tuple[int, str], int], allowance: int) -> UsageRow:
    by_purpose = {purpose.value: calls.get((vehicle.pk, purpose), 0) for purpose in CallPurpose}
    return UsageRow(vehicle=vehicle, allowance=allowance, **by_purpose)


@transaction.atomic
def set_monthly_limit(*, fleet: Fleet, calls: int | None, actor: User) -> None:
    """Sets the fleet's API calls per vehicle and month; 0 is no limit, None is the default in the settings."""
    if calls is None:
        FleetAllowance.objects.filter(fleet=fleet).delete()
    else:
        FleetAllowance.objects.update_or_create(fleet=fleet, defaults={"calls": calls})
    log_event(fleet=fleet, actor=actor, event=AuditEvent.USAGE_LIMIT_SET, data={"calls": calls})
