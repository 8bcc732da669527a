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
from commands.models import Command, State
from commands.types import REPEATABLE, Kind
from connect import gateway, health, token_store
from connect.gateway import Prepared, Purpose
from connect.models import Connection
from smartcar_api import CommandAnswer, CommandOutcome, SmartcarError
from smartcar_api.errors import CAR_RESTS, NO_ROOM

RETRY_PAUSE = timedelta(seconds=20)
MOST_ATTEMPTS = 3
# When a car that has not told by itself is read: after the sending, again and once more.
READS_AFTER = (timedelta(seconds=30), timedelta(minutes=6), timedelta(minutes=30))

# Kept in the ledger in English; some are followed by another sentence.
_INTERRUPTED = gettext_noop("Sending was interrupted.")
_NO_CLEAR_ANSWER = gettext_noop("No clear answer came.")
_ANSWER_LOST = gettext_noop("An answer was lost, then:")
_TRIED_AGAIN = gettext_noop("No clear answer came. It is tried again.")
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
        prepared = gateway.prepare(connection=connection, purpose=Purpose.COMMAND)
    except token_store.TokensUnavailableError as error:
        _not_sent(command, str(error))
        return
    except SmartcarError as error:
        if not _put_off(command, error):
            _refused(command, connection, error, come_from=(State.REQUESTED,))
            _not_sent(command, error.for_people)
        return
    if command.claim(now=timezone.now()):
        _call(command, prepared)


def _not_sent(command: Command, message: str) -> None:
    """It cannot be sent now, or not again: what was sent before may still have been heard."""
    _fail(command, come_from=(State.REQUESTED,), message=message)
    give_up(command, come_from=State.RETRYING, now=timezone.now(), message=message)


def _put_off(command: Command, error: SmartcarError) -> bool:
    """Whether the command waits for room in the request budget: it has the time, and room is a matter of seconds."""
    if error.code not in (NO_ROOM, CAR_RESTS) or error.retry_after is None:
        return False
    again = timezone.now() + timedelta(seconds=error.retry_after)
    if again >= command.expires_at:
        return False
    waiting = Command.objects.filter(pk=command.pk, state__in=(State.REQUESTED, State.RETRYING))
    return waiting.update(next_try_at=again, message=error.for_people[:300]) == 1


def _call(command: Command, prepared: Prepared) -> None:
    kind = Kind(command.kind)
    if not command.mark_sent(now=timezone.now()):
        now = timezone.now()
        command.move(to=State.EXPIRED, come_from=(State.SENDING,), now=now, settled_at=now)
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
        _refused(command, prepared.connection, error, come_from=(State.SENDING,))
    except BaseException:
        # Whatever broke here broke after the claim: the car may have heard it.
        leave_open(command, message=interrupted(command))
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
        _fail(command, come_from=(State.SENDING,), message=message, **ids)
        return
    if not expected_signals.proof_of(Kind(command.kind)):
        # Nothing will ever confirm it: what is known now is all there will be.
        message = expected_signals.not_reported(Kind(command.kind))
        settle_unconfirmed(command, come_from=State.SENDING, now=now, message=message, accepted_at=now, **ids)
        return
    if not command.move(
        to=State.ACCEPTED,
        come_from=(State.SENDING,),
        now=now,
        accepted_at=now,
        next_read_at=now + READS_AFTER[0],
        **ids,
    ):
        # A signal was faster than the answer: the state stands, the ids are still worth keeping.
        Command.objects.filter(pk=command.pk).update(accepted_at=now, **ids)


def _refused(
    command: Command, connection: Connection, error: SmartcarError, *, come_from: tuple[State, ...]
) -> None:
    now = timezone.now()
    health.call_failed(connection=connection, error=error, now=now)
    details = {
        "error_type": error.type[:60],
        "error_code": error.code[:60],
        "request_id": error.request_id[:80],
    }
    if State.SENDING in come_from and (error.ambiguous or _tried_before(command)):
        said = _NO_CLEAR_ANSWER if error.ambiguous else f"{_ANSWER_LOST} {error.for_people}"
        leave_open(command, message=f"{said} {expected_signals.will_tell(Kind(command.kind))}", **details)
        return
    command.move(
        to=State.REFUSED,
        come_from=come_from,
        now=now,
        settled_at=now,
        message=error.for_people[:300],
        **details,
    )


def _tried_before(command: Command) -> bool:
    """Whether an earlier sending may have reached the car."""
    return Command.objects.filter(pk=command.pk, attempts__gt=1).exists()


def _fail(command: Command, *, come_from: tuple[State, ...], message: str, **columns: object) -> None:
    now = timezone.now()
    command.move(
        to=State.FAILED, come_from=come_from, now=now, settled_at=now, message=message[:300], **columns
    )


def interrupted(command: Command) -> str:
    """What is kept of a command whose sending broke off after the car may have heard it."""
    return f"{_INTERRUPTED} {expected_signals.will_tell(Kind(command.kind))}"


def leave_open(command: Command, *, message: str, **columns: object) -> None:
    """The car may have heard it, or not: a lock is tried again in a moment, anything else waits for a signal."""
    now = timezone.now()
    again = now + RETRY_PAUSE
    if command.kind in REPEATABLE and command.expires_at > again:
        fresh = Command.objects.filter(pk=command.pk, attempts__lt=MOST_ATTEMPTS).exists()
        if fresh and command.move(
            to=State.RETRYING,
            come_from=(State.SENDING,),
            now=now,
            next_try_at=again,
            message=_TRIED_AGAIN,
            **columns,
        ):
            return
    give_up(command, come_from=State.SENDING, now=now, message=message, **columns)


def give_up(command: Command, *, come_from: State, now: datetime, message: str, **columns: object) -> None:
    """Nothing more is sent; the next signal tells, or a read."""
    command.move(
        to=State.UNKNOWN,
        come_from=(come_from,),
        now=now,
        message=message[:300],
        next_read_at=now + READS_AFTER[0],
        **columns,
    )


def settle_unconfirmed(
    command: Command, *, come_from: State, now: datetime, message: str, **columns: object
) -> None:
    """Smartcar took it, and no signal will be waited for any longer: the message says why none came."""
    command.move(
        to=State.UNCONFIRMED,
        come_from=(come_from,),
        now=now,
        settled_at=now,
        message=message,
        **columns,
    )
