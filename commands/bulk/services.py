"""Bulk commands: a review of which vehicles are eligible, then one command for each eligible vehicle."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, User
from commands import parameters, preconditions, services
from commands.bulk import eta
from commands.bulk.models import BulkCommand
from commands.bulk.selectors import current_throughput
from commands.cancellation import cancel_rows
from commands.messages import CommandMessage
from commands.models import Command, CommandEvent, CommandState
from commands.preconditions import PreconditionResult, SkipReason
from commands.selectors import incapable_vehicles
from commands.services import CommandRejectedError
from commands.types import EXPIRY, UNLOCKING, CommandType
from connect import health
from connect.models import Connection
from core import pubsub
from core.pubsub import Channel
from core.task_queue import enqueue_on_commit
from vehicles.models import Vehicle
from vehicles.selectors import list_states

MAX_DURATION = timedelta(hours=12)
MAX_VEHICLES = 5000
# The commands that make sense for many vehicles alike.
BULK_COMMAND_TYPES = (
    CommandType.LOCK,
    CommandType.UNLOCK,
    CommandType.START_CHARGE,
    CommandType.STOP_CHARGE,
    CommandType.SET_CHARGE_LIMIT,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A selected vehicle, with the connection to use and the result of the precondition checks."""

    vehicle: Vehicle
    connection: Connection | None
    verdict: PreconditionResult
    skip: SkipReason | None

    @property
    def eligible(self) -> bool:
        return self.skip is None

    @property
    def why(self) -> str:
        """Why the vehicle is left out, or what may prevent the command."""
        return self.verdict.reason or self.verdict.hint


@dataclass(frozen=True, slots=True)
class BulkReview:
    """What would be sent. `too_many` is how many vehicles must be deselected so that all commands are sent in time."""

    kind: CommandType
    params: parameters.Parameters
    candidates: Sequence[Candidate]
    estimate: timedelta
    most: int | None

    @property
    def eligible(self) -> list[Candidate]:
        return [candidate for candidate in self.candidates if candidate.eligible]

    @property
    def ineligible(self) -> list[Candidate]:
        return [candidate for candidate in self.candidates if not candidate.eligible]

    @property
    def skipped(self) -> dict[SkipReason, int]:
        """How many vehicles are left out, by reason, the most frequent first."""
        return dict(Counter(each.skip for each in self.candidates if each.skip is not None).most_common())

    @property
    def too_many(self) -> int:
        return max(0, len(self.eligible) - self.most) if self.most is not None else 0


def review_bulk_command(
    *,
    fleet: Fleet,
    vehicles: Sequence[Vehicle],
    kind: CommandType,
    data: Mapping[str, object],
    now: datetime,
    others: Sequence[Vehicle] = (),
    with_already: bool = False,
) -> BulkReview:
    """Returns which of the fleet's vehicles get the command, why others are left out, and how long sending takes.

    `others` were left out by a previous review and stay so, whatever has changed since. Vehicles that are already in
    the requested state are left out, except `with_already`, because a state may be old.

    The number of queries doesn't depend on the number of vehicles. Raises CommandRejectedError for invalid parameters,
    no or too many vehicles, or a command that isn't available in bulk.
    """
    if kind not in BULK_COMMAND_TYPES:
        raise CommandRejectedError(
            _("This command can be sent to only one vehicle at a time. Send it from the vehicle's page.")
        )
    if not vehicles and not others:
        raise CommandRejectedError(_("No vehicles selected. Select one or more, then choose a command."))
    if len(vehicles) > MAX_VEHICLES:
        raise CommandRejectedError(
            _("You can select up to %(most)d vehicles. Deselect some.") % {"most": MAX_VEHICLES}
        )
    try:
        params = parameters.parse(kind, data)
    except parameters.InvalidParametersError as error:
        raise CommandRejectedError(str(error)) from None
    candidates = [
        *_candidates(vehicles, kind, params, now, with_already=with_already),
        *_left_out(_candidates(others, kind, params, now, with_already=False) if others else []),
    ]
    throughput = current_throughput(fleet=fleet, now=now)
    eligible = sum(candidate.eligible for candidate in candidates)
    return BulkReview(
        kind=kind,
        params=params,
        candidates=candidates,
        estimate=eta.duration(vehicles=eligible, throughput=throughput),
        most=eta.max_vehicles(kind=kind, throughput=throughput, longest=MAX_DURATION),
    )


def create_bulk_command(
    *,
    fleet: Fleet,
    user: User,
    vehicles: Sequence[Vehicle],
    kind: CommandType,
    data: Mapping[str, object],
    reason: str = "",
    others: Sequence[Vehicle] = (),
    with_already: bool = False,
) -> BulkCommand:
    """Stores a queued command for each eligible vehicle, and enqueues the dispatcher.

    `others` and `with_already` are those of review_bulk_command; how many vehicles were left out is stored.

    The caller has checked the user's permission. Raises CommandRejectedError if no vehicle is eligible, a reason is
    missing, or there are too many vehicles to send all commands in time.
    """
    now = timezone.now()
    found = review_bulk_command(
        fleet=fleet,
        vehicles=vehicles,
        kind=kind,
        data=data,
        now=now,
        others=others,
        with_already=with_already,
    )
    if not found.eligible:
        raise CommandRejectedError(
            _("None of these vehicles can receive this command now. See the reason next to each vehicle.")
        )
    if found.too_many:
        raise CommandRejectedError(too_many(found))
    services.check_reason(fleet=fleet, kind=kind, reason=reason.strip())
    return _persist(fleet, user, found, reason.strip(), now)


