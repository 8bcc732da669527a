"""What a bulk command leaves out and did, in a few words each: "13 already locked"."""

from collections.abc import Callable, Mapping

from django.utils.translation import ngettext

from commands.preconditions import SkipReason
from commands.types import CommandType

_Text = Callable[[int], str]
_ALREADY: Mapping[CommandType, _Text] = {
    CommandType.LOCK: lambda n: ngettext("%(n)d already locked", "%(n)d already locked", n),
    CommandType.UNLOCK: lambda n: ngettext("%(n)d already unlocked", "%(n)d already unlocked", n),
    CommandType.START_CHARGE: lambda n: ngettext("%(n)d already charging", "%(n)d already charging", n),
    CommandType.STOP_CHARGE: lambda n: ngettext("%(n)d not charging", "%(n)d not charging", n),
}
_SKIPPED: Mapping[SkipReason, _Text] = {
    SkipReason.ALREADY: lambda n: ngettext("%(n)d already done", "%(n)d already done", n),
    SkipReason.MOVING: lambda n: ngettext("%(n)d moving", "%(n)d moving", n),
    SkipReason.UNPLUGGED: lambda n: ngettext("%(n)d not plugged in", "%(n)d not plugged in", n),
    SkipReason.IMPOSSIBLE: lambda n: ngettext("%(n)d not possible", "%(n)d not possible", n),
    SkipReason.CHANGED: lambda n: ngettext(
        "%(n)d possible only since the review", "%(n)d possible only since the review", n
    ),
}
_DONE: Mapping[CommandType, _Text] = {
    CommandType.LOCK: lambda n: ngettext("%(n)d locked now", "%(n)d locked now", n),
    CommandType.UNLOCK: lambda n: ngettext("%(n)d unlocked now", "%(n)d unlocked now", n),
    CommandType.START_CHARGE: lambda n: ngettext("%(n)d charging now", "%(n)d charging now", n),
    CommandType.STOP_CHARGE: lambda n: ngettext("%(n)d stopped charging", "%(n)d stopped charging", n),
    CommandType.SET_CHARGE_LIMIT: lambda n: ngettext("%(n)d set now", "%(n)d set now", n),
}


def skipped_text(*, kind: CommandType, reason: SkipReason, count: int) -> str:
    """Returns how many vehicles are left out for this reason."""
    already = _ALREADY.get(kind) if reason is SkipReason.ALREADY else None
    return (already or _SKIPPED[reason])(count) % {"n": count}


def done_text(*, kind: CommandType, count: int) -> str:
    """Returns how many vehicles did what was requested."""
    return _DONE[kind](count) % {"n": count}
