"""Asking a car for something, and settling what became of it.

A command is sent at most once, and an unlock never late. An ambiguous answer becomes `unknown` and is settled by
the signal that proves the command (commands.proofs), never by sending again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.doorbell import ring
from accounts.models import User
from commands import calls, parameters, prechecks, proofs
from commands.kinds import LIFETIME, Kind
from commands.models import AWAITING_SIGNAL, Command, State
from commands.selectors import incapable_of
from connect import gateway, lifecycle, vault
from connect.gateway import Prepared, Purpose
from connect.models import Connection
from connect.smartcar import CommandAnswer, CommandOutcome, SmartcarError
from vehicles.models import Vehicle
from vehicles.selectors import states_of
from vehicles.services import Update

CONFIRMATION_LIMIT = timedelta(minutes=15)
# Longer than any call can take: a command still "being sent" after this was left by a process that died.
SENDING_LIMIT = timedelta(seconds=420)


class NotPossibleError(Exception):
    """The command was not even written down; str() says why and what to do, fit for people."""


def request(
    *, vehicle: Vehicle, kind: Kind, user: User, given: Mapping[str, object] | None = None
) -> Command:
    """Writes the command down and rings for its sending. The caller has checked the user's right.

    `given` holds its parameters as a form or JSON carries them (commands.parameters). Raises NotPossibleError
    when they are wrong, the command is refused before it is asked (commands.prechecks), or another command to
    the car is under way.
    """
    try:
        carried = parameters.parse(kind, given or {})
    except parameters.InvalidParametersError as error:
        raise NotPossibleError(str(error)) from None
    connection = _connection_for(vehicle, kind)
    now = timezone.now()
    try:
        with transaction.atomic():
            command = Command.objects.create(
                fleet_id=vehicle.fleet_id,
                vehicle=vehicle,
                connection=connection,
                kind=kind,
                parameters=carried,
                generation=connection.generation,
                requested_by=user,
                requested_at=now,
                expires_at=now + LIFETIME[kind],
            )
            audit.record(
                fleet=connection.fleet,
                actor=user,
                action=f"asked to {kind.replace('_', ' ')}",
                target=vehicle.smartcar_id,
            )
    except IntegrityError:
        raise NotPossibleError(
            "Another command to this car is being sent right now. Wait for its result, then try again."
        ) from None
    ring("commands.tasks.send", command.pk)
    return command


def _connection_for(vehicle: Vehicle, kind: Kind) -> Connection:
    """The connection to ask through. Raises NotPossibleError."""
    connection = lifecycle.usable(vehicle_id=vehicle.pk)
    if connection is None:
        raise NotPossibleError(prechecks.NO_CONNECTION)
    (state,) = states_of(vehicles=[vehicle], signals=prechecks.SIGNALS)
    incapable = incapable_of(vehicle=vehicle, now=timezone.now())
    verdict = prechecks.check(kind=kind, state=state, connection=connection, incapable=incapable)
    if verdict.refusal:
        raise NotPossibleError(verdict.refusal)
    return connection


def send(*, command: Command) -> None:
    """Claims the command and sends it. Does nothing when another process has it or it is too late.

    Tokens are fetched before the claim, so that a token that cannot be had leaves the command unsent.
    """
    connection = command.connection
    if connection is None or not connection.alive:
        _fail(
            command,
            come_from=(State.REQUESTED,),
            message="The car's connection ended meanwhile, so it was not sent. Ask the driver to connect it again.",
        )
        return
    try:
        prepared = gateway.prepare(connection=connection, purpose=Purpose.COMMAND)
    except vault.TokensUnavailableError as error:
        _fail(command, come_from=(State.REQUESTED,), message=str(error))
        return
    except SmartcarError as error:
        _refuse(command, connection, error, come_from=(State.REQUESTED,))
        return
    if command.claim(now=timezone.now()):
        _call(command, prepared)


def _call(command: Command, prepared: Prepared) -> None:
    kind = Kind(command.kind)
    try:
        answer = prepared.send(
            partial(
                calls.send,
                kind=kind,
                vehicle_id=command.vehicle.smartcar_id,
                parameters=command.parameters,
            )
        )
    except SmartcarError as error:
        _refuse(command, prepared.connection, error, come_from=(State.SENDING,))
    except BaseException:
        # Whatever broke here broke after the claim: the car may have heard it.
        _unknown(command, message=f"Sending was interrupted. {proofs.will_tell(kind)}")
        raise
    else:
        _answered(command, answer)


def _answered(command: Command, answer: CommandAnswer) -> None:
    now = timezone.now()
    ids = {"request_id": answer.request_id[:80], "execution_id": answer.execution_id[:80]}
    if answer.outcome is CommandOutcome.FAILURE:
        message = answer.message or "Smartcar reports that the car did not carry it out. Try again."
        _fail(command, come_from=(State.SENDING,), message=message, **ids)
        return
    if not proofs.proof_of(Kind(command.kind)):
        # Nothing will ever confirm it: what is known now is all there will be.
        _settle_unconfirmed(command, come_from=State.SENDING, now=now, accepted_at=now, **ids)
        return
    if not command.move(to=State.ACCEPTED, come_from=(State.SENDING,), now=now, accepted_at=now, **ids):
        # A signal was faster than the answer: the state stands, the ids are still worth keeping.
        Command.objects.filter(pk=command.pk).update(accepted_at=now, **ids)


def _refuse(
    command: Command, connection: Connection, error: SmartcarError, *, come_from: tuple[State, ...]
) -> None:
    now = timezone.now()
    if error.unauthorised:
        gateway.refused_token(connection=connection)
    lifecycle.call_failed(connection=connection, error=error, now=now)
    details = {
        "error_type": error.type[:60],
        "error_code": error.code[:60],
        "request_id": error.request_id[:80],
    }
    if error.ambiguous and State.SENDING in come_from:
        told = proofs.will_tell(Kind(command.kind))
        _unknown(command, message=f"No clear answer came. {told}", **details)
        return
    command.move(
        to=State.REFUSED,
        come_from=come_from,
        now=now,
        settled_at=now,
        message=error.for_people[:300],
        **details,
    )


def _fail(command: Command, *, come_from: tuple[State, ...], message: str, **columns: object) -> None:
    now = timezone.now()
    command.move(
        to=State.FAILED, come_from=come_from, now=now, settled_at=now, message=message[:300], **columns
    )


def _unknown(command: Command, *, message: str, **columns: object) -> None:
    command.move(
        to=State.UNKNOWN, come_from=(State.SENDING,), now=timezone.now(), message=message[:300], **columns
    )


def _settle_unconfirmed(command: Command, *, come_from: State, now: datetime, **columns: object) -> None:
    command.move(
        to=State.UNCONFIRMED,
        come_from=(come_from,),
        now=now,
        settled_at=now,
        message=proofs.not_reported(Kind(command.kind)),
        **columns,
    )


def confirm(*, updates: Iterable[Update], now: datetime) -> int:
    """Settles commands whose proof is among these updates: its signal, of a time after the sending.

    Returns how many were confirmed.
    """
    telling = [update for update in updates if update.code in proofs.PROVING_CODES]
    if not telling:
        return 0
    waiting = Command.objects.filter(
        vehicle_id__in={update.vehicle_id for update in telling}, state__in=AWAITING_SIGNAL
    )
    confirmed = 0
    for command in waiting:
        if any(_proves(update, command) for update in telling):
            confirmed += command.move(
                to=State.CONFIRMED, come_from=AWAITING_SIGNAL, now=now, settled_at=now, message=""
            )
    return confirmed


def _proves(update: Update, command: Command) -> bool:
    proof = proofs.proof_of(Kind(command.kind))
    return (
        proof is not None
        and (update.vehicle_id, update.code) == (command.vehicle_id, proof.signal.code)
        and command.sent_at is not None
        and update.observed_at > command.sent_at
        and proof.shows(update.body, command.parameters)
    )


def sweep(*, now: datetime) -> list[int]:
    """Ends what time has ended, and returns the ids of commands that still wait to be sent."""
    requested = Command.objects.filter(state=State.REQUESTED)
    requested.filter(expires_at__lte=now).update(
        state=State.EXPIRED,
        changed_at=now,
        settled_at=now,
        message="It could not be sent in time, so it was not sent at all. Repeat it if it is still wanted.",
    )
    for command in Command.objects.filter(state=State.SENDING, sent_at__lte=now - SENDING_LIMIT):
        _unknown(command, message=f"Sending was interrupted. {proofs.will_tell(Kind(command.kind))}")
    for command in Command.objects.filter(state=State.ACCEPTED, accepted_at__lte=now - CONFIRMATION_LIMIT):
        _settle_unconfirmed(command, come_from=State.ACCEPTED, now=now)
    return list(requested.filter(expires_at__gt=now).values_list("pk", flat=True))
