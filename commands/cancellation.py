"""Canceling many commands at once that weren't sent yet."""

from collections import Counter
from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.members import departures
from accounts.models import ApiToken, Fleet, Membership, User
from accounts.permissions import Permission
from accounts.tokens.services import on_revocation
from commands.bulk.models import BulkCommand
from commands.messages import CommandMessage, message_columns
from commands.models import UNSENT, Command, CommandEvent, CommandState
from core import pubsub
from core.message_codes import Message
from core.pubsub import Channel


def register() -> None:
    """Registers the cancellation of commands of members and service accounts that may no longer send any."""
    departures.register(cancel_commands_of_member, right=Permission.COMMAND)
    on_revocation(cancel_commands_of_account)


def cancel_rows(*, rows: Mapping[int, int], fleet_id: int, message: Message) -> None:
    """Cancels these commands of the fleet, given as command ID: vehicle ID. The caller has locked them."""
    now, columns = timezone.now(), message_columns(message)
    Command.objects.filter(pk__in=rows).update(
        state=CommandState.CANCELLED, changed_at=now, settled_at=now, **columns
    )
    CommandEvent.objects.bulk_create(
        CommandEvent(command_id=pk, state=CommandState.CANCELLED, at=now, **columns) for pk in rows
    )
    pubsub.publish_on_commit(channel=Channel.COMMANDS, vehicles={fleet_id: set(rows.values())})


@transaction.atomic
def cancel_commands_of_member(*, fleet: Fleet, user: User, actor: User) -> None:
    """Cancels what the user requested in the fleet and wasn't sent yet, also in bulk commands. Logs each of them."""
    member = Membership.objects.filter(fleet=fleet, user=user).exists()
    code = CommandMessage.MEMBER_NOT_ALLOWED if member else CommandMessage.MEMBER_REMOVED
    requested = Command.objects.filter(fleet=fleet, requested_by=user)
    _cancel_unsent(requested, fleet_id=fleet.pk, message=code.message(person=str(user)), actor=actor)


@transaction.atomic
def cancel_commands_of_account(*, token: ApiToken, actor: User) -> None:
    """Cancels what a service account requested and wasn't sent yet. What a user's token requested is the user's."""
    if token.is_service_account:
        requested = Command.objects.filter(fleet=token.fleet_id, requested_by_account=token)
        message = CommandMessage.MEMBER_NOT_ALLOWED.message(person=token.name)
        _cancel_unsent(requested, fleet_id=token.fleet_id, message=message, actor=actor)


def _cancel_unsent(requested: QuerySet[Command], *, fleet_id: int, message: Message, actor: User) -> None:
    # Waits for a worker that is claiming one: what was claimed meanwhile no longer matches.
    unsent = requested.filter(state__in=UNSENT).order_by("pk")
    found = list(unsent.select_for_update(of=("self",)).select_related("vehicle"))
    if not found:
        return
    rows = {command.pk: command.vehicle_id for command in found}
    cancel_rows(rows=rows, fleet_id=fleet_id, message=message)
    for command in found:
        if command.bulk_id is None:
            _log_single(command, actor)
    counts = Counter(command.bulk_id for command in found if command.bulk_id is not None)
    _cancel_bulk(BulkCommand.objects.filter(pk__in=counts), counts, actor)


def _log_single(command: Command, actor: User) -> None:
    log_event(
        fleet=command.fleet,
        actor=actor,
        event=AuditEvent.COMMAND_CANCELED,
        about=(AuditObject.VEHICLE, command.vehicle.smartcar_id),
        data={"command": command.kind, "command_id": command.pk},
    )


def _cancel_bulk(commands: QuerySet[BulkCommand], counts: Mapping[int, int], actor: User) -> None:
    commands.filter(cancelled_at=None).update(cancelled_at=timezone.now())
    for bulk in commands.select_related("fleet"):
        log_event(
            fleet=bulk.fleet,
            actor=actor,
            event=AuditEvent.BULK_COMMAND_CANCELED,
            about=(AuditObject.BULK_COMMAND, bulk.pk),
            data={"command": bulk.kind, "vehicles": counts[bulk.pk]},
        )
