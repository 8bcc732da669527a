"""Sending a command: claimed once, sent at most once, then updated from Smartcar's response.

An ambiguous response leads to `unknown`, which the expected signal resolves (commands.confirmation), never another
attempt. Only a lock, which is safe to repeat, is retried until it expires.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.utils import timezone

from commands import api_mapping, expected_signals
from commands.messages import CommandMessage, error_columns
from commands.models import Command, CommandState
from commands.superseding import supersede_older
from commands.types import IDEMPOTENT, CommandType
from connect import gateway, health, token_store
from connect.gateway import CallPurpose, PreparedCall
from connect.models import Connection
from core.message_codes import Message
from smartcar_api import CommandAnswer, CommandOutcome, SmartcarError
from smartcar_api.errors import RATE_LIMITED, VEHICLE_COOLDOWN

RETRY_DELAY = timedelta(seconds=20)
# One fleet occupies at most this share of the worker threads, so that others don't wait behind its slow vehicles.
FLEET_SHARE = 0.75
# The next try of a command whose fleet has as many calls in progress as it may.
BUSY_DELAY = timedelta(seconds=2)
MAX_ATTEMPTS = 3
# When to fetch data of a vehicle that hasn't reported by itself: the delays after sending, and between fetches.
READ_DELAYS = (timedelta(seconds=30), timedelta(minutes=6), timedelta(minutes=30))


def send(*, command: Command) -> None:
    """Claims the command and sends it. Does nothing if another process has claimed it, or if it is too late.

    Tokens are fetched before the claim, so that without a token nothing is marked as sent.
    """
    connection = command.connection
    if connection is None or not connection.alive:
        _not_sent(command, CommandMessage.CONNECTION_ENDED.message())
        return
    if _fleet_is_busy(command):
        _postpone(command, until=timezone.now() + BUSY_DELAY)
        return
    try:
        prepared = gateway.prepare(connection=connection, purpose=CallPurpose.COMMAND)
    except token_store.TokensUnavailableError as error:
        _not_sent(command, error.message)
        return
    except SmartcarError as error:
        if not _defer(command, error):
            _rejected(command, connection, error, from_states=(CommandState.REQUESTED,))
            _not_sent(command, error.message, error.smartcar_message)
        return
    if command.claim(now=timezone.now()):
        _call(command, prepared)


def _fleet_is_busy(command: Command) -> bool:
    """Whether calls of the fleet occupy as many worker threads as one fleet may use."""
    calls = Command.objects.filter(fleet=command.fleet_id, state=CommandState.SENDING)
    return calls.count() >= max(1, int(settings.COMMAND_WORKER_THREADS * FLEET_SHARE))


def _postpone(command: Command, *, until: datetime, **columns: Any) -> bool:
    waiting = Command.objects.filter(pk=command.pk, state__in=(CommandState.REQUESTED, CommandState.RETRYING))
    return waiting.update(next_try_at=until, **columns) == 1


def _not_sent(command: Command, message: Message, smartcar_message: str = "") -> None:
    """The command can't be sent now, or not again: the car may have received an earlier attempt."""
    _fail(command, from_states=(CommandState.REQUESTED,), message=message, smartcar_message=smartcar_message)
    mark_unknown(
        command,
        from_state=CommandState.RETRYING,
        now=timezone.now(),
        message=message,
        smartcar_message=smartcar_message,
    )


def _defer(command: Command, error: SmartcarError) -> bool:
    """Whether the command waits for the request budget or a cooldown, which must end before the command expires."""
    if error.code not in (RATE_LIMITED, VEHICLE_COOLDOWN) or error.retry_after is None:
        return False
    next_try_at = timezone.now() + timedelta(seconds=error.retry_after)
    if next_try_at >= command.expires_at:
        return False
    return _postpone(command, until=next_try_at, **error_columns(error))


def _call(command: Command, prepared: PreparedCall) -> None:
    kind = CommandType(command.kind)
    if not command.mark_sent(now=timezone.now()):
        now = timezone.now()
        command.transition(
            to=CommandState.EXPIRED, from_states=(CommandState.SENDING,), now=now, settled_at=now
        )
        return
    if not database.in_atomic_block:
        # The call may take minutes, which the thread has to wait for. The database connection doesn't have to.
        database.close()
    try:
        answer = prepared.send(
            partial(
                api_mapping.send,
                kind=kind,
                vehicle_id=command.vehicle.smartcar_id,
                parameters=command.parameters,
            )
        )
    except SmartcarError as error:
        _rejected(command, prepared.connection, error, from_states=(CommandState.SENDING,))
    except BaseException:
        # An error here happened after the claim: the vehicle may have received the command.
        mark_ambiguous(command, message=interrupted_message(command))
        raise
    else:
        _on_response(command, answer)


