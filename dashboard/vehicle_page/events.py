"""A vehicle's event timeline: deliveries, errors, commands, and changes of connections and settings.

The timeline never reveals locations: delivery bodies and command destinations aren't read.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from urllib.parse import urlencode

from django.db.models import Count, Max, QuerySet
from django.db.models.functions import TruncHour
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.audit import AuditEvent, AuditObject
from accounts.models import AuditLogEntry
from accounts.permissions import Permission
from commands.models import Command
from connect.models import Transition
from dashboard.audit_log.wording import entry_details, event_label
from dashboard.vehicle_page.base import VehicleContext
from dashboard.vehicle_page.timeline import Page, Source, TimelinePosition, below, merge_page
from vehicles.catalogue import CATALOGUE
from vehicles.formatting import format_error_type
from webhooks.models import EntryState, InboxEntry, VehicleError
from webhooks.webhook_log import queries as webhook_log
from webhooks.webhook_log.visibility import entries_for_vehicle

SIZE = 40
_HOUR = timedelta(hours=1)
# Long enough for a page of a vehicle that delivers every hour. A vehicle that rarely delivers has few deliveries in
# all.
_NEAR = timedelta(hours=2 * SIZE)
_NEEDS_ATTENTION = (EntryState.DEAD, EntryState.QUARANTINED)
# The command history has more details about these.
_SHOWN_AS_COMMANDS = (AuditEvent.COMMAND_REQUESTED, AuditEvent.COMMAND_CANCELED)


class EventType(StrEnum):
    """The kinds of timeline entries. For entries with the same time, later kinds come first."""

    DELIVERY = "delivery"
    ERROR = "error"
    COMMAND = "command"
    CONNECTION = "connection"
    SETTINGS = "settings"


_RANKS = {kind: rank for rank, kind in enumerate(EventType)}
LABELS: Mapping[EventType, Promise] = {
    EventType.DELIVERY: gettext_lazy("Deliveries"),
    EventType.ERROR: gettext_lazy("Errors"),
    EventType.COMMAND: gettext_lazy("Commands"),
    EventType.CONNECTION: gettext_lazy("Connection"),
    EventType.SETTINGS: gettext_lazy("Members"),
}
ICONS = {
    EventType.DELIVERY: "inbox",
    EventType.ERROR: "alert-triangle",
    EventType.COMMAND: "send",
    EventType.CONNECTION: "plug-connected",
    EventType.SETTINGS: "user",
}
RIGHTS = {EventType.DELIVERY: Permission.INSPECT, EventType.SETTINGS: Permission.CONNECT}


@dataclass(frozen=True, slots=True)
class EventDetail:
    """One line of an entry's own history."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One timeline entry. `badge` is a state's label and CSS class; `url` links to details."""

    kind: EventType
    position: TimelinePosition
    title: str
    lines: Sequence[str] = ()
    badge: tuple[str, str] | None = None
    url: str = ""
    link: str = ""
    steps: Sequence[EventDetail] = ()

    @property
    def at(self) -> datetime:
        return self.position.at

    @property
    def clock(self) -> str:
        """The time of day; for an hour of deliveries, its start."""
        return date_format(timezone.localtime(self.at), "H:i:s" if self.position.pk else "H:i")

    @property
    def icon(self) -> str:
        return ICONS[self.kind]

    @property
    def label(self) -> Promise:
        return LABELS[self.kind]


def visible_types(frame: VehicleContext) -> list[EventType]:
    """Returns the kinds of events that the member may see."""
    return [kind for kind in EventType if kind not in RIGHTS or frame.can(RIGHTS[kind])]


def list_events(
    frame: VehicleContext, *, kinds: Collection[EventType], before: TimelinePosition | None = None
) -> Page[TimelineEvent]:
    """Returns a page of the vehicle's events of these kinds, as far as the member may see them."""
    sources: Iterator[Source[TimelineEvent]] = (
        partial(source, frame) for kind in visible_types(frame) if kind in kinds for source in _SOURCES[kind]
    )
    return merge_page(sources, before=before, size=SIZE)


