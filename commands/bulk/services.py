"""Asking many cars: first a review of which can and which can't, then one row of the ledger for each that can."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.models import Fleet, User
from commands import parameters, preconditions, services
from commands.bulk import eta
from commands.bulk.models import BulkCommand
from commands.bulk.selectors import pace_of
from commands.models import Change, Command, State
from commands.preconditions import Verdict
from commands.selectors import incapable_among
from commands.services import NotPossibleError
from commands.types import LIFETIME, OPENING, Kind
from connect import health
from connect.models import Connection
from core import pubsub
from core.pubsub import Topic
from core.task_queue import ring
from vehicles.models import Vehicle
from vehicles.selectors import states_of

LONGEST = timedelta(hours=12)
MOST_CARS = 5000
# What makes sense for many cars alike.
KINDS = (Kind.LOCK, Kind.UNLOCK, Kind.START_CHARGE, Kind.STOP_CHARGE, Kind.SET_CHARGE_LIMIT)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A car that was chosen, with the connection to ask through and what speaks against asking."""

    vehicle: Vehicle
    connection: Connection | None
    verdict: Verdict

    @property
    def able(self) -> bool:
        return not self.verdict.refusal


@dataclass(frozen=True, slots=True)
class Review:
    """What would be sent, before anything is. `too_many`: how many cars have to be left out, to be in time."""

    kind: Kind
    carried: parameters.Parameters
    candidates: Sequence[Candidate]
    estimate: timedelta
    most: int | None

    @property
    def able(self) -> list[Candidate]:
        return [candidate for candidate in self.candidates if candidate.able]

    @property
    def unable(self) -> list[Candidate]:
        return [candidate for candidate in self.candidates if not candidate.able]

    @property
    def too_many(self) -> int:
        return max(0, len(self.able) - self.most) if self.most is not None else 0


def review(
    *, fleet: Fleet, vehicles: Sequence[Vehicle], kind: Kind, given: Mapping[str, object], now: datetime
) -> Review:
    """Which of the fleet's cars can be asked, which can't and why, and how long it takes.

    The same few queries for any number of cars. Raises NotPossibleError for wrong parameters, too many cars, or a
    command that is not for many.
    """
    if kind not in KINDS:
        raise NotPossibleError(_("This command is asked of one car at a time, on the car's own page."))
    if not vehicles:
        raise NotPossibleError(_("No car is chosen. Choose one or more, then the command."))
    if len(vehicles) > MOST_CARS:
        raise NotPossibleError(
            _("At most %(most)d cars can be asked at once. Choose fewer.") % {"most": MOST_CARS}
        )
    try:
        carried = parameters.parse(kind, given)
    except parameters.InvalidParametersError as error:
        raise NotPossibleError(str(error)) from None
    candidates = _candidates(vehicles, kind, carried, now)
    pace = pace_of(fleet=fleet, now=now)
    able = sum(candidate.able for candidate in candidates)
    return Review(
        kind=kind,
        carried=carried,
        candidates=candidates,
        estimate=eta.duration(cars=able, pace=pace),
        most=eta.most_cars(kind=kind, pace=pace, longest=LONGEST),
    )


def ask(
    *,
    fleet: Fleet,
    user: User,
    vehicles: Sequence[Vehicle],
    kind: Kind,
    given: Mapping[str, object],
    reason: str = "",
) -> BulkCommand:
    """Writes down a command for each car that can take it, waiting for its turn, and rings for the dispatcher.

    The caller has checked the user's right. Raises NotPossibleError when nothing can be asked, a reason is missing, or
    they are too many to be asked in time.
    """
    now = timezone.now()
    found = review(fleet=fleet, vehicles=vehicles, kind=kind, given=given, now=now)
    if not found.able:
        raise NotPossibleError(
            _("None of these cars can take this command now. The reasons stand beside each.")
        )
    if found.too_many:
        raise NotPossibleError(too_many(found))
    services.check_reason(fleet=fleet, kind=kind, reason=reason.strip())
    return _write_down(fleet, user, found, reason.strip(), now)


