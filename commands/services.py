"""Asking a car for something: written down once, with who and why, or refused with the reason."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, User
from commands import parameters, preconditions
from commands.messages import CommandMessage
from commands.models import UNSENT, Command, CommandPolicy, CommandState
from commands.selectors import incapable_command_types
from commands.types import EXPIRY, UNLOCKING, CommandType
from connect import health
from connect.models import Connection
from core.task_queue import enqueue_on_commit
from vehicles.models import Vehicle
from vehicles.selectors import list_states

# How long a command waits for a sleeping car.
WAKE_TIMEOUT = timedelta(hours=12)
MAX_KEY_LENGTH = 80
MAX_REASON_LENGTH = 200


class CommandRejectedError(Exception):
    """The command was not even written down; str() says why and what to do, fit for people."""


class IdempotencyConflictError(CommandRejectedError):
    """The idempotency key was used before for something else."""


class InvalidCommandError(CommandRejectedError):
    """The command was asked for in a way that no car could take; `name` says what of it is to be corrected."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class CreatedCommand:
    """What became of a request: the command, and whether it was written down just now or by the same key before."""

    command: Command
    new: bool


def create_command(
    *,
    vehicle: Vehicle,
    kind: CommandType,
    user: User,
    given: Mapping[str, object] | None = None,
    reason: str = "",
    idempotency_key: str = "",
    when_awake: bool = False,
) -> Command:
    """Writes the command down and rings for its sending: `ask`, where it is all the same whether it is new."""
    return create_idempotent_command(
        vehicle=vehicle,
        kind=kind,
        user=user,
        given=given,
        reason=reason,
        idempotency_key=idempotency_key,
        when_awake=when_awake,
    ).command


def create_idempotent_command(
    *,
    vehicle: Vehicle,
    kind: CommandType,
    user: User,
    given: Mapping[str, object] | None = None,
    reason: str = "",
    idempotency_key: str = "",
    when_awake: bool = False,
) -> CreatedCommand:
    """Writes the command down and rings for its sending. The caller has checked the user's right.

    `given` holds its parameters as a form or JSON carries them (commands.parameters). The same user's same
    `idempotency_key` with the same command returns the row that it made, whatever became of it. `when_awake` holds
    it back until the car's next sign of life, for half a day. Raises KeyReusedError when the key belongs to something
    else, NotUnderstoodError when the parameters are wrong or a reason is missing, and NotPossibleError when the
    command is refused before it is asked (commands.preconditions) or another command to the car is under way.
    """
    carried, reason = _read(kind, given or {}), reason.strip()
    fingerprint = _fingerprint(vehicle, kind, carried, reason, when_awake) if idempotency_key else ""
    if made := _existing(user, idempotency_key, fingerprint):
        return CreatedCommand(made, new=False)
    check_reason(fleet=vehicle.fleet, kind=kind, reason=reason)
    if when_awake and kind in UNLOCKING:
        raise InvalidCommandError(
            _("Unlock commands are sent immediately or not at all. Try again when the vehicle is awake."),
            name="when_awake",
        )
    if when_awake and Command.objects.filter(vehicle=vehicle, kind=kind, state=CommandState.WAITING).exists():
        raise CommandRejectedError(_("This command is already queued until the vehicle wakes."))
    connection = select_connection(vehicle, kind, carried)
    command = _new(vehicle, connection, kind, carried, user, when_awake=when_awake)
    command.reason, command.idempotency_key, command.fingerprint = reason, idempotency_key, fingerprint
    try:
        persist_command(command, user=user)
    except IntegrityError:
        if made := _existing(user, idempotency_key, fingerprint):
            return CreatedCommand(made, new=False)
        raise CommandRejectedError(
            _("Another command is in progress for this vehicle. Wait for its result, then try again.")
        ) from None
    return CreatedCommand(command, new=True)


def retry_when_online(*, command: Command, user: User) -> Command:
    """Asks once more for what a sleeping car refused, to be sent with its next sign of life.

    Raises NotPossibleError, also when the command is not one that waiting can help.
    """
    if not command.may_wait_for_the_car:
        raise CommandRejectedError(
            _(
                "Only commands rejected by a sleeping vehicle can be queued until it wakes. Send a "
                "new command instead."
            )
        )
    return create_command(
        vehicle=command.vehicle,
        kind=CommandType(command.kind),
        user=user,
        given=command.parameters,
        reason=command.reason,
        when_awake=True,
    )


