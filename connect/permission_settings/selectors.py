"""The permissions that a fleet requests, and which its drivers grant."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from accounts.models import Fleet
from connect.models import Connection, PermissionSettings
from connect.permission_settings.reports import REPORTS, Report, missing_permissions
from connect.scopes import FLEET_SCOPES, NEEDED, PermissionScope, in_order, with_reasons
from connect.status.states import TERMINATED


def requested_scopes(*, fleet: Fleet | int) -> tuple[str, ...]:
    """Returns the names of the permissions that the fleet requests from drivers, in the order of connect.scopes.SCOPES.

    `fleet` may be its ID.
    """
    chosen = PermissionSettings.objects.filter(fleet=fleet).values_list("scopes", flat=True).first()
    return tuple(in_order({NEEDED, *(FLEET_SCOPES if chosen is None else chosen)}))


@dataclass(frozen=True, slots=True)
class Grants:
    """How many of the fleet's connections grant each permission. `known` counts those whose permissions are known."""

    known: int
    by_scope: Mapping[str, int]


def count_grants(*, fleet: Fleet) -> Grants:
    """Counts the permissions of the fleet's connections whose grant is valid."""
    granted = Connection.objects.filter(fleet=fleet).exclude(state__in=TERMINATED).exclude(scopes=[])
    lists = list(granted.values_list("scopes", flat=True))
    return Grants(len(lists), Counter(name for scopes in lists for name in set(scopes)))


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report, and the permissions it needs that the fleet doesn't request."""

    report: Report
    missing: Sequence[PermissionScope]


def report_requests(*, requested: Collection[str]) -> list[ReportRequest]:
    """Returns all reports with the permissions that these lack."""
    return [
        ReportRequest(report, with_reasons(missing_permissions(report, granted=requested)))
        for report in REPORTS
    ]