def _on_response(command: Command, answer: CommandAnswer) -> None:
    now = timezone.now()
    ids: dict[str, Any] = {
        "request_id": answer.request_id[:80],
        "execution_id": answer.execution_id[:80],
        "schedule_id": answer.schedule_id[:80],
    }
    if answer.outcome is CommandOutcome.FAILURE:
        _fail(
            command,
            from_states=(CommandState.SENDING,),
            message=answer.error.message if answer.error else CommandMessage.NOT_CARRIED_OUT.message(),
            smartcar_message=answer.smartcar_message,
            **ids,
        )
        return
    if not expected_signals.expected_state(CommandType(command.kind)):
        # No signal will ever confirm this command, so it is final now.
        message = expected_signals.not_reported_message(CommandType(command.kind))
        mark_unconfirmed(
            command, from_state=CommandState.SENDING, now=now, message=message, accepted_at=now, **ids
        )
        return
    if not command.transition(
        to=CommandState.ACCEPTED,
        from_states=(CommandState.SENDING,),
        now=now,
        accepted_at=now,
        next_read_at=now + READ_DELAYS[0],
        **ids,
    ):
        # A signal was faster than the response: the state is unchanged, but the IDs are still stored.
        Command.objects.filter(pk=command.pk).update(accepted_at=now, **ids)
    supersede_older(command, now=now)


def _rejected(
    command: Command, connection: Connection, error: SmartcarError, *, from_states: tuple[CommandState, ...]
) -> None:
    now = timezone.now()
    health.on_call_failed(connection=connection, error=error, now=now)
    columns: dict[str, Any] = {
        "error_type": error.type[:60],
        "error_code": error.code[:60],
        "request_id": error.request_id[:80],
    }
    if CommandState.SENDING in from_states and (error.outcome_unknown or _tried_before(command)):
        _on_ambiguous_response(command, error, columns)
        return
    command.transition(
        to=CommandState.REFUSED,
        from_states=from_states,
        now=now,
        settled_at=now,
        message=error.message,
        smartcar_message=error.smartcar_message,
        **columns,
    )


def _on_ambiguous_response(command: Command, error: SmartcarError, columns: dict[str, Any]) -> None:
    pending = expected_signals.pending_message(CommandType(command.kind))
    if error.outcome_unknown:
        mark_ambiguous(command, message=CommandMessage.NO_CLEAR_ANSWER.message(pending=pending), **columns)
        return
    mark_ambiguous(
        command,
        message=CommandMessage.ANSWER_LOST.message(error=error.message, pending=pending),
        smartcar_message=error.smartcar_message,
        **columns,
    )


def _tried_before(command: Command) -> bool:
    """Whether an earlier attempt may have reached the vehicle."""
    return Command.objects.filter(pk=command.pk, attempts__gt=1).exists()


def _fail(
    command: Command, *, from_states: tuple[CommandState, ...], message: Message, **columns: Any
) -> None:
    now = timezone.now()
    command.transition(
        to=CommandState.FAILED, from_states=from_states, now=now, settled_at=now, message=message, **columns
    )


def interrupted_message(command: Command) -> Message:
    """Returns the message for a command that may have reached the vehicle before its sending was interrupted."""
    return CommandMessage.INTERRUPTED.message(
        pending=expected_signals.pending_message(CommandType(command.kind))
    )


def mark_ambiguous(command: Command, *, message: Message, smartcar_message: str = "", **columns: Any) -> None:
    """Handles a command that may have reached the vehicle: a lock is retried soon, anything else waits for a signal."""
    now = timezone.now()
    next_try_at = now + RETRY_DELAY
    if command.kind in IDEMPOTENT and command.expires_at > next_try_at:
        can_retry = Command.objects.filter(pk=command.pk, attempts__lt=MAX_ATTEMPTS).exists()
        if can_retry and command.transition(
            to=CommandState.RETRYING,
            from_states=(CommandState.SENDING,),
            now=now,
            next_try_at=next_try_at,
            message=CommandMessage.RETRYING.message(),
            **columns,
        ):
            return
    mark_unknown(
        command,
        from_state=CommandState.SENDING,
        now=now,
        message=message,
        smartcar_message=smartcar_message,
        **columns,
    )


def mark_unknown(
    command: Command, *, from_state: CommandState, now: datetime, message: Message, **columns: Any
) -> None:
    """Marks the outcome as unknown. Nothing more is sent; the next signal or fetch resolves the outcome."""
    command.transition(
        to=CommandState.UNKNOWN,
        from_states=(from_state,),
        now=now,
        message=message,
        next_read_at=now + READ_DELAYS[0],
        **columns,
    )


def mark_unconfirmed(
    command: Command, *, from_state: CommandState, now: datetime, message: Message, **columns: Any
) -> None:
    """Marks a command that Smartcar accepted as no longer waiting for a signal. The message explains why none came."""
    command.transition(
        to=CommandState.UNCONFIRMED,
        from_states=(from_state,),
        now=now,
        settled_at=now,
        message=message,
        **columns,
    )