def _delivery_summaries(
    frame: VehicleContext, before: TimelinePosition | None, limit: int
) -> Iterable[TimelineEvent]:
    """Yields successful deliveries grouped by UTC hour. A group's time is the start of its hour."""
    rank = _RANKS[EventType.DELIVERY]
    entries = entries_for_vehicle(vehicle=frame.vehicle).exclude(state__in=_NEEDS_ATTENTION)
    until = timezone.now() + _HOUR
    if before is not None:
        hour = before.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        until = hour + _HOUR if TimelinePosition(hour, rank, 0) < before else hour
        entries = entries.filter(received_at__lt=until)
    hours = _hours(entries.filter(received_at__gte=until - _NEAR), limit)
    if len(hours) < limit:
        hours = _hours(entries, limit)
    for hour, count, newest in hours:
        yield TimelineEvent(
            EventType.DELIVERY,
            TimelinePosition(hour, rank, 0),
            ngettext(
                "%(count)s delivery between %(from)s and %(to)s",
                "%(count)s deliveries between %(from)s and %(to)s",
                count,
            )
            % {"count": count, "from": _clock(hour), "to": _clock(hour + _HOUR)},
            url=_inbox(frame, newest),
            link=_("Show deliveries"),
        )


def _hours(entries: QuerySet[InboxEntry], limit: int) -> list[tuple[datetime, int, int]]:
    by_hour = entries.order_by().annotate(hour=TruncHour("received_at", tzinfo=UTC)).values_list("hour")
    return list(by_hour.annotate(count=Count("pk"), newest=Max("pk")).order_by("-hour")[:limit])


def _inbox(frame: VehicleContext, newest: int) -> str:
    """Returns the URL of the webhook log, starting at this delivery, for this vehicle only."""
    params = {"vehicle": frame.vehicle.smartcar_id, "before": newest + 1}
    return f"{reverse('webhooks:log', args=[frame.fleet.slug])}?{urlencode(params)}"


def _clock(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "H:i")


def _failed_deliveries(
    frame: VehicleContext, before: TimelinePosition | None, limit: int
) -> Iterable[TimelineEvent]:
    """Yields quarantined and undeliverable deliveries individually."""
    rank = _RANKS[EventType.DELIVERY]
    entries = entries_for_vehicle(vehicle=frame.vehicle).filter(state__in=_NEEDS_ATTENTION)
    entries = entries.filter(below(before, rank=rank, time="received_at"))
    for entry in entries.only("received_at", "event_type", "source", "state", "note_code", "note_params")[
        :limit
    ]:
        yield TimelineEvent(
            EventType.DELIVERY,
            TimelinePosition(entry.received_at, rank, entry.pk),
            webhook_log.event_label(entry) or _("Delivery"),
            [entry.note] if entry.note_code else [],
            (str(EntryState(entry.state).label), f"badge-inbox-{entry.state}"),
            url=reverse("webhooks:delivery", args=[frame.fleet.slug, entry.pk]),
            link=_("Delivery"),
        )


def _errors(frame: VehicleContext, before: TimelinePosition | None, limit: int) -> Iterable[TimelineEvent]:
    rank = _RANKS[EventType.ERROR]
    errors = VehicleError.objects.filter(vehicle=frame.vehicle).order_by("-first_at", "-pk")
    for error in errors.filter(below(before, rank=rank, time="first_at"))[:limit]:
        resolved, affected = error.state == "RESOLVED", _affected_signals(error)
        yield TimelineEvent(
            EventType.ERROR,
            TimelinePosition(error.first_at, rank, error.pk),
            _("Issue resolved: %(what)s") % {"what": affected} if resolved else affected,
            list(_error_lines(error)),
            (_("Resolved"), "event-well") if resolved else (_("Error"), "event-bad"),
        )


def _affected_signals(error: VehicleError) -> str:
    """Returns the names of the affected signals, or the entire connection."""
    labels = [CATALOGUE[code].label if code in CATALOGUE else code for code in error.signals]
    if not labels:
        return _("Entire connection")
    named = ", ".join(labels[:3])
    more = len(labels) - 3
    if more <= 0:
        return named
    return ngettext("%(named)s and %(more)s more", "%(named)s and %(more)s more", more) % {
        "named": named,
        "more": more,
    }


