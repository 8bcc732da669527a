"""What happens to commands after sending: confirmation by signals, fetches of missing data, and timeouts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from commands import expected_signals
from commands.messages import CommandMessage
from commands.models import AWAITING_SIGNAL, EVIDENCE_MAX_AGE, OPEN, UNSENT, Command, CommandState
from commands.sender import READ_DELAYS, interrupted_message, mark_ambiguous, mark_unconfirmed, mark_unknown
from commands.superseding import next_sent_at, supersede_contradicted, supersede_older
from commands.types import EXPIRY, CommandType
from connect import fetching
from core.message_codes import Message
from core.task_queue import enqueue_on_commit
from vehicles.current_state import is_current
from vehicles.models import Vehicle
from vehicles.selectors import VehicleState, list_states
from vehicles.services import Update

CONFIRMATION_TIMEOUT = timedelta(minutes=15)
# Longer than any call can take: a command still in state SENDING after this was left behind by a process that died.
SENDING_TIMEOUT = timedelta(seconds=420)
# A signal from later than this can't predate the execution of the command.
EXECUTION_TIMEOUT = timedelta(seconds=330)
_BATCH = 500
_AWAITING_SIGNALS = frozenset(signal.code for signal in expected_signals.CONFIRMING_SIGNALS)


def on_signals(*, updates: Collection[Update], now: datetime) -> int:
    """Processes new signals of vehicles: settles commands, and releases commands that waited for a vehicle to wake.

    Returns how many commands were confirmed.
    """
    _release_waiting(updates=updates, now=now)
    return confirm_from_signals(updates=updates, now=now)


def confirm_from_signals(*, updates: Iterable[Update], now: datetime) -> int:
    """Settles commands whose expected signal is among the updates and is from a time after sending.

    Returns how many were confirmed.
    """
    relevant = [update for update in updates if update.code in _AWAITING_SIGNALS]
    if not relevant:
        return 0
    sent = list(
        Command.objects.filter(
            vehicle_id__in={update.vehicle_id for update in relevant},
            state__in=(*AWAITING_SIGNAL, CommandState.CONFIRMED),
            sent_at__gt=now - EVIDENCE_MAX_AGE,
        )
    )
    waiting = [command for command in sent if command.state in AWAITING_SIGNAL]
    return sum(_resolve(command, relevant, next_sent_at(command, sent), now) for command in waiting)


def _resolve(command: Command, updates: Iterable[Update], until: datetime | None, now: datetime) -> bool:
    """Settles a command by the updates up to `until`, and returns whether it was confirmed."""
    results = [
        result
        for update in updates
        if (until is None or update.observed_at <= until)
        and (result := _evaluate(update, command)) is not None
    ]
    if any(results):
        return _confirm(command, now)
    if results:
        supersede_contradicted(command, now=now)
    return False


def _confirm(command: Command, now: datetime) -> bool:
    confirmed = command.transition(
        to=CommandState.CONFIRMED,
        from_states=AWAITING_SIGNAL,
        now=now,
        settled_at=now,
        message=Message(),
        next_read_at=None,
    )
    if confirmed:
        supersede_older(command, now=now)
    return confirmed


def _evaluate(update: Update, command: Command) -> bool | None:
    """Returns whether the update shows that the command was executed; None if it doesn't show either.

    False is returned only once the command can no longer be in progress.
    """
    expected = expected_signals.expected_state(CommandType(command.kind))
    if expected is None or (update.vehicle_id, update.code) != (command.vehicle_id, expected.signal.code):
        return None
    if command.sent_at is None or update.observed_at <= command.sent_at:
        return None
    result = expected.evaluate(update.body, command.parameters)
    over = update.observed_at > (command.claimed_at or command.sent_at) + EXECUTION_TIMEOUT
    return result if result or over else None


def _release_waiting(*, updates: Iterable[Update], now: datetime) -> None:
    """Releases waiting commands whose vehicle itself has reported since the command was requested."""
    seen: dict[int, datetime] = {}
    for update in updates:
        if update.contact_at is not None:
            seen[update.vehicle_id] = max(update.contact_at, seen.get(update.vehicle_id, update.contact_at))
    if not seen:
        return
    waiting = Command.objects.filter(state=CommandState.WAITING, vehicle_id__in=seen, expires_at__gt=now)
    for command in waiting.order_by("requested_at"):
        if seen[command.vehicle_id] > command.requested_at:
            release(command, from_state=CommandState.WAITING, now=now)


def release(command: Command, *, from_state: CommandState, now: datetime) -> bool:
    """Releases a command that was held back. Does nothing while another command to the vehicle is in progress."""
    expires_at = min(command.expires_at, now + EXPIRY[CommandType(command.kind)])
    try:
        with transaction.atomic():
            moved = command.transition(
                to=CommandState.REQUESTED, from_states=(from_state,), now=now, expires_at=expires_at
            )
    except IntegrityError:
        return False
    if moved:
        enqueue_on_commit("commands.tasks.send", command.pk)
    return moved


def sweep(*, now: datetime) -> list[int]:
    """Ends commands that timed out, requests due fetches, and returns the IDs of commands to send."""
    for command in _batch(state__in=UNSENT, expires_at__lte=now):
        command.transition(
            to=CommandState.EXPIRED,
            from_states=UNSENT,
            now=now,
            settled_at=now,
            message=CommandMessage.TOO_LATE.message(),
        )
    for command in _batch(state=CommandState.RETRYING, expires_at__lte=now):
        mark_unknown(command, from_state=CommandState.RETRYING, now=now, message=interrupted_message(command))
    for command in _batch(state=CommandState.SENDING, claimed_at__lte=now - SENDING_TIMEOUT):
        _recover_stuck(command, now)
    unconfirmed = _batch(state=CommandState.ACCEPTED, accepted_at__lte=now - CONFIRMATION_TIMEOUT)
    for command, message in zip(unconfirmed, _unconfirmed_reasons(unconfirmed), strict=True):
        mark_unconfirmed(command, from_state=CommandState.ACCEPTED, now=now, message=message)
    _request_reads(now=now)
    return _sendable(now)


def _batch(**conditions: object) -> list[Command]:
    return list(Command.objects.filter(**conditions).order_by("pk")[:_BATCH])


def _recover_stuck(command: Command, now: datetime) -> None:
    """Settles a command whose process died after claiming it. Without `sent_at`, nothing was sent."""
    if command.sent_at is not None:
        mark_ambiguous(command, message=interrupted_message(command))
        return
    command.transition(
        to=CommandState.FAILED,
        from_states=(CommandState.SENDING,),
        now=now,
        settled_at=now,
        message=CommandMessage.NOTHING_SENT.message(),
    )


def _unconfirmed_reasons(commands: Sequence[Command]) -> list[Message]:
    """Returns why no signal came for each command.

    A vehicle that already was in the state reports no change; any other should have reported.
    """
    vehicles = Vehicle.objects.filter(pk__in={command.vehicle_id for command in commands})
    known = {
        state.vehicle.pk: state
        for state in list_states(vehicles=vehicles, signals=expected_signals.CONFIRMING_SIGNALS)
    }
    return [
        CommandMessage.ALREADY_IN_STATE.message()
        if _already_in_target_state(command, known[command.vehicle_id])
        else expected_signals.not_reported_message(CommandType(command.kind))
        for command in commands
    ]


def _already_in_target_state(command: Command, state: VehicleState) -> bool:
    """Returns whether the vehicle's state counted as current when the command was sent, and was the one to set."""
    expected = expected_signals.expected_state(CommandType(command.kind))
    last = state.signal(expected.signal) if expected else None
    if expected is None or last is None or not is_current(last, now=command.sent_at or command.requested_at):
        return False
    return expected.matches(last.body or {}, command.parameters)


def _request_reads(*, now: datetime) -> None:
    """Requests data of vehicles whose command isn't settled, a few times with growing intervals."""
    for command in _batch(state__in=(CommandState.ACCEPTED, CommandState.UNKNOWN), next_read_at__lte=now):
        next_delays = READ_DELAYS[command.reads + 1 :][:1]
        query = Command.objects.filter(pk=command.pk, next_read_at=command.next_read_at, state__in=OPEN)
        claimed = query.update(
            reads=F("reads") + 1, next_read_at=now + next_delays[0] if next_delays else None
        )
        if (
            claimed
            and command.connection_id is not None
            and expected_signals.expected_state(CommandType(command.kind))
        ):
            fetching.request_fetch(connection_id=command.connection_id, now=now)


def _sendable(now: datetime) -> list[int]:
    due = Q(next_try_at=None) | Q(next_try_at__lte=now)
    waiting = Command.objects.filter(
        due, state__in=(CommandState.REQUESTED, CommandState.RETRYING), expires_at__gt=now
    )
    return list(waiting.order_by("requested_at").values_list("pk", flat=True))
