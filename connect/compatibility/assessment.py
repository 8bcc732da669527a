"""What a vehicle can report and do, by Smartcar's answers. Pure functions: no database, clock or network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_noop as _

from connect.permission_settings.reports import REPORTS, Report
from smartcar_api import CompatibleModel, VinCompatibility


class Verdict(StrEnum):
    """Whether a report is possible. NOT_APPLICABLE: it makes no sense for the powertrain."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


VIN_REASONS = {
    "VEHICLE_NOT_COMPATIBLE": _("This vehicle doesn't have the hardware required for internet connectivity."),
    "MAKE_NOT_COMPATIBLE": _("Smartcar isn't compatible with this make in the United States."),
    "VEHICLE_NOT_CAPABLE": _("The vehicle doesn't support it."),
    "SMARTCAR_NOT_CAPABLE": _("Smartcar doesn't support it for this make."),
}
"""Smartcar's reasons, in English; translated by the page."""


@dataclass(frozen=True, slots=True)
class ReportVerdict:
    """Whether a report is possible for a vehicle. `reason` is one of VIN_REASONS' texts, or ""."""

    report: Report
    verdict: Verdict
    reason: str = ""


def matching_models(
    models: Iterable[CompatibleModel], *, model: str, year: int | None
) -> list[CompatibleModel]:
    """Returns the models that match a name and a model year. Without a name or year, that one doesn't matter.

    Names match if one begins with the other, apart from case, spaces and punctuation: manufacturers add trims.
    """
    wanted = _letters(model)
    return [
        each
        for each in models
        if _same(wanted, _letters(each.model)) and _within(each.first_year, each.last_year, year)
    ]


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _same(wanted: str, listed: str) -> bool:
    return not wanted or (bool(listed) and (wanted.startswith(listed) or listed.startswith(wanted)))


def _within(first: int | None, last: int | None, year: int | None) -> bool:
    return year is None or ((first is None or first <= year) and (last is None or year <= last))


def assess_models(models: Sequence[CompatibleModel]) -> list[ReportVerdict]:
    """Returns what is possible for a vehicle that is one of these models, for every report.

    PARTLY: some models can, or a model has only some of the report's signals or commands.
    """
    return [ReportVerdict(report, _verdict(report, models)) for report in REPORTS]


def _verdict(report: Report, models: Sequence[CompatibleModel]) -> Verdict:
    concerned = [each for each in models if report.applies_to(each.powertrain)]
    if not concerned:
        return Verdict.NOT_APPLICABLE if models else Verdict.UNKNOWN
    shares = [_share(report, each) for each in concerned]
    if all(share == 1 for share in shares):
        return Verdict.YES
    return Verdict.PARTLY if any(shares) else Verdict.NO


def _share(report: Report, model: CompatibleModel) -> float:
    """Returns the share of the report's signals and commands that the model has."""
    wanted = [signal.code in model.signals for signal in report.signals]
    wanted += [command in model.commands for command in report.commands]
    return sum(wanted) / len(wanted)


def supports(report: Report, models: Sequence[CompatibleModel]) -> bool | None:
    """Whether at least one of the models has some of the report; None if no model is known."""
    return any(_share(report, each) for each in models) if models else None


def assess_vin(found: VinCompatibility) -> list[ReportVerdict]:
    """Returns what is possible for the vehicle with a VIN, for every report. What v2 has no endpoint for is unknown."""
    return [_by_permissions(report, found) for report in REPORTS]


def _by_permissions(report: Report, found: VinCompatibility) -> ReportVerdict:
    if not found.compatible:
        return ReportVerdict(report, Verdict.NO)
    concerned = [each for each in found.capabilities if each.permission in report.permissions]
    if not concerned:
        return ReportVerdict(report, Verdict.UNKNOWN)
    capable = [each.capable for each in concerned]
    if all(capable):
        return ReportVerdict(report, Verdict.YES)
    reason = next((each.reason for each in concerned if not each.capable and each.reason), "")
    verdict = Verdict.PARTLY if any(capable) else Verdict.NO
    return ReportVerdict(report, verdict, VIN_REASONS.get(reason, ""))
