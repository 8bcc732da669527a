"""Sending a command: claimed once, sent at most once, and what Smartcar's answer makes of it.

An ambiguous answer becomes `unknown` and is resolved by the signal that proves the command (commands.confirmation),
never by sending again. Only a lock, which is safe to repeat, is retried until it expires.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection as database
from django.utils import timezone

from commands import api_mapping, expected_signals
from commands.messages import CommandMessage, error_columns
from commands.models import Command, CommandState
from commands.types import IDEMPOTENT, CommandType
from connect import gateway, health, token_store
from connect.gateway import CallPurpose, PreparedCall
from connect.models import Connection
from core.message_codes import Message
from smartcar_api import CommandAnswer, CommandOutcome, SmartcarError
from smartcar_api.errors import RATE_LIMITED, VEHICLE_COOLDOWN

RETRY_DELAY = timedelta(seconds=20)
MAX_ATTEMPTS = 3
# When a car that has not told by itself is read: after the sending, again and once more.
READ_DELAYS = (timedelta(seconds=30), timedelta(minutes=6), timedelta(minutes=30))


def send(*, command: Command) -> None:
    """Claims the command and sends it. Does nothing when another process has it or it is too late.

    Tokens are fetched before the claim, so that a token that cannot be had leaves the command unsent.
    """
    connection = command.connection
    if connection is None or not connection.alive:
        _not_sent(command, CommandMessage.CONNECTION_ENDED.message())
        return
    try:
        prepared = gateway.prepare(connection=connection, purpose=CallPurpose.COMMAND)
    except token_store.TokensUnavailableError as error:
        _not_sent(command, error.message)
        return
    except SmartcarError as error:
        if not _defer(command, error):
            _refused(command, connection, error, come_from=(CommandState.REQUESTED,))
            _not_sent(command, error.message, error.smartcar_message)
        return
    if command.claim(now=timezone.now()):
        _call(command, prepared)


def _not_sent(command: Command, message: Message, smartcar_message: str = "") -> None:
    """The command can't be sent now, or not again: the car may have received an earlier attempt."""
    _fail(command, come_from=(CommandState.REQUESTED,), message=message, smartcar_message=smartcar_message)
    mark_unknown(
        command,
        come_from=CommandState.RETRYING,
        now=timezone.now(),
        message=message,
        smartcar_message=smartcar_message,
    )


def _defer(command: Command, error: SmartcarError) -> bool:
    """Whether the command waits for room in the request budget: it has the time, and room is a matter of seconds."""
    if error.code not in (RATE_LIMITED, VEHICLE_COOLDOWN) or error.retry_after is None:
        return False
    again = timezone.now() + timedelta(seconds=error.retry_after)
    if again >= command.expires_at:
        return False
    waiting = Command.objects.filter(pk=command.pk, state__in=(CommandState.REQUESTED, CommandState.RETRYING))
    return waiting.update(next_try_at=again, **error_columns(error)) == 1


def _call(command: Command, prepared: PreparedCall) -> None:
    kind = CommandType(command.kind)
    if not command.mark_sent(now=timezone.now()):
        now = timezone.now()
        command.move(to=CommandState.EXPIRED, come_from=(CommandState.SENDING,), now=now, settled_at=now)
        return
    if not database.in_atomic_block:
        # The car may take minutes. Its thread has to wait, a connection to the database has not.
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
        _refused(command, prepared.connection, error, come_from=(CommandState.SENDING,))
    except BaseException:
        # Whatever broke here broke after the claim: the car may have heard it.
        mark_ambiguous(command, message=interrupted_message(command))
        raise
    else:
        _answered(command, answer)


