"""What becomes of commands after their sending: proved or disproved by signals, read for, ended by time."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from commands import expected_signals
from commands.messages import CommandMessage
from commands.models import AWAITING_SIGNAL, OPEN, UNSENT, Command, CommandState
from commands.sender import READ_DELAYS, interrupted_message, mark_ambiguous, mark_unconfirmed, mark_unknown
from commands.types import EXPIRY, CommandType
from connect import fetching
from core.message_codes import Message
from core.task_queue import enqueue_on_commit
from vehicles.models import Vehicle
from vehicles.selectors import VehicleState, list_states
from vehicles.services import Update

CONFIRMATION_TIMEOUT = timedelta(minutes=15)
# Longer than any call can take: a command still "being sent" after this was left by a process that died.
SENDING_TIMEOUT = timedelta(seconds=420)
# A signal of after this cannot be of before the command was carried out.
EXECUTION_TIMEOUT = timedelta(seconds=330)
# A signal that comes later proves somebody else's deed.
EVIDENCE_MAX_AGE = timedelta(hours=24)
_BATCH = 500
_AWAITING_SIGNALS = frozenset(signal.code for signal in expected_signals.CONFIRMING_SIGNALS)


def on_signals(*, updates: Collection[Update], now: datetime) -> int:
    """Takes in what is new of cars: settles commands and sends what waited for a car to wake.

    Returns how many commands were confirmed.
    """
    _release_waiting(updates=updates, now=now)
    return confirm_from_signals(updates=updates, now=now)


def confirm_from_signals(*, updates: Iterable[Update], now: datetime) -> int:
    """Settles commands whose proof is among these updates: its signal, of a time after the sending.

    Returns how many were confirmed.
    """
    telling = [update for update in updates if update.code in _AWAITING_SIGNALS]
    if not telling:
        return 0
    waiting = Command.objects.filter(
        vehicle_id__in={update.vehicle_id for update in telling},
        state__in=AWAITING_SIGNAL,
        sent_at__gt=now - EVIDENCE_MAX_AGE,
    )
    return sum(_resolve(command, telling, now) for command in waiting)


def _resolve(command: Command, updates: Iterable[Update], now: datetime) -> bool:
    words = [says for update in updates if (says := _evaluate(update, command)) is not None]
    if any(words):
        return command.move(
            to=CommandState.CONFIRMED,
            come_from=AWAITING_SIGNAL,
            now=now,
            settled_at=now,
            message=Message(),
            next_read_at=None,
        )
    if words and command.state == CommandState.UNKNOWN:
        command.move(
            to=CommandState.FAILED,
            come_from=(CommandState.UNKNOWN,),
            now=now,
            settled_at=now,
            message=expected_signals.contradicted_message(CommandType(command.kind)),
            next_read_at=None,
        )
    return False


def _evaluate(update: Update, command: Command) -> bool | None:
    """What the update says of the command: done, not done (only once it cannot be under way any more), or nothing."""
    proof = expected_signals.expected_state(CommandType(command.kind))
    if proof is None or (update.vehicle_id, update.code) != (command.vehicle_id, proof.signal.code):
        return None
    if command.sent_at is None or update.observed_at <= command.sent_at:
        return None
    says = proof.says(update.body, command.parameters)
    over = update.observed_at > (command.claimed_at or command.sent_at) + EXECUTION_TIMEOUT
    return says if says or over else None


def _release_waiting(*, updates: Iterable[Update], now: datetime) -> None:
    """Lets go of commands that waited for a sign of life of their car, of a time after they were asked for."""
    seen: dict[int, datetime] = {}
    for update in updates:
        seen[update.vehicle_id] = max(update.observed_at, seen.get(update.vehicle_id, update.observed_at))
    waiting = Command.objects.filter(state=CommandState.WAITING, vehicle_id__in=seen, expires_at__gt=now)
    for command in waiting.order_by("requested_at"):
        if seen[command.vehicle_id] > command.requested_at:
            release(command, come_from=CommandState.WAITING, now=now)


def release(command: Command, *, come_from: CommandState, now: datetime) -> bool:
    """Sends a command that was held back. It stays so while another one to the car is under way."""
    expires_at = min(command.expires_at, now + EXPIRY[CommandType(command.kind)])
    try:
        with transaction.atomic():
            moved = command.move(
                to=CommandState.REQUESTED, come_from=(come_from,), now=now, expires_at=expires_at
            )
    except IntegrityError:
        return False
    if moved:
        enqueue_on_commit("commands.tasks.send", command.pk)
    return moved


def sweep(*, now: datetime) -> list[int]:
    """Ends what time has ended, asks for reads that are due, and returns the ids of commands to be sent."""
    for command in _some(state__in=UNSENT, expires_at__lte=now):
        command.move(
            to=CommandState.EXPIRED,
            come_from=UNSENT,
            now=now,
            settled_at=now,
            message=CommandMessage.TOO_LATE.message(),
        )
    for command in _some(state=CommandState.RETRYING, expires_at__lte=now):
        mark_unknown(command, come_from=CommandState.RETRYING, now=now, message=interrupted_message(command))
    for command in _some(state=CommandState.SENDING, claimed_at__lte=now - SENDING_TIMEOUT):
        _recover_stuck(command, now)
    unproved = _some(state=CommandState.ACCEPTED, accepted_at__lte=now - CONFIRMATION_TIMEOUT)
    for command, message in zip(unproved, _unconfirmed_reasons(unproved), strict=True):
        mark_unconfirmed(command, come_from=CommandState.ACCEPTED, now=now, message=message)
    _request_reads(now=now)
    return _to_be_sent(now)


def _some(**conditions: object) -> list[Command]:
    return list(Command.objects.filter(**conditions).order_by("pk")[:_BATCH])


def _recover_stuck(command: Command, now: datetime) -> None:
    """The process that had claimed it has died. Before the mark of sending, nothing was sent."""
    if command.sent_at is not None:
        mark_ambiguous(command, message=interrupted_message(command))
        return
    command.move(
        to=CommandState.FAILED,
        come_from=(CommandState.SENDING,),
        now=now,
        settled_at=now,
        message=CommandMessage.NOTHING_SENT.message(),
    )


def _unconfirmed_reasons(commands: Sequence[Command]) -> list[Message]:
    """A car that was so already tells of no change ("make sure it is locked"); any other should have told."""
    cars = Vehicle.objects.filter(pk__in={command.vehicle_id for command in commands})
    known = {
        state.vehicle.pk: state
        for state in list_states(vehicles=cars, signals=expected_signals.CONFIRMING_SIGNALS)
    }
    return [
        CommandMessage.ALREADY_IN_STATE.message()
        if _already_in_target_state(command, known[command.vehicle_id])
        else expected_signals.not_reported_message(CommandType(command.kind))
        for command in commands
    ]


def _already_in_target_state(command: Command, state: VehicleState) -> bool:
    proof = expected_signals.expected_state(CommandType(command.kind))
    last = state.signal(proof.signal) if proof else None
    return proof is not None and last is not None and proof.shows(last.body or {}, command.parameters)


def _request_reads(*, now: datetime) -> None:
    """Has cars read whose command is in doubt, a few times, with growing pauses."""
    for command in _some(state__in=(CommandState.ACCEPTED, CommandState.UNKNOWN), next_read_at__lte=now):
        later = READ_DELAYS[command.reads + 1 :][:1]
        mine = Command.objects.filter(pk=command.pk, next_read_at=command.next_read_at, state__in=OPEN)
        asked = mine.update(reads=F("reads") + 1, next_read_at=now + later[0] if later else None)
        if (
            asked
            and command.connection_id is not None
            and expected_signals.expected_state(CommandType(command.kind))
        ):
            fetching.request_fetch(connection_id=command.connection_id, now=now)


def _to_be_sent(now: datetime) -> list[int]:
    due = Q(next_try_at=None) | Q(next_try_at__lte=now)
    waiting = Command.objects.filter(
        due, state__in=(CommandState.REQUESTED, CommandState.RETRYING), expires_at__gt=now
    )
    return list(waiting.order_by("requested_at").values_list("pk", flat=True))
