"""What a fleet can know: each report for the vehicles of each make, and why not. Queries are limited to one fleet."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from django.utils.translation import gettext_noop as _

from accounts.models import Fleet
from connect import applications
from connect.compatibility import lookup
from connect.compatibility.assessment import Verdict, matching_models, supports
from connect.models import Connection
from connect.permission_settings.reports import REPORTS, Report, missing_permissions
from connect.permission_settings.selectors import requested_scopes
from connect.scopes import PermissionScope, with_reasons
from connect.status.states import TERMINATED
from smartcar_api import CompatibleModel, SmartcarError
from vehicles.makes import make_key, make_name
from vehicles.models import LatestSignal, Vehicle
from vehicles.reporting_intervals import documented_interval


class Obstacle(StrEnum):
    """Why a vehicle doesn't give a report."""

    UNSUPPORTED = "unsupported"
    NOT_REQUESTED = "not_requested"
    NOT_GRANTED = "not_granted"
    PLAN = "plan"
    NO_DATA = "no_data"


OBSTACLES: Mapping[Obstacle, str] = {
    Obstacle.UNSUPPORTED: _("not supported"),
    Obstacle.NOT_REQUESTED: _("permission not requested"),
    Obstacle.NOT_GRANTED: _("permission not granted"),
    Obstacle.PLAN: _("not included in the Smartcar plan"),
    Obstacle.NO_DATA: _("no data so far"),
}
"""In English, translated by the page."""