@transaction.atomic
def cancel(*, bulk: BulkCommand, user: User) -> int:
    """Takes back what has not been sent yet. Returns how many commands that were."""
    now = timezone.now()
    BulkCommand.objects.filter(pk=bulk.pk, cancelled_at=None).update(cancelled_at=now)
    waiting = Command.objects.filter(bulk=bulk, state__in=(State.QUEUED, State.REQUESTED))
    message = (services.CANCELLED_BY % {"person": user})[:300]
    cars = dict(waiting.select_for_update(skip_locked=True).values_list("pk", "vehicle_id"))
    rows = list(cars)
    Command.objects.filter(pk__in=rows).update(
        state=State.CANCELLED, changed_at=now, settled_at=now, message=message
    )
    Change.objects.bulk_create(
        Change(command_id=pk, state=State.CANCELLED, at=now, detail=message) for pk in rows
    )
    pubsub.announce(topic=Topic.COMMANDS, vehicles={bulk.fleet_id: set(cars.values())})
    if rows:
        action = f"cancelled to {bulk.kind.replace('_', ' ')} {len(rows)} cars"
        audit.record(fleet=bulk.fleet, actor=user, action=action, target=f"bulk command {bulk.pk}")
    return len(rows)


def _candidates(
    vehicles: Sequence[Vehicle], kind: Kind, carried: parameters.Parameters, now: datetime
) -> list[Candidate]:
    connections = health.usable_among(vehicle_ids=[vehicle.pk for vehicle in vehicles])
    incapable = incapable_among(vehicles=vehicles, kind=kind, now=now)
    found = []
    for state in states_of(vehicles=vehicles, signals=preconditions.SIGNALS):
        connection = connections.get(state.vehicle.pk)
        cannot = {kind} if state.vehicle.pk in incapable else frozenset[str]()
        verdict = (
            Verdict(refusal=_(preconditions.NO_CONNECTION))
            if connection is None
            else preconditions.check(
                kind=kind, state=state, connection=connection, incapable=cannot, carried=carried
            ).with_hint(preconditions.standing(connection))
        )
        found.append(Candidate(state.vehicle, connection, verdict))
    return found


def too_many(found: Review) -> str:
    """Why they cannot all be asked, and how many fewer can."""
    most = found.most or 0
    if found.kind in OPENING:
        said = ngettext(
            "Cars are unlocked within a minute or not at all, and only %(most)d can be asked in that time now.",
            "Cars are unlocked within a minute or not at all, and only %(most)d can be asked in that time now.",
            most,
        )
    else:
        said = ngettext(
            "Within %(hours)d hours only %(most)d car can be asked: Smartcar lets us send only so many requests.",
            "Within %(hours)d hours only %(most)d cars can be asked: Smartcar lets us send only so many requests.",
            most,
        )
    values = {"most": most, "hours": LONGEST // timedelta(hours=1), "fewer": found.too_many}
    return f"{said % values} {_('Choose %(fewer)d fewer.') % values}"


@transaction.atomic
def _write_down(fleet: Fleet, user: User, found: Review, reason: str, now: datetime) -> BulkCommand:
    bulk = BulkCommand.objects.create(
        fleet=fleet,
        kind=found.kind,
        parameters=found.carried,
        reason=reason,
        requested_by=user,
        requested_at=now,
        expires_at=_expiry(found, now),
    )
    rows = [_row(bulk, candidate) for candidate in found.able]
    commands = Command.objects.bulk_create([row for row in rows if row is not None])
    Change.objects.bulk_create(Change(command=command, state=State.QUEUED, at=now) for command in commands)
    pubsub.announce(topic=Topic.COMMANDS, vehicles={fleet.pk: {each.vehicle_id for each in commands}})
    audit.record(
        fleet=fleet,
        actor=user,
        action=f"asked to {found.kind.replace('_', ' ')} {len(commands)} cars",
        target=f"bulk command {bulk.pk}",
    )
    ring("commands.tasks.dispatch")
    return bulk


def _expiry(found: Review, now: datetime) -> datetime:
    """What opens a car is never late. Anything else has what it takes, half as long again, and its usual time."""
    usual = LIFETIME[found.kind]
    return now + (usual if found.kind in OPENING else min(LONGEST, found.estimate * 1.5 + usual))


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
        generation=candidate.connection.generation,
        state=State.QUEUED,
        requested_by=bulk.requested_by,
        reason=bulk.reason,
        requested_at=bulk.requested_at,
        expires_at=bulk.expires_at,
        changed_at=bulk.requested_at,
    )
