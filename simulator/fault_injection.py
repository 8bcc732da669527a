"""Fault injection: what can be switched on to test how a client copes."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_SEED = 1

# Name in the API -> (attribute, kind, description). Chances are from 0 to 1.
SWITCHES: dict[str, tuple[str, str, str]] = {
    "duplicates": ("duplicates", "chance", "An accepted delivery is sent again with the same eventId"),
    "disorder": ("disorder", "chance", "A delivery is delayed by 10 seconds, so that later ones overtake it"),
    "delay": ("delay", "seconds", "Every delivery is delayed by this much"),
    "burst": ("burst", "seconds", "Deliveries are held back and sent together, once in this many seconds"),
    "badSignatures": ("bad_signatures", "chance", "A delivery carries a wrong SC-Signature"),
    "lostAnswers": ("lost_answers", "chance", "A request is executed, then the connection breaks"),
    "slowAnswers": ("slow_answers", "seconds", "Every response takes this much longer"),
    "serverErrors": ("server_errors", "chance", "A request is answered 500, 502 or 503 and not executed"),
    "rateLimited": ("rate_limited", "chance", "A request is answered 429 with Retry-After"),
    "tokenAnswerLost": ("token_answer_lost", "chance", "A refresh is committed, then the connection breaks"),
    "slowCommands": ("slow_commands", "seconds", "Every command takes this much longer"),
    "longAnswers": (
        "long_answers",
        "chance",
        "A v3 command is answered 202 at once, its result follows in the same body",
    ),
    "commandStatus": (
        "command_status",
        "names",
        "Statuses with which v3 commands end at random: FAILURE, which changes nothing, PENDING, SUCCESS",
    ),
    "staleBodies": ("stale_bodies", "chance", "A signal is sent as ERROR with its old body"),
    "lyingUnits": ("lying_units", "chance", "A signal is sent with the wrong units known from real vehicles"),
    "clocksAhead": ("clocks_ahead", "seconds", "The manufacturer's times are this far in the future"),
    "clocksFrozen": (
        "clocks_frozen",
        "names",
        "Vehicle ids or makes whose manufacturer's times stand still while the values change",
    ),
    "outage": ("outage", "names", "Makes whose vehicles are unreachable"),
    "revokedPermissions": ("revoked_permissions", "names", "Permissions that are revoked for all vehicles"),
    "virtualKeyMissing": (
        "virtual_key_missing",
        "names",
        "Vehicle ids or makes that lack the key for commands",
    ),
    "unauthorizedMakes": (
        "unauthorized_makes",
        "names",
        "Makes whose codes are rejected: unauthorized_client",
    ),
    "answerWith": (
        "answer_with",
        "names",
        "API errors, as TYPE:CODE or TYPE:CODE:STATUS, returned at random to requests about a vehicle",
    ),
    "reauthenticate": ("reauthenticate", "names", "Vehicle or user ids whose account login has expired"),
}


@dataclass(slots=True)
class Faults:
    """The fault switches, all off by default."""

    duplicates: float = 0.0
    disorder: float = 0.0
    delay: float = 0.0
    burst: float = 0.0
    bad_signatures: float = 0.0
    lost_answers: float = 0.0
    slow_answers: float = 0.0
    server_errors: float = 0.0
    rate_limited: float = 0.0
    token_answer_lost: float = 0.0
    slow_commands: float = 0.0
    long_answers: float = 0.0
    command_status: tuple[str, ...] = ()
    stale_bodies: float = 0.0
    lying_units: float = 0.0
    clocks_ahead: float = 0.0
    clocks_frozen: tuple[str, ...] = ()
    outage: tuple[str, ...] = ()
    revoked_permissions: tuple[str, ...] = ()
    virtual_key_missing: tuple[str, ...] = ()
    unauthorized_makes: tuple[str, ...] = ()
    answer_with: tuple[str, ...] = ()
    reauthenticate: tuple[str, ...] = ()
    rng: random.Random = field(default_factory=lambda: random.Random(_SEED), repr=False, compare=False)  # noqa: S311

    def occurs(self, chance: float) -> bool:
        """Return whether a fault with this chance occurs this time."""
        return chance > 0 and self.rng.random() < chance

    def configure(self, switches: Mapping[str, Any]) -> None:
        """Set the named switches.

        Raises:
            ValueError: A name is unknown, or a value has the wrong type.
        """
        values = {name: _value(name, value) for name, value in switches.items()}
        for name, value in values.items():
            setattr(self, SWITCHES[name][0], value)

    def forced_error(self) -> tuple[str, str | None] | None:
        """Return the error for requests about a vehicle, or None."""
        if not self.answer_with:
            return None
        kind, code, *_ = f"{self.rng.choice(self.answer_with)}:".split(":")
        return kind, code or None

    def forced_status(self, kind: str, code: str | None) -> int | None:
        """Return the HTTP status requested with this error, or None for the usual one."""
        for each in self.answer_with:
            named, name, status = f"{each}::".split(":")[:3]
            if (named, name) == (kind, code or "") and status.isdecimal():
                return int(status)
        return None

    def command_outcome(self) -> str:
        """Return the status with which a v3 command ends."""
        return self.rng.choice(self.command_status) if self.command_status else "SUCCESS"

    def clear(self) -> None:
        """Switch all faults off, and draw the same sequence again."""
        for each in fields(self):
            if each.name != "rng":
                setattr(self, each.name, each.default)
        self.rng.seed(_SEED)

    def as_json(self) -> dict[str, Any]:
        """Return every switch by its API name."""
        return {name: getattr(self, attribute) for name, (attribute, _, _) in SWITCHES.items()}


def _value(name: str, value: Any) -> float | tuple[str, ...]:
    if name not in SWITCHES:
        raise ValueError(f"unknown fault: {name}")
    kind = SWITCHES[name][1]
    if kind == "names":
        names = value.replace(",", " ").split() if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(isinstance(each, str) for each in names):
            raise ValueError(f"{name} must be a list of names")
        return tuple(names)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number") from None
    if number < 0 or (kind == "chance" and number > 1):
        raise ValueError(f"{name} must be {'from 0 to 1' if kind == 'chance' else 'seconds, 0 or more'}")
    return number