def _answered(command: Command, answer: CommandAnswer) -> None:
    now = timezone.now()
    ids: dict[str, Any] = {
        "request_id": answer.request_id[:80],
        "execution_id": answer.execution_id[:80],
        "schedule_id": answer.schedule_id[:80],
    }
    if answer.outcome is CommandOutcome.FAILURE:
        _fail(
            command,
            come_from=(CommandState.SENDING,),
            message=answer.error.message if answer.error else CommandMessage.NOT_CARRIED_OUT.message(),
            smartcar_message=answer.smartcar_message,
            **ids,
        )
        return
    if not expected_signals.expected_state(CommandType(command.kind)):
        # Nothing will ever confirm it: what is known now is all there will be.
        message = expected_signals.not_reported_message(CommandType(command.kind))
        mark_unconfirmed(
            command, come_from=CommandState.SENDING, now=now, message=message, accepted_at=now, **ids
        )
        return
    if not command.move(
        to=CommandState.ACCEPTED,
        come_from=(CommandState.SENDING,),
        now=now,
        accepted_at=now,
        next_read_at=now + READ_DELAYS[0],
        **ids,
    ):
        # A signal was faster than the answer: the state stands, the ids are still worth keeping.
        Command.objects.filter(pk=command.pk).update(accepted_at=now, **ids)


def _refused(
    command: Command, connection: Connection, error: SmartcarError, *, come_from: tuple[CommandState, ...]
) -> None:
    now = timezone.now()
    health.on_call_failed(connection=connection, error=error, now=now)
    details: dict[str, Any] = {
        "error_type": error.type[:60],
        "error_code": error.code[:60],
        "request_id": error.request_id[:80],
    }
    if CommandState.SENDING in come_from and (error.outcome_unknown or _tried_before(command)):
        _no_clear_answer(command, error, details)
        return
    command.move(
        to=CommandState.REFUSED,
        come_from=come_from,
        now=now,
        settled_at=now,
        message=error.message,
        smartcar_message=error.smartcar_message,
        **details,
    )


def _no_clear_answer(command: Command, error: SmartcarError, details: dict[str, Any]) -> None:
    pending = expected_signals.pending_message(CommandType(command.kind))
    if error.outcome_unknown:
        mark_ambiguous(command, message=CommandMessage.NO_CLEAR_ANSWER.message(pending=pending), **details)
        return
    mark_ambiguous(
        command,
        message=CommandMessage.ANSWER_LOST.message(error=error.message, pending=pending),
        smartcar_message=error.smartcar_message,
        **details,
    )


def _tried_before(command: Command) -> bool:
    """Whether an earlier sending may have reached the car."""
    return Command.objects.filter(pk=command.pk, attempts__gt=1).exists()


def _fail(command: Command, *, come_from: tuple[CommandState, ...], message: Message, **columns: Any) -> None:
    now = timezone.now()
    command.move(
        to=CommandState.FAILED, come_from=come_from, now=now, settled_at=now, message=message, **columns
    )


def interrupted_message(command: Command) -> Message:
    """What is recorded of a command whose sending broke off after the car may have received it."""
    return CommandMessage.INTERRUPTED.message(
        pending=expected_signals.pending_message(CommandType(command.kind))
    )


def mark_ambiguous(command: Command, *, message: Message, smartcar_message: str = "", **columns: Any) -> None:
    """The car may have heard it, or not: a lock is tried again in a moment, anything else waits for a signal."""
    now = timezone.now()
    again = now + RETRY_DELAY
    if command.kind in IDEMPOTENT and command.expires_at > again:
        fresh = Command.objects.filter(pk=command.pk, attempts__lt=MAX_ATTEMPTS).exists()
        if fresh and command.move(
            to=CommandState.RETRYING,
            come_from=(CommandState.SENDING,),
            now=now,
            next_try_at=again,
            message=CommandMessage.RETRYING.message(),
            **columns,
        ):
            return
    mark_unknown(
        command,
        come_from=CommandState.SENDING,
        now=now,
        message=message,
        smartcar_message=smartcar_message,
        **columns,
    )


def mark_unknown(
    command: Command, *, come_from: CommandState, now: datetime, message: Message, **columns: Any
) -> None:
    """Nothing more is sent; the next signal tells, or a read."""
    command.move(
        to=CommandState.UNKNOWN,
        come_from=(come_from,),
        now=now,
        message=message,
        next_read_at=now + READ_DELAYS[0],
        **columns,
    )


def mark_unconfirmed(
    command: Command, *, come_from: CommandState, now: datetime, message: Message, **columns: Any
) -> None:
    """Smartcar took it, and no signal will be waited for any longer: the message says why none came."""
    command.move(
        to=CommandState.UNCONFIRMED,
        come_from=(come_from,),
        now=now,
        settled_at=now,
        message=message,
        **columns,
    )