@transaction.atomic
def cancel_bulk_command(*, bulk: BulkCommand, user: User) -> int:
    """Cancels the commands that weren't sent yet. Returns their number."""
    now = timezone.now()
    BulkCommand.objects.filter(pk=bulk.pk, cancelled_at=None).update(cancelled_at=now)
    waiting = Command.objects.filter(bulk=bulk, state__in=(CommandState.QUEUED, CommandState.REQUESTED))
    message = CommandMessage.CANCELED.message(person=str(user))
    rows = dict(waiting.select_for_update(skip_locked=True).values_list("pk", "vehicle_id"))
    cancel_rows(rows=rows, fleet_id=bulk.fleet_id, message=message)
    if rows:
        _log(bulk, AuditEvent.BULK_COMMAND_CANCELED, user, len(rows))
    return len(rows)


def _log(bulk: BulkCommand, event: AuditEvent, user: User, vehicles: int) -> None:
    log_event(
        fleet=bulk.fleet,
        actor=user,
        event=event,
        about=(AuditObject.BULK_COMMAND, bulk.pk),
        data={"command": bulk.kind, "vehicles": vehicles},
    )


def _left_out(candidates: Iterable[Candidate]) -> list[Candidate]:
    return [replace(each, skip=each.skip or SkipReason.CHANGED) for each in candidates]


def _candidates(
    vehicles: Sequence[Vehicle],
    kind: CommandType,
    params: parameters.Parameters,
    now: datetime,
    *,
    with_already: bool,
) -> list[Candidate]:
    connections = health.best_connections(vehicle_ids=[vehicle.pk for vehicle in vehicles])
    incapable = incapable_vehicles(vehicles=vehicles, kind=kind, now=now)
    found = []
    for state in list_states(vehicles=vehicles, signals=preconditions.SIGNALS):
        connection = connections.get(state.vehicle.pk)
        cannot = {kind} if state.vehicle.pk in incapable else frozenset[str]()
        verdict = (
            PreconditionResult(refusal=_(preconditions.NO_CONNECTION), skip=SkipReason.IMPOSSIBLE)
            if connection is None
            else preconditions.check(
                kind=kind, state=state, connection=connection, incapable=cannot, params=params
            ).with_hint(preconditions.connection_warning(connection))
        )
        skip = None if with_already and verdict.skip is SkipReason.ALREADY else verdict.skip
        found.append(Candidate(state.vehicle, connection, verdict, skip))
    return found


def too_many(found: BulkReview) -> str:
    """Returns why the command can't be sent to all vehicles, and how many must be deselected."""
    most = found.most or 0
    if found.kind in UNLOCKING:
        text = ngettext(
            "Vehicles are unlocked within a minute or not at all. Only %(most)d vehicle can be "
            "reached in that time now.",
            "Vehicles are unlocked within a minute or not at all. Only %(most)d vehicles can be "
            "reached in that time now.",
            most,
        )
    else:
        text = ngettext(
            "Only %(most)d vehicle can be reached within %(hours)d hours because of Smartcar's "
            "request limit.",
            "Only %(most)d vehicles can be reached within %(hours)d hours because of Smartcar's "
            "request limit.",
            most,
        )
    values = {"most": most, "hours": MAX_DURATION // timedelta(hours=1), "fewer": found.too_many}
    return f"{text % values} {_('Choose %(fewer)d fewer.') % values}"


@transaction.atomic
def _persist(fleet: Fleet, user: User, found: BulkReview, reason: str, now: datetime) -> BulkCommand:
    bulk = BulkCommand.objects.create(
        fleet=fleet,
        kind=found.kind,
        parameters=found.params,
        reason=reason,
        requested_by=user,
        requested_at=now,
        expires_at=_expiry(found, now),
        skipped=found.skipped,
    )
    rows = [_row(bulk, candidate) for candidate in found.eligible]
    commands = Command.objects.bulk_create([row for row in rows if row is not None])
    CommandEvent.objects.bulk_create(
        CommandEvent(command=command, state=CommandState.QUEUED, at=now) for command in commands
    )
    pubsub.publish_on_commit(
        channel=Channel.COMMANDS, vehicles={fleet.pk: {each.vehicle_id for each in commands}}
    )
    _log(bulk, AuditEvent.BULK_COMMAND_REQUESTED, user, len(commands))
    enqueue_on_commit("commands.tasks.dispatch")
    return bulk


def _expiry(found: BulkReview, now: datetime) -> datetime:
    """Unlocks keep their own expiry.

    Other commands get 1.5 times the estimate plus their usual expiry, limited to MAX_DURATION.
    """
    expiry = EXPIRY[found.kind]
    return now + (expiry if found.kind in UNLOCKING else min(MAX_DURATION, found.estimate * 1.5 + expiry))


def _row(bulk: BulkCommand, candidate: Candidate) -> Command | None:
    if candidate.connection is None:
        return None
    return Command(
        bulk=bulk,
        fleet_id=bulk.fleet_id,
        vehicle=candidate.vehicle,
        connection=candidate.connection,
        kind=bulk.kind,
        parameters=bulk.parameters,
        api_version=candidate.connection.api_version,
        state=CommandState.QUEUED,
        requested_by=bulk.requested_by,
        reason=bulk.reason,
        requested_at=bulk.requested_at,
        expires_at=bulk.expires_at,
        changed_at=bulk.requested_at,
    )
