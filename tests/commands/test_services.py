"""Creating, rejecting, canceling and delaying commands."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, User
from commands import confirmation, services
from commands.models import Command, CommandPolicy, CommandState, ReasonRequirement
from commands.services import CommandRejectedError, IdempotencyConflictError
from commands.types import CommandType
from connect.models import Connection
from vehicles import catalogue
from vehicles.models import Vehicle
from vehicles.services import Update

pytestmark = pytest.mark.django_db


@pytest.fixture
def create_command(vehicle: Vehicle, connection: Connection, owner: User) -> Callable[..., Command]:
    def create(kind: CommandType = CommandType.LOCK, user: User = owner, **fields: Any) -> Command:
        return services.create_command(vehicle=vehicle, kind=kind, user=user, **fields)

    return create


def test_the_same_key_with_the_same_command_is_the_same_row(create_command: Callable[..., Command]) -> None:
    first = create_command(idempotency_key="k-1", reason="Left open")
    assert create_command(idempotency_key="k-1", reason="Left open ").pk == first.pk
    assert Command.objects.count() == 1


def test_the_same_key_returns_the_same_row_after_it_is_final(create_command: Callable[..., Command]) -> None:
    first = create_command(CommandType.UNLOCK, idempotency_key="k-1")
    Command.objects.update(state=CommandState.EXPIRED)
    assert create_command(CommandType.UNLOCK, idempotency_key="k-1").state == CommandState.EXPIRED
    assert Command.objects.get() == first


@pytest.mark.parametrize(
    "other", [{"kind": CommandType.UNLOCK}, {"reason": "Another"}, {"when_online": True}]
)
def test_the_same_key_with_another_command_is_rejected(
    create_command: Callable[..., Command], other: dict[str, Any]
) -> None:
    create_command(idempotency_key="k-1")
    with pytest.raises(IdempotencyConflictError, match="already used"):
        create_command(**{"idempotency_key": "k-1", **other})
    assert Command.objects.count() == 1


def test_two_users_may_use_the_same_key(create_command: Callable[..., Command], teammate: User) -> None:
    create_command(idempotency_key="k-1")
    Command.objects.update(state=CommandState.EXPIRED)
    create_command(idempotency_key="k-1", user=teammate)
    assert Command.objects.count() == 2


@pytest.mark.parametrize(
    ("rule", "kind", "needed"),
    [
        (ReasonRequirement.NOTHING, CommandType.UNLOCK, False),
        (ReasonRequirement.UNLOCK, CommandType.UNLOCK, True),
        (ReasonRequirement.UNLOCK, CommandType.LOCK, False),
        (ReasonRequirement.EVERYTHING, CommandType.LOCK, True),
    ],
)
def test_a_fleet_may_require_a_reason(
    create_command: Callable[..., Command],
    vehicle: Vehicle,
    rule: ReasonRequirement,
    kind: CommandType,
    needed: bool,
) -> None:
    CommandPolicy.objects.create(fleet=vehicle.fleet, reason_for=rule)
    if needed:
        with pytest.raises(
            CommandRejectedError,
            match="requires a reason",
        ):
            create_command(kind, reason="  ")
        assert not Command.objects.exists()
    assert create_command(kind, reason="The driver lost the key").reason == "The driver lost the key"


def test_a_command_can_be_canceled_before_it_is_sent(
    create_command: Callable[..., Command], teammate: User
) -> None:
    command = create_command()
    assert services.cancel_command(command=command, user=teammate)
    command.refresh_from_db()
    assert (command.state, command.message) == (CommandState.CANCELLED, f"Canceled by {teammate}.")
    assert AuditLogEntry.objects.filter(actor=teammate, event=AuditEvent.COMMAND_CANCELED).exists()


@pytest.mark.parametrize(
    "state", [CommandState.SENDING, CommandState.RETRYING, CommandState.ACCEPTED, CommandState.CONFIRMED]
)
def test_a_sent_command_cannot_be_canceled(
    create_command: Callable[..., Command], owner: User, state: CommandState
) -> None:
    command = create_command()
    Command.objects.update(state=state)
    assert not services.cancel_command(command=command, user=owner)


def report_signal(command: Command, *, seconds: float) -> None:
    at = command.requested_at + timedelta(seconds=seconds)
    update = Update(command.vehicle_id, catalogue.ODOMETER.code, {"value": 7}, at, contact_at=at)
    confirmation.on_signals(updates=[update], now=timezone.now())


def test_a_command_for_a_sleeping_vehicle_is_sent_after_its_next_signal(
    create_command: Callable[..., Command],
) -> None:
    command = create_command(when_online=True)
    assert (command.state, confirmation.sweep(now=timezone.now())) == (CommandState.WAITING, [])
    report_signal(command, seconds=-1)
    command.refresh_from_db()
    assert command.state == CommandState.WAITING
    report_signal(command, seconds=1)
    command.refresh_from_db()
    assert command.state == CommandState.REQUESTED
    assert command.expires_at <= timezone.now() + timedelta(minutes=10)


def test_a_value_retrieved_later_without_contact_does_not_release_a_waiting_command(
    create_command: Callable[..., Command],
) -> None:
    command = create_command(when_online=True)
    at = command.requested_at + timedelta(seconds=5)
    update = Update(command.vehicle_id, catalogue.ODOMETER.code, {"value": 7}, at)
    confirmation.on_signals(updates=[update], now=timezone.now())
    command.refresh_from_db()
    assert command.state == CommandState.WAITING


def test_a_waiting_command_expires_if_the_vehicle_does_not_wake(
    create_command: Callable[..., Command],
) -> None:
    command = create_command(when_online=True)
    confirmation.sweep(now=command.requested_at + services.WAKE_TIMEOUT + timedelta(seconds=1))
    command.refresh_from_db()
    assert command.state == CommandState.EXPIRED


def test_another_command_may_be_sent_first_while_one_waits(create_command: Callable[..., Command]) -> None:
    waiting, other = create_command(when_online=True), create_command(CommandType.UNLOCK)
    report_signal(waiting, seconds=1)
    waiting.refresh_from_db()
    assert (waiting.state, other.state) == (CommandState.WAITING, CommandState.REQUESTED)


def test_an_unlock_cannot_wait_for_the_vehicle_to_wake(create_command: Callable[..., Command]) -> None:
    with pytest.raises(
        CommandRejectedError,
        match="sent immediately or not at all",
    ):
        create_command(CommandType.UNLOCK, when_online=True)


@pytest.mark.parametrize(
    ("kind", "code", "offered"),
    [
        (CommandType.LOCK, "ASLEEP", True),
        (CommandType.LOCK, "UNREACHABLE", True),
        (CommandType.LOCK, "DOOR_OPEN", False),
        (CommandType.UNLOCK, "ASLEEP", False),
    ],
)
def test_waiting_is_offered_for_a_sleeping_vehicle(
    create_command: Callable[..., Command], kind: CommandType, code: str, offered: bool
) -> None:
    command = create_command(kind)
    command.state, command.error_type, command.error_code = CommandState.REFUSED, "VEHICLE_STATE", code
    assert command.can_retry_when_online is offered
