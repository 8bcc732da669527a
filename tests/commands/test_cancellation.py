"""Commands of removed members: what wasn't sent is canceled, everything else stays."""

import pytest
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.members.services import remove_member
from accounts.models import AuditLogEntry, Fleet, Membership, Role, User
from accounts.services import add_member
from commands import services
from commands.bulk.models import BulkCommand
from commands.messages import CommandMessage
from commands.models import UNSENT, Command, CommandEvent, CommandState
from commands.types import CommandType
from connect.models import Connection
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db


@pytest.fixture
def command(vehicle: Vehicle, connection: Connection, teammate: User) -> Command:
    """An unlock that the teammate requested."""
    return services.create_command(vehicle=vehicle, kind=CommandType.UNLOCK, user=teammate)


def remove(user: User, fleet: Fleet, owner: User) -> None:
    membership = Membership.objects.select_related("fleet", "user").get(user=user, fleet=fleet)
    remove_member(membership=membership, user=owner)


@pytest.mark.parametrize("state", list(CommandState))
def test_only_unsent_commands_of_a_removed_member_are_canceled(
    command: Command, fleet: Fleet, teammate: User, owner: User, state: CommandState
) -> None:
    Command.objects.update(state=state)
    remove(teammate, fleet, owner)
    command.refresh_from_db()
    assert command.state == (CommandState.CANCELLED if state in UNSENT else state)
    canceled = CommandEvent.objects.filter(command=command, state=CommandState.CANCELLED)
    logged = AuditLogEntry.objects.filter(event=AuditEvent.COMMAND_CANCELED, actor=owner)
    assert canceled.count() == logged.count() == (state in UNSENT)
    if state in UNSENT:
        assert command.message_code == CommandMessage.MEMBER_REMOVED
        assert command.settled_at is not None
        assert not command.claim(now=timezone.now())


def test_a_canceled_command_is_not_sent_after_a_new_invitation(
    command: Command, fleet: Fleet, teammate: User, owner: User
) -> None:
    remove(teammate, fleet, owner)
    add_member(fleet=fleet, user=teammate, role=Role.MANAGER, actor=owner)
    assert not command.claim(now=timezone.now())


def test_commands_of_others_stay(command: Command, fleet: Fleet, viewer: User, owner: User) -> None:
    remove(viewer, fleet, owner)
    command.refresh_from_db()
    assert command.state == CommandState.REQUESTED


def test_queued_rows_of_a_bulk_command_are_canceled_with_it(
    command: Command, fleet: Fleet, teammate: User, owner: User
) -> None:
    now = timezone.now()
    bulk = BulkCommand.objects.create(
        fleet=fleet, kind=command.kind, requested_by=teammate, requested_at=now, expires_at=now
    )
    Command.objects.update(bulk=bulk, state=CommandState.QUEUED)
    remove(teammate, fleet, owner)
    bulk.refresh_from_db()
    command.refresh_from_db()
    assert command.state == CommandState.CANCELLED
    assert bulk.cancelled_at is not None
    entry = AuditLogEntry.objects.get(event=AuditEvent.BULK_COMMAND_CANCELED)
    assert (entry.actor, entry.data["vehicles"]) == (owner, 1)
