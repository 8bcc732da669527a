"""Creating commands: stored once, with member and reason, or rejected with an explanation."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import ApiToken, Fleet, User
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

# How long a command waits for a sleeping vehicle.
WAKE_TIMEOUT = timedelta(hours=12)
MAX_KEY_LENGTH = 80
MAX_REASON_LENGTH = 200


class CommandRejectedError(Exception):
    """The command was rejected and not stored. str() explains why and what to do, for users."""


class IdempotencyConflictError(CommandRejectedError):
    """The idempotency key was already used for a different request."""


class InvalidCommandError(CommandRejectedError):
    """The request is invalid for any vehicle; `name` is the field to correct."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class CreatedCommand:
    """A command, and whether it is new or was already created with the same idempotency key."""

    command: Command
    new: bool


def create_command(
    *,
    vehicle: Vehicle,
    kind: CommandType,
    user: User,
    data: Mapping[str, object] | None = None,
    reason: str = "",
    idempotency_key: str = "",
    when_online: bool = False,
    anyway: bool = True,
) -> Command:
    """Creates a command like create_idempotent_command, and returns it whether or not it is new."""
    return create_idempotent_command(
        vehicle=vehicle,
        kind=kind,
        user=user,
        data=data,
        reason=reason,
        idempotency_key=idempotency_key,
        when_online=when_online,
        anyway=anyway,
    ).command


def create_idempotent_command(
    *,
    vehicle: Vehicle,
    kind: CommandType,
    user: User | None,
    service_account: ApiToken | None = None,
    data: Mapping[str, object] | None = None,
    reason: str = "",
    idempotency_key: str = "",
    when_online: bool = False,
    anyway: bool = True,
) -> CreatedCommand:
    """Stores the command and enqueues its sending. The caller has checked the permission.

    The requester is the user, or without one the service account. `data` contains the parameters from a form or JSON
    (commands.parameters). If the requester repeats an `idempotency_key` with the same command, the existing row is
    returned, whatever its state. With `when_online`, the command waits up to 12 hours until the vehicle reports.
    Without `anyway`, an obstacle rejects the command, too (commands.preconditions). Raises IdempotencyConflictError if
    the key belongs to a different request, InvalidCommandError if parameters are invalid or a reason is missing, and
    CommandRejectedError if a precondition rejects the command or another command to the vehicle is in progress.
    """
    params, reason = _parse(kind, data or {}), reason.strip()
    fingerprint = _fingerprint(vehicle, kind, params, reason, when_online) if idempotency_key else ""
    requester = {"requested_by": user, "requested_by_account": service_account}
    if existing := _existing(requester, idempotency_key, fingerprint):
        return CreatedCommand(existing, new=False)
    check_reason(fleet=vehicle.fleet, kind=kind, reason=reason)
    if when_online and kind in UNLOCKING:
        raise InvalidCommandError(
            _("Unlock commands are sent immediately or not at all. Try again when the vehicle is awake."),
            name="when_awake",
        )
    if (
        when_online
        and Command.objects.filter(vehicle=vehicle, kind=kind, state=CommandState.WAITING).exists()
    ):
        raise CommandRejectedError(_("This command is already queued until the vehicle wakes."))
    connection = select_connection(vehicle, kind, params, anyway=anyway)
    command = _new(vehicle, connection, kind, params, when_online=when_online)
    command.requested_by, command.requested_by_account = user, service_account
    command.reason, command.idempotency_key, command.fingerprint = reason, idempotency_key, fingerprint
    try:
        persist_command(command)
    except IntegrityError:
        if existing := _existing(requester, idempotency_key, fingerprint):
            return CreatedCommand(existing, new=False)
        raise CommandRejectedError(
            _("Another command is in progress for this vehicle. Wait for its result, then try again.")
        ) from None
    return CreatedCommand(command, new=True)


def retry_when_online(*, command: Command, user: User) -> Command:
    """Repeats a command that a sleeping vehicle rejected, to be sent as soon as the vehicle reports.

    Raises CommandRejectedError, also if waiting wouldn't help this command.
    """
    if not command.can_retry_when_online:
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
        data=command.parameters,
        reason=command.reason,
        when_online=True,
    )


