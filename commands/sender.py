"""Sending a command: claimed once, sent at most once, and what Smartcar's answer makes of it.

An ambiguous answer becomes `unknown` and is resolved by the signal that proves the command (commands.confirmation),
never by sending again. Only a lock, which is safe to repeat, is retried until it expires.
"""

from datetime import datetime, timedelta
from functools import partial

from django.db import connection as database
from django.utils import timezone
from django.utils.translation import gettext_noop

from commands import api_mapping, expected_signals
from commands.models import Command, CommandState
from commands.types import IDEMPOTENT, CommandType
from connect import gateway, health, token_store
from connect.gateway import CallPurpose, PreparedCall
from connect.models import Connection
from smartcar_api import CommandAnswer, CommandOutcome, SmartcarError
from smartcar_api.errors import RATE_LIMITED, VEHICLE_COOLDOWN

RETRY_DELAY = timedelta(seconds=20)
MAX_ATTEMPTS = 3
# When a car that has not told by itself is read: after the sending, again and once more.
READ_DELAYS = (timedelta(seconds=30), timedelta(minutes=6), timedelta(minutes=30))

# Kept in the ledger in English; some are followed by another sentence.
_INTERRUPTED = gettext_noop("Sending was interrupted.")
_NO_CLEAR_ANSWER = gettext_noop("No clear answer came.")
_ANSWER_LOST = gettext_noop("An answer was lost, then:")
_RETRYING = gettext_noop("No clear answer came. It is tried again.")
_CONNECTION_ENDED = gettext_noop(
    "The car's connection ended meanwhile, so it was not sent. Ask the driver to connect it again."
)
_NOT_CARRIED_OUT = gettext_noop("Smartcar reports that the car did not carry it out. Try again.")


def send(*, command: Command) -> None:
    """Claims the command and sends it. Does nothing when another process has it or it is too late.

    Tokens are fetched before the claim, so that a token that cannot be had leaves the command unsent.
    """
    connection = command.connection
    if connection is None or not connection.alive:
        _not_sent(command, _CONNECTION_ENDED)
        return
    try:
        prepared = gateway.prepare(connection=connection, purpose=CallPurpose.COMMAND)
    except token_store.TokensUnavailableError as error:
        _not_sent(command, str(error))
        return
    except SmartcarError as error:
        if not _defer(command, error):
            _refused(command, connection, error, come_from=(CommandState.REQUESTED,))
            _not_sent(command, error.user_message)
        return
    if command.claim(now=timezone.now()):
        _call(command, prepared)


def _not_sent(command: Command, message: str) -> None:
    """It cannot be sent now, or not again: what was sent before may still have been heard."""
    _fail(command, come_from=(CommandState.REQUESTED,), message=message)
    mark_unknown(command, come_from=CommandState.RETRYING, now=timezone.now(), message=message)


def _defer(command: Command, error: SmartcarError) -> bool:
    """Whether the command waits for room in the request budget: it has the time, and room is a matter of seconds."""
    if error.code not in (RATE_LIMITED, VEHICLE_COOLDOWN) or error.retry_after is None:
        return False
    again = timezone.now() + timedelta(seconds=error.retry_after)
    if again >= command.expires_at:
        return False
    waiting = Command.objects.filter(pk=command.pk, state__in=(CommandState.REQUESTED, CommandState.RETRYING))
    return waiting.update(next_try_at=again, message=error.user_message[:300]) == 1


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
    ids = {
        "request_id": answer.request_id[:80],
        "execution_id": answer.execution_id[:80],
        "schedule_id": answer.schedule_id[:80],
    }
    if answer.outcome is CommandOutcome.FAILURE:
        message = answer.message or _NOT_CARRIED_OUT
        _fail(command, come_from=(CommandState.SENDING,), message=message, **ids)
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
    details = {
        "error_type": error.type[:60],
        "error_code": error.code[:60],
        "request_id": error.request_id[:80],
    }
    if CommandState.SENDING in come_from and (error.outcome_unknown or _tried_before(command)):
        said = _NO_CLEAR_ANSWER if error.outcome_unknown else f"{_ANSWER_LOST} {error.user_message}"
        mark_ambiguous(
            command,
            message=f"{said} {expected_signals.pending_message(CommandType(command.kind))}",
            **details,
        )
        return
    command.move(
        to=CommandState.REFUSED,
        come_from=come_from,
        now=now,
        settled_at=now,
        message=error.user_message[:300],
        **details,
    )


def _tried_before(command: Command) -> bool:
    """Whether an earlier sending may have reached the car."""
    return Command.objects.filter(pk=command.pk, attempts__gt=1).exists()


def _fail(command: Command, *, come_from: tuple[CommandState, ...], message: str, **columns: object) -> None:
    now = timezone.now()
    command.move(
        to=CommandState.FAILED, come_from=come_from, now=now, settled_at=now, message=message[:300], **columns
    )


def interrupted_message(command: Command) -> str:
    """What is kept of a command whose sending broke off after the car may have heard it."""
    return f"{_INTERRUPTED} {expected_signals.pending_message(CommandType(command.kind))}"


def mark_ambiguous(command: Command, *, message: str, **columns: object) -> None:
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
            message=_RETRYING,
            **columns,
        ):
            return
    mark_unknown(command, come_from=CommandState.SENDING, now=now, message=message, **columns)


def mark_unknown(
    command: Command, *, come_from: CommandState, now: datetime, message: str, **columns: object
) -> None:
    """Nothing more is sent; the next signal tells, or a read."""
    command.move(
        to=CommandState.UNKNOWN,
        come_from=(come_from,),
        now=now,
        message=message[:300],
        next_read_at=now + READ_DELAYS[0],
        **columns,
    )


def mark_unconfirmed(
    command: Command, *, come_from: CommandState, now: datetime, message: str, **columns: object
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
