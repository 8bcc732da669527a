"""The list of deliveries: filtered, newest first, and paginated by ID, so that new deliveries don't shift the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from vehicles.models import Vehicle
from webhooks.models import EntryState, InboxEntry
from webhooks.parsing.types import VEHICLE_ERROR, VEHICLE_STATE
from webhooks.webhook_log.visibility import LogScope, newest_id

PAGE = 50
OTHER = "other"
KINDS = {VEHICLE_STATE: _("Vehicle state"), VEHICLE_ERROR: _("Vehicle error")}
_PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_STEPS = (timedelta(minutes=15), timedelta(hours=4), timedelta(days=2))
_RECENT_IDS = 20_000
_FIELDS = (
    "id",
    "source",
    "received_at",
    "processed_at",
    "smartcar_vehicle_id",
    "event_type",
    "state",
    "note_code",
    "note_params",
    "attempts",
    "next_try_at",
)


class Filters(forms.Form):
    """The filters of the list. Invalid values are ignored."""

    state = forms.ChoiceField(choices=[("", _("Any status")), *EntryState.choices], required=False)
    kind = forms.ChoiceField(
        choices=[
            ("", _("Any type")),
            *KINDS.items(),
            (OTHER, _("Other types")),
        ],
        required=False,
    )
    period = forms.ChoiceField(
        choices=[
            ("", _("Any time")),
            ("hour", _("Last hour")),
            ("day", _("Last 24 hours")),
            ("week", _("Last 7 days")),
        ],
        required=False,
    )
    vehicle = forms.CharField(max_length=128, required=False)
    before = forms.IntegerField(min_value=1, max_value=2**62, required=False)

    @property
    def narrowed(self) -> bool:
        """Whether any filter is set, apart from the page."""
        return any(value for name, value in self.chosen.items() if name != "before")

    @property
    def chosen(self) -> dict[str, Any]:
        """The valid values by field."""
        self.is_valid()
        return self.cleaned_data


def event_label(entry: InboxEntry) -> str:
    """Returns the label of the event's type, or the type itself if it is unknown; "" before processing."""
    return str(KINDS.get(entry.event_type, entry.event_type))


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery in the list. `vehicle` is the vehicle's name in the fleet or Smartcar's vehicle ID; "" if unknown."""

    entry: InboxEntry
    vehicle: str

    @property
    def kind(self) -> str:
        """The label of the event's type (see `event_label`)."""
        return event_label(self.entry)


@dataclass(frozen=True, slots=True)
class Page:
    """Deliveries, newest first. `older` is the ID after which the next page starts, None on the last page."""

    rows: Sequence[Row]
    older: int | None


def list_deliveries(*, scope: LogScope, filters: Filters) -> Page:
    """Returns a page of the deliveries that match the filters, without their bodies."""
    found = _filtered(scope.entries(), filters.chosen).only(*_FIELDS)
    entries = (_newest_for_fleet if scope.fleet else _newest_for_site)(found, filters.chosen)
    names = _names(scope, entries[:PAGE])
    rows = [Row(entry, names.get(entry.smartcar_vehicle_id, "")) for entry in entries[:PAGE]]
    return Page(rows, older=rows[-1].entry.pk if len(entries) > PAGE else None)


def _newest_for_fleet(found: QuerySet[InboxEntry], chosen: dict[str, Any]) -> list[InboxEntry]:
    """Returns a fleet's newest deliveries. Searches increasing periods, so that few rows are sorted."""
    if not chosen.get("state") and not chosen.get("before"):
        for step in _STEPS:
            entries = list(found.filter(received_at__gte=timezone.now() - step)[: PAGE + 1])
            if len(entries) > PAGE:
                return entries
    return list(found[: PAGE + 1])


def _newest_for_site(found: QuerySet[InboxEntry], chosen: dict[str, Any]) -> list[InboxEntry]:
    """Returns the newest deliveries of all fleets.

    With a period, falls back to the index on the time of receipt. On a site with few deliveries, that is faster than
    scanning all IDs.
    """
    if not chosen.get("period"):
        return list(found[: PAGE + 1])
    entries = list(found.filter(id__gt=newest_id() - _RECENT_IDS)[: PAGE + 1])
    return entries if len(entries) > PAGE else list(found.order_by((F("id") + 0).desc())[: PAGE + 1])


def _filtered(entries: QuerySet[InboxEntry], chosen: dict[str, Any]) -> QuerySet[InboxEntry]:
    if chosen.get("state"):
        entries = entries.filter(state=chosen["state"])
    if chosen.get("kind") == OTHER:
        entries = entries.exclude(event_type__in=["", *KINDS])
    elif chosen.get("kind"):
        entries = entries.filter(event_type=chosen["kind"])
    if chosen.get("vehicle"):
        entries = entries.filter(smartcar_vehicle_id=chosen["vehicle"])
    if chosen.get("period"):
        entries = entries.filter(received_at__gte=timezone.now() - _PERIODS[chosen["period"]])
    if chosen.get("before"):
        entries = entries.filter(id__lt=chosen["before"])
    return entries


def _names(scope: LogScope, entries: Sequence[InboxEntry]) -> dict[str, str]:
    """Returns the vehicles' names by Smartcar's ID. Site staff see Smartcar's IDs, since names belong to the fleets."""
    ids = {entry.smartcar_vehicle_id for entry in entries if entry.smartcar_vehicle_id}
    if scope.fleet is None:
        return {each: each for each in ids}
    vehicles = Vehicle.objects.filter(fleet=scope.fleet, smartcar_id__in=ids)
    return {vehicle.smartcar_id: str(vehicle) for vehicle in vehicles}