@transaction.atomic
def persist_command(command: Command, *, user: User) -> None:
    """Puts a new command into the ledger and the audit log, and rings if it is to be sent now.

    Raises IntegrityError when another command to the car is under way.
    """
    command.save(force_insert=True)
    command.note_change(to=CommandState(command.state), now=command.requested_at)
    _log(command, AuditEvent.COMMAND_REQUESTED, user)
    if command.state == CommandState.REQUESTED:
        enqueue_on_commit("commands.tasks.send", command.pk)


def cancel_command(*, command: Command, user: User) -> bool:
    """Takes a command back that has not left yet. False when it is too late for that."""
    now = timezone.now()
    with transaction.atomic():
        message = CommandMessage.CANCELED.message(person=str(user))
        cancelled = command.move(
            to=CommandState.CANCELLED, come_from=UNSENT, now=now, settled_at=now, message=message
        )
        if cancelled:
            _log(command, AuditEvent.COMMAND_CANCELED, user)
    return cancelled


def _log(command: Command, event: AuditEvent, user: User) -> None:
    log_event(
        fleet=command.fleet,
        actor=user,
        event=event,
        about=(AuditObject.VEHICLE, command.vehicle.smartcar_id),
        data={"command": command.kind, "command_id": command.pk},
    )


def get_policy(*, fleet: Fleet) -> CommandPolicy:
    """What the fleet asks of those who send commands."""
    return CommandPolicy.objects.filter(fleet=fleet).first() or CommandPolicy(fleet=fleet)


def select_connection(vehicle: Vehicle, kind: CommandType, carried: Mapping[str, object]) -> Connection:
    """The connection to ask through. Raises NotPossibleError with what speaks against the command."""
    connection = health.best_connection(vehicle_id=vehicle.pk)
    if connection is None:
        raise CommandRejectedError(_(preconditions.NO_CONNECTION))
    (state,) = list_states(vehicles=[vehicle], signals=preconditions.SIGNALS)
    incapable = incapable_command_types(vehicle=vehicle, now=timezone.now())
    verdict = preconditions.check(
        kind=kind, state=state, connection=connection, incapable=incapable, carried=carried
    )
    if verdict.refusal:
        raise CommandRejectedError(verdict.refusal)
    return connection


def _read(kind: CommandType, given: Mapping[str, object]) -> parameters.Parameters:
    try:
        return parameters.parse(kind, given)
    except parameters.InvalidParametersError as error:
        raise InvalidCommandError(str(error), name="parameters") from None


def check_reason(*, fleet: Fleet, kind: CommandType, reason: str) -> None:
    """Raises NotUnderstoodError when the fleet's policy asks for a reason that is not given, or it is too long."""
    if len(reason) > MAX_REASON_LENGTH:
        raise InvalidCommandError(
            _("A reason can have up to %(most)d characters. Shorten it.") % {"most": MAX_REASON_LENGTH},
            name="reason",
        )
    if not reason and get_policy(fleet=fleet).needs_reason(kind):
        raise InvalidCommandError(
            _("Your fleet requires a reason for this command. Enter a reason and send the command again."),
            name="reason",
        )


def _new(
    vehicle: Vehicle,
    connection: Connection,
    kind: CommandType,
    carried: parameters.Parameters,
    user: User,
    *,
    when_awake: bool,
) -> Command:
    now = timezone.now()
    return Command(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        connection=connection,
        kind=kind,
        parameters=carried,
        api_version=connection.api_version,
        state=CommandState.WAITING if when_awake else CommandState.REQUESTED,
        requested_by=user,
        requested_at=now,
        expires_at=_expiry(kind, now, when_awake=when_awake),
        changed_at=now,
    )


def _expiry(kind: CommandType, now: datetime, *, when_awake: bool) -> datetime:
    return now + (WAKE_TIMEOUT if when_awake else EXPIRY[kind])


def _fingerprint(
    vehicle: Vehicle, kind: CommandType, carried: parameters.Parameters, reason: str, when_awake: bool
) -> str:
    """What a key stands for: the same words to the same car."""
    asked = [vehicle.fleet_id, vehicle.smartcar_id, kind.value, carried, reason, when_awake]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _existing(user: User, key: str, fingerprint: str) -> Command | None:
    if not key:
        return None
    made = (
        Command.objects.select_related("vehicle", "fleet")
        .filter(requested_by=user, idempotency_key=key)
        .first()
    )
    if made is not None and made.fingerprint != fingerprint:
        raise IdempotencyConflictError(
            _("This idempotency key was already used for a different command. Use a new key.")
        )
    return made
