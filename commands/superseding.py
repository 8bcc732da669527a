"""Commands that signals can no longer confirm, since a later command or report took their place."""

from collections.abc import Iterable
from datetime import datetime

from commands.expected_signals import expected_state
from commands.messages import CommandMessage
from commands.models import EVIDENCE_MAX_AGE, Command, CommandState
from commands.parameters import PLACE
from commands.types import SCHEDULING, CommandType
from core.message_codes import Message

_SUPERSEDABLE = (CommandState.ACCEPTED, CommandState.UNCONFIRMED, CommandState.UNKNOWN)


def affects_same(first: Command, second: Command) -> bool:
    """Returns whether both commands set the same state of the same vehicle, to equal or opposing values."""
    kinds = CommandType(first.kind), CommandType(second.kind)
    expected = [expected_state(kind) for kind in kinds]
    if first.vehicle_id != second.vehicle_id or expected[0] is None or expected[1] is None:
        return False
    if expected[0].signal is not expected[1].signal:
        return False
    return not SCHEDULING & set(kinds) or _has_same_schedule(first, second)


def _has_same_schedule(first: Command, second: Command) -> bool:
    """Returns whether both commands are about one schedule. A vehicle has several: one per location."""
    if first.kind != second.kind:
        return False
    names = PLACE if first.kind == CommandType.SET_CHARGE_SCHEDULE else ("schedule_id",)
    values = [tuple(each.parameters.get(name) for name in names) for each in (first, second)]
    return None not in values[0] and values[0] == values[1]


def next_sent_at(command: Command, commands: Iterable[Command]) -> datetime | None:
    """Returns when the next command after this one that affects the same state was sent, or None without one.

    A signal from later than that may be the effect of the later command.
    """
    sent = [
        each.sent_at
        for each in commands
        if each.sent_at and command.sent_at and each.sent_at > command.sent_at and affects_same(command, each)
    ]
    return min(sent, default=None)


def supersede_older(command: Command, *, now: datetime) -> None:
    """Closes older commands whose place this one took. Smartcar or a signal has shown that it was executed."""
    sent_at = Command.objects.values_list("sent_at", flat=True).get(pk=command.pk)
    if sent_at is None:
        return
    older = Command.objects.filter(
        vehicle_id=command.vehicle_id,
        state__in=_SUPERSEDABLE,
        sent_at__lt=sent_at,
        sent_at__gt=now - EVIDENCE_MAX_AGE,
    )
    for each in older:
        if affects_same(each, command):
            _supersede(
                each, states=_SUPERSEDABLE, now=now, message=CommandMessage.SUPERSEDED_BY_COMMAND.message()
            )


def supersede_contradicted(command: Command, *, now: datetime) -> None:
    """Closes a command after the vehicle has reported another state.

    That doesn't show that a command with an unknown outcome has failed: it may have been executed and then undone.
    """
    _supersede(command, states=_SUPERSEDABLE, now=now, message=CommandMessage.SUPERSEDED_BY_REPORT.message())


def _supersede(
    command: Command, *, states: tuple[CommandState, ...], now: datetime, message: Message
) -> None:
    command.transition(
        to=CommandState.SUPERSEDED,
        from_states=states,
        now=now,
        settled_at=now,
        message=message,
        next_read_at=None,
    )