@dataclass(frozen=True, slots=True)
class VehicleFacts:
    """What is known about one vehicle.

    `models` are Smartcar's for it (empty: unknown), `granted` the permissions (None: unknown), `reported` the codes of
    signals that ever had a value, and `denied` those for which Smartcar reported a missing permission.
    """

    powertrain: str
    models: Sequence[CompatibleModel]
    granted: frozenset[str] | None
    reported: frozenset[str]
    denied: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cell:
    """A report for the vehicles of a make. `obstacles` has texts with numbers of vehicles, most frequent first."""

    verdict: Verdict
    available: int
    total: int
    obstacles: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class MakeColumn:
    """A make of the fleet. `listed`: Smartcar's list of its models could be read."""

    make: str
    name: str
    vehicles: int
    interval: timedelta
    listed: bool


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report, its permissions, whether the fleet requests all of them, and its cells by make."""

    report: Report
    permissions: Sequence[PermissionScope]
    requested: bool
    cells: Sequence[tuple[MakeColumn, Cell]]


@dataclass(frozen=True, slots=True)
class Coverage:
    """All reports for all makes of a fleet."""

    makes: Sequence[MakeColumn]
    rows: Sequence[ReportRow]


def obstacle(report: Report, facts: VehicleFacts, *, requested: Collection[str]) -> Obstacle | None:
    """Returns why the vehicle doesn't give the report; None if it does.

    What a vehicle has reported counts more than Smartcar's list, which may lack a model or a signal.
    """
    codes = {signal.code for signal in report.signals}
    if codes & facts.reported:
        return None
    if supports(report, facts.models) is False:
        return Obstacle.UNSUPPORTED
    granted = facts.granted
    # The required permission alone gives no report, so one of several is enough only for reading.
    needed = report.permissions
    if granted is None:
        if not needed <= set(requested):
            return Obstacle.NOT_REQUESTED
    elif not needed <= granted:
        lacking = missing_permissions(report, granted=granted)
        return Obstacle.NOT_REQUESTED if lacking.difference(requested) else Obstacle.NOT_GRANTED
    if report.control:
        return None
    return Obstacle.PLAN if codes & facts.denied else Obstacle.NO_DATA


def cell_for(report: Report, vehicles: Sequence[VehicleFacts], *, requested: Collection[str]) -> Cell:
    """Returns the cell of a report for these vehicles."""
    concerned = [each for each in vehicles if report.applies_to(each.powertrain)]
    found = [obstacle(report, each, requested=requested) for each in concerned]
    counts = Counter(each for each in found if each is not None)
    available = len(concerned) - counts.total()
    return Cell(
        verdict=_verdict(available, len(concerned)),
        available=available,
        total=len(concerned),
        obstacles=[(OBSTACLES[each], count) for each, count in counts.most_common()],
    )


def _verdict(available: int, total: int) -> Verdict:
    if not total:
        return Verdict.NOT_APPLICABLE
    if available == total:
        return Verdict.YES
    return Verdict.PARTLY if available else Verdict.NO


def fleet_coverage(*, fleet: Fleet, region: str) -> Coverage:
    """Returns what the fleet can know now. Asks Smartcar once a day for each make; else its models are unknown."""
    requested = requested_scopes(fleet=fleet)
    by_make = _vehicles_by_make(fleet, region)
    columns = [
        MakeColumn(make, make_name(make), len(each.vehicles), documented_interval(make), each.listed)
        for make, each in sorted(by_make.items(), key=lambda item: make_name(item[0]))
    ]
    rows = [
        ReportRow(
            report=report,
            permissions=with_reasons(report.permissions),
            requested=not missing_permissions(report, granted=requested),
            cells=[
                (column, cell_for(report, by_make[column.make].vehicles, requested=requested))
                for column in columns
            ],
        )
        for report in REPORTS
    ]
    return Coverage(columns, rows)


@dataclass(slots=True)
class _Make:
    listed: bool
    models: tuple[CompatibleModel, ...]
    vehicles: list[VehicleFacts] = field(default_factory=list)


def _vehicles_by_make(fleet: Fleet, region: str) -> dict[str, _Make]:
    granted = _granted_by_vehicle(fleet)
    vehicles = list(Vehicle.objects.filter(fleet=fleet, pk__in=granted).order_by("pk"))
    reported, denied = _signals_by_vehicle(fleet)
    makes: dict[str, _Make] = {}
    for each in vehicles:
        make = make_key(each.make)
        if make not in makes:
            makes[make] = _make(fleet, make, region)
        makes[make].vehicles.append(
            VehicleFacts(
                powertrain=each.powertrain,
                models=matching_models(makes[make].models, model=each.model, year=each.year),
                granted=granted[each.pk],
                reported=frozenset(reported.get(each.pk, ())),
                denied=frozenset(denied.get(each.pk, ())),
            )
        )
    return makes


def _make(fleet: Fleet, make: str, region: str) -> _Make:
    if not make:
        return _Make(False, ())
    try:
        models = lookup.compatible_models(application=applications.for_fleet(fleet), region=region, make=make)
    except SmartcarError:
        return _Make(False, ())
    return _Make(True, models)


def _granted_by_vehicle(fleet: Fleet) -> dict[int, frozenset[str] | None]:
    """Returns what the drivers of each connected vehicle grant; None if it is unknown for one of them."""
    found: dict[int, frozenset[str] | None] = {}
    current = Connection.objects.filter(fleet=fleet).exclude(state__in=TERMINATED)
    for vehicle_id, scopes in current.values_list("vehicle_id", "scopes"):
        before = found.get(vehicle_id, frozenset())
        found[vehicle_id] = None if before is None or not scopes else before.union(scopes)
    return found


def _signals_by_vehicle(fleet: Fleet) -> tuple[dict[int, set[str]], dict[int, set[str]]]:
    """Returns the codes of signals that ever had a value, and of those for which a permission is missing."""
    codes = {signal.code for report in REPORTS for signal in report.signals}
    rows = LatestSignal.objects.filter(vehicle__fleet=fleet, code__in=codes)
    reported: dict[int, set[str]] = {}
    denied: dict[int, set[str]] = {}
    for vehicle_id, code in rows.filter(body__isnull=False).values_list("vehicle_id", "code"):
        reported.setdefault(vehicle_id, set()).add(code)
    for vehicle_id, code in rows.filter(body=None, error_type="PERMISSION").values_list("vehicle_id", "code"):
        denied.setdefault(vehicle_id, set()).add(code)
    return reported, denied