def _error_lines(error: VehicleError) -> Iterator[str]:
    if error.state != "RESOLVED":
        yield format_error_type(error.type)
    if error.description:
        yield error.description
    yield " · ".join(filter(None, (error.type, error.code)))
    if error.count > 1:
        yield _("Reported %(count)s times, most recently on %(when)s.") % {
            "count": error.count,
            "when": date_format(timezone.localtime(error.last_at), "DATETIME_FORMAT"),
        }


def _commands(frame: VehicleContext, before: TimelinePosition | None, limit: int) -> Iterable[TimelineEvent]:
    rank = _RANKS[EventType.COMMAND]
    commands = Command.objects.filter(vehicle=frame.vehicle, fleet=frame.fleet)
    commands = commands.filter(below(before, rank=rank, time="requested_at")).order_by("-requested_at", "-pk")
    for command in commands.select_related("requested_by", "requested_by_account").prefetch_related(
        "changes"
    )[:limit]:
        who = {"person": command.requester}
        lines = [_("By %(person)s") % who if command.requester else ""]
        lines += [f"“{command.reason}”" if command.reason else "", command.message]
        yield TimelineEvent(
            EventType.COMMAND,
            TimelinePosition(command.requested_at, rank, command.pk),
            command.title,
            [line for line in lines if line],
            (command.get_state_display(), f"badge-{command.state}"),
            steps=[
                EventDetail(each.at, ". ".join(filter(None, (each.get_state_display(), each.message))))
                for each in command.changes.all()
            ],
        )


def _transitions(
    frame: VehicleContext, before: TimelinePosition | None, limit: int
) -> Iterable[TimelineEvent]:
    rank = _RANKS[EventType.CONNECTION]
    changes = Transition.objects.filter(connection__vehicle=frame.vehicle, connection__fleet=frame.fleet)
    changes = changes.filter(below(before, rank=rank, time="at")).order_by("-at", "-pk")
    manages = frame.can(Permission.CONNECT)
    for change in changes[:limit]:
        words = {"from": change.get_from_state_display(), "to": change.get_to_state_display()}
        url = reverse("connections:detail", args=[frame.fleet.slug, change.connection_id]) if manages else ""
        yield TimelineEvent(
            EventType.CONNECTION,
            TimelinePosition(change.at, rank, change.pk),
            _("%(from)s → %(to)s") % words if change.from_state else str(words["to"]),
            [change.reason] if change.reason_code else [],
            url=url,
            link=_("Connection") if url else "",
        )


def _audit_events(
    frame: VehicleContext, before: TimelinePosition | None, limit: int
) -> Iterable[TimelineEvent]:
    """Yields members' actions from the audit log. Drivers' changes of location sharing are private."""
    rank = _RANKS[EventType.SETTINGS]
    entries = AuditLogEntry.objects.filter(
        fleet=frame.fleet,
        object_type=AuditObject.VEHICLE,
        object_id=frame.vehicle.smartcar_id,
        actor__isnull=False,
    )
    entries = (
        entries.exclude(event__in=_SHOWN_AS_COMMANDS)
        .filter(below(before, rank=rank, time="at"))
        .order_by("-at", "-pk")
    )
    for entry in entries.select_related("actor")[:limit]:
        yield TimelineEvent(
            EventType.SETTINGS,
            TimelinePosition(entry.at, rank, entry.pk),
            event_label(entry),
            [_("By %(person)s") % {"person": entry.actor}, *entry_details(entry)],
        )


_SOURCES: Mapping[
    EventType, Sequence[Callable[[VehicleContext, TimelinePosition | None, int], Iterable[TimelineEvent]]]
] = {
    EventType.DELIVERY: (_delivery_summaries, _failed_deliveries),
    EventType.ERROR: (_errors,),
    EventType.COMMAND: (_commands,),
    EventType.CONNECTION: (_transitions,),
    EventType.SETTINGS: (_audit_events,),
}
