"""Checks before inviting whether a vehicle can be connected, and for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.views.decorators.debug import sensitive_variables

from accounts.models import Fleet
from connect import applications
from connect.compatibility import lookup
from connect.compatibility.assessment import (
    VIN_REASONS,
    ReportVerdict,
    Verdict,
    assess_models,
    assess_vin,
    matching_models,
)
from connect.compatibility.limits import limits_of
from connect.permission_settings.selectors import requested_scopes
from connect.scopes import PermissionScope, with_reasons
from smartcar_api import CompatibleModel
from vehicles.reporting_intervals import documented_interval
from vehicles.signal_permissions import PERMISSIONS


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a vehicle can be connected, and for what.

    `listed`: the models found. `reason` is a text in English, "" if the vehicle is compatible. `useful` are the
    permissions that the vehicle has something for; `unrequested` those of them that the fleet doesn't request.
    """

    compatible: bool
    reason: str
    listed: Sequence[CompatibleModel]
    reports: Sequence[ReportVerdict]
    useful: Sequence[PermissionScope]
    unrequested: Sequence[PermissionScope]
    limits: Sequence[str]
    interval: timedelta | None


@sensitive_variables()
def check_by_vin(*, fleet: Fleet, vin: str) -> Answer:
    """Asks about one vehicle that was sold in the United States (API v2). Raises SmartcarError."""
    found = lookup.check_vin(application=applications.for_fleet(fleet), vin=vin, permissions=PERMISSIONS)
    useful = {each.permission for each in found.capabilities if each.capable}
    return _answer(
        fleet,
        compatible=found.compatible,
        reason=VIN_REASONS.get(found.reason, ""),
        listed=(),
        reports=assess_vin(found),
        useful=useful,
        make="",
    )


def check_by_model(*, fleet: Fleet, make: str, model: str, year: int | None, region: str) -> Answer:
    """Asks about the models of a make in a region (API v3). Raises SmartcarError."""
    models = lookup.compatible_models(application=applications.for_fleet(fleet), region=region, make=make)
    listed = matching_models(models, model=model, year=year)
    reports = assess_models(listed)
    possible = [each.report for each in reports if each.verdict in (Verdict.YES, Verdict.PARTLY)]
    useful = {permission for each in listed for permission in each.signals.values() if permission}
    # The list has no permissions for commands.
    useful |= {report.control for report in possible if report.control}
    return _answer(
        fleet,
        compatible=bool(listed),
        reason="",
        listed=listed,
        reports=reports,
        useful=useful,
        make=make,
    )


def _answer(
    fleet: Fleet,
    *,
    compatible: bool,
    reason: str,
    listed: Sequence[CompatibleModel],
    reports: Sequence[ReportVerdict],
    useful: set[str],
    make: str,
) -> Answer:
    return Answer(
        compatible=compatible,
        reason=reason,
        listed=listed,
        reports=[each for each in reports if each.verdict is not Verdict.NOT_APPLICABLE],
        useful=with_reasons(useful),
        unrequested=with_reasons(useful.difference(requested_scopes(fleet=fleet))),
        limits=limits_of(make),
        interval=documented_interval(make) if make else None,
    )
