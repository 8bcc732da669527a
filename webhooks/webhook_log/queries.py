"""The list of messages: filtered, newest first, a page at a time by id, so that new ones shift nothing."""

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
_STRETCH = 20_000
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
    """What the list is narrowed to. What makes no sense narrows nothing."""

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
    car = forms.CharField(max_length=128, required=False)
    before = forms.IntegerField(min_value=1, max_value=2**62, required=False)

    @property
    def narrowed(self) -> bool:
        """Whether anything but the page was chosen."""
        return any(value for name, value in self.chosen.items() if name != "before")

    @property
    def chosen(self) -> dict[str, Any]:
        """The valid choices by field."""
        self.is_valid()
        return self.cleaned_data


def event_label(entry: InboxEntry) -> str:
    """The type of the event in words, as it came where it is none that we know, "" where it was not read yet."""
    return str(KINDS.get(entry.event_type, entry.event_type))


@dataclass(frozen=True, slots=True)
class Row:
    """A message in the list. `car` is the fleet's name of it, else Smartcar's vehicle id, "" where none is known."""

    entry: InboxEntry
    car: str

    @property
    def kind(self) -> str:
        """The type of the event, in words where it is one that we know."""
        return event_label(self.entry)


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, newest first; `older` is the id to go on from, None on the last page."""

    rows: Sequence[Row]
    older: int | None


def list_deliveries(*, scope: LogScope, filters: Filters) -> Page:
    """A page of the messages that pass the filters, without their bodies."""
    found = _filtered(scope.entries(), filters.chosen).only(*_FIELDS)
    entries = (_of_fleet if scope.fleet else _of_site)(found, filters.chosen)
    names = _names(scope, entries[:PAGE])
    rows = [Row(entry, names.get(entry.smartcar_vehicle_id, "")) for entry in entries[:PAGE]]
    return Page(rows, older=rows[-1].entry.pk if len(entries) > PAGE else None)


def _of_fleet(found: QuerySet[InboxEntry], chosen: dict[str, Any]) -> list[InboxEntry]:
    """The newest of a fleet's messages, looked for further and further back, so that few rows are sorted."""
    if not chosen.get("state") and not chosen.get("before"):
        for step in _STEPS:
            entries = list(found.filter(received_at__gte=timezone.now() - step)[: PAGE + 1])
            if len(entries) > PAGE:
                return entries
    return list(found[: PAGE + 1])


def _of_site(found: QuerySet[InboxEntry], chosen: dict[str, Any]) -> list[InboxEntry]:
    """The newest of all messages. With a period, those of a quiet site are found by their time, not by going
    through all ids.
    """
    if not chosen.get("period"):
        return list(found[: PAGE + 1])
    entries = list(found.filter(id__gt=newest_id() - _STRETCH)[: PAGE + 1])
    return entries if len(entries) > PAGE else list(found.order_by((F("id") + 0).desc())[: PAGE + 1])


def _filtered(entries: QuerySet[InboxEntry], chosen: dict[str, Any]) -> QuerySet[InboxEntry]:
    if chosen.get("state"):
        entries = entries.filter(state=chosen["state"])
    if chosen.get("kind") == OTHER:
        entries = entries.exclude(event_type__in=["", *KINDS])
    elif chosen.get("kind"):
        entries = entries.filter(event_type=chosen["kind"])
    if chosen.get("car"):
        entries = entries.filter(smartcar_vehicle_id=chosen["car"])
    if chosen.get("period"):
        entries = entries.filter(received_at__gte=timezone.now() - _PERIODS[chosen["period"]])
    if chosen.get("before"):
        entries = entries.filter(id__lt=chosen["before"])
    return entries


def _names(scope: LogScope, entries: Sequence[InboxEntry]) -> dict[str, str]:
    """What the fleet calls the cars; admins of the site see Smartcar's ids, since names are the fleets' own."""
    ids = {entry.smartcar_vehicle_id for entry in entries if entry.smartcar_vehicle_id}
    if scope.fleet is None:
        return {each: each for each in ids}
    cars = Vehicle.objects.filter(fleet=scope.fleet, smartcar_id__in=ids)
    return {car.smartcar_id: str(car) for car in cars}
