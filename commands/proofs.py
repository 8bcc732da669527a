"""Which signal proves that a car did what it was asked for. No database.

A command's answer does not carry the car's new state; a later signal does ("Commands").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from commands.kinds import Kind
from vehicles import catalogue
from vehicles.catalogue import Signal

Body = Mapping[str, Any]
Parameters = Mapping[str, int | float]
# Limits come as fractions from some cars.
_ROUNDING = 0.5


@dataclass(frozen=True, slots=True)
class Proof:
    """The signal to wait for, its name within a sentence, and whether its body shows what was asked for."""

    signal: Signal
    name: str
    shows: Callable[[Body, Parameters], bool]


def proof_of(kind: Kind) -> Proof | None:
    """What proves the command, or None if cars report nothing of it."""
    return _PROOFS.get(kind)


def _is(expected: bool) -> Callable[[Body, Parameters], bool]:
    return lambda body, parameters: body.get("value") is expected


def _limited(body: Body, parameters: Parameters) -> bool:
    """The limit in force, or one that holds everywhere: one of a place elsewhere proves nothing."""
    everywhere = [entry["limit"] for entry in body.get("values", ()) if entry.get("type") == "GLOBAL"]
    limits = [body.get("activeLimit"), *everywhere]
    return any(limit is not None and abs(limit - parameters["percent"]) < _ROUNDING for limit in limits)


_PROOFS = {
    Kind.LOCK: Proof(catalogue.IS_LOCKED, "lock", _is(True)),
    Kind.UNLOCK: Proof(catalogue.IS_LOCKED, "lock", _is(False)),
    Kind.START_CHARGE: Proof(catalogue.IS_CHARGING, "charging", _is(True)),
    Kind.STOP_CHARGE: Proof(catalogue.IS_CHARGING, "charging", _is(False)),
    Kind.SET_CHARGE_LIMIT: Proof(catalogue.CHARGE_LIMITS, "charge limit", _limited),
    Kind.OPEN_CHARGE_PORT: Proof(catalogue.CHARGE_PORT_OPEN, "charge port", _is(True)),
    Kind.CLOSE_CHARGE_PORT: Proof(catalogue.CHARGE_PORT_OPEN, "charge port", _is(False)),
}
PROVING_CODES = frozenset(proof.signal.code for proof in _PROOFS.values())


def will_tell(kind: Kind) -> str:
    """What settles a command of which no clear answer came, as a sentence."""
    proof = proof_of(kind)
    if proof is None:
        return "No signal of the car will tell: look at its screen, or ask its driver."
    return f"The car's next {proof.name} signal will tell."


def not_reported(kind: Kind) -> str:
    """Why an accepted command stays without its proof, and what to do."""
    proof = proof_of(kind)
    if proof is None:
        return "The car took it. Cars do not report this, so nothing will confirm it: its screen shows it."
    return f"The car accepted it, but has not reported its {proof.name} since. Look at the car, or read it again."