@transaction.atomic
def persist_command(command: Command) -> None:
    """Stores a new command and its audit log entry, and enqueues it if it is to be sent now.

    Raises IntegrityError if another command to the vehicle is in progress.
    """
    command.save(force_insert=True)
    command.log_transition(to=CommandState(command.state), now=command.requested_at)
    _log(command, AuditEvent.COMMAND_REQUESTED, command.requested_by, command.requested_by_account)
    if command.state == CommandState.REQUESTED:
        enqueue_on_commit("commands.tasks.send", command.pk)


def cancel_command(*, command: Command, user: User | None, service_account: ApiToken | None = None) -> bool:
    """Cancels a command that wasn't sent yet, for the user or the service account. Returns False if it is too late."""
    now = timezone.now()
    with transaction.atomic():
        message = CommandMessage.CANCELED.message(person=str(user or service_account))
        cancelled = command.transition(
            to=CommandState.CANCELLED, from_states=UNSENT, now=now, settled_at=now, message=message
        )
        if cancelled:
            _log(command, AuditEvent.COMMAND_CANCELED, user, service_account)
    return cancelled


def _log(command: Command, event: AuditEvent, user: User | None, service_account: ApiToken | None) -> None:
    log_event(
        fleet=command.fleet,
        actor=user,
        event=event,
        about=(AuditObject.VEHICLE, command.vehicle.smartcar_id),
        data={"command": command.kind, "command_id": command.pk}
        | ({"service_account": str(service_account)} if service_account else {}),
    )


def get_policy(*, fleet: Fleet) -> CommandPolicy:
    """Returns the fleet's policy on reasons for commands."""
    return CommandPolicy.objects.filter(fleet=fleet).first() or CommandPolicy(fleet=fleet)


def select_connection(
    vehicle: Vehicle, kind: CommandType, params: Mapping[str, object], *, anyway: bool = True
) -> Connection:
    """Returns the connection to send through.

    Raises CommandRejectedError if a precondition rejects the command, or without `anyway` an obstacle does.
    """
    connection = health.best_connection(vehicle_id=vehicle.pk)
    if connection is None:
        raise CommandRejectedError(_(preconditions.NO_CONNECTION))
    (state,) = list_states(vehicles=[vehicle], signals=preconditions.SIGNALS)
    incapable = incapable_command_types(vehicle=vehicle, now=timezone.now())
    verdict = preconditions.check(
        kind=kind, state=state, connection=connection, incapable=incapable, params=params
    )
    if reason := verdict.refusal if anyway else verdict.reason:
        raise CommandRejectedError(reason)
    return connection


def _parse(kind: CommandType, data: Mapping[str, object]) -> parameters.Parameters:
    try:
        return parameters.parse(kind, data)
    except parameters.InvalidParametersError as error:
        raise InvalidCommandError(str(error), name="parameters") from None


def check_reason(*, fleet: Fleet, kind: CommandType, reason: str) -> None:
    """Raises InvalidCommandError if the reason is too long, or missing although the fleet's policy requires one."""
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
    params: parameters.Parameters,
    *,
    when_online: bool,
) -> Command:
    now = timezone.now()
    return Command(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        connection=connection,
        kind=kind,
        parameters=params,
        api_version=connection.api_version,
        state=CommandState.WAITING if when_online else CommandState.REQUESTED,
        requested_at=now,
        expires_at=_expiry(kind, now, when_online=when_online),
        changed_at=now,
    )


def _expiry(kind: CommandType, now: datetime, *, when_online: bool) -> datetime:
    return now + (WAKE_TIMEOUT if when_online else EXPIRY[kind])


def _fingerprint(
    vehicle: Vehicle, kind: CommandType, params: parameters.Parameters, reason: str, when_online: bool
) -> str:
    """Returns a hash of the request that identifies what a key was used for."""
    request = [vehicle.fleet_id, vehicle.smartcar_id, kind.value, params, reason, when_online]
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _existing(requester: Mapping[str, object], key: str, fingerprint: str) -> Command | None:
    if not key:
        return None
    sent = Command.objects.select_related("vehicle", "fleet").filter(**requester)
    existing = sent.filter(idempotency_key=key).first()
    if existing is not None and existing.fingerprint != fingerprint:
        raise IdempotencyConflictError(
            _("This idempotency key was already used for a different command. Use a new key.")
        )
    return existing
