"""What is written down, what is not, and what is taken back or held back."""

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
def ask(vehicle: Vehicle, connection: Connection, owner: User) -> Callable[..., Command]:
    def asked(kind: CommandType = CommandType.LOCK, user: User = owner, **given: Any) -> Command:
        return services.create_command(vehicle=vehicle, kind=kind, user=user, **given)

    return asked


def test_the_same_key_with_the_same_command_is_the_same_row(ask: Callable[..., Command]) -> None:
    first = ask(idempotency_key="k-1", reason="Left open")
    assert ask(idempotency_key="k-1", reason="Left open ").pk == first.pk
    assert Command.objects.count() == 1


def test_the_same_key_gives_the_same_row_even_after_its_end(ask: Callable[..., Command]) -> None:
    first = ask(CommandType.UNLOCK, idempotency_key="k-1")
    Command.objects.update(state=CommandState.EXPIRED)
    assert ask(CommandType.UNLOCK, idempotency_key="k-1").state == CommandState.EXPIRED
    assert Command.objects.get() == first


@pytest.mark.parametrize(
    "other", [{"kind": CommandType.UNLOCK}, {"reason": "Another"}, {"when_online": True}]
)
def test_the_same_key_with_another_command_is_refused(
    ask: Callable[..., Command], other: dict[str, Any]
) -> None:
    ask(idempotency_key="k-1")
    with pytest.raises(IdempotencyConflictError, match="already used"):
        ask(**{"idempotency_key": "k-1", **other})
    assert Command.objects.count() == 1


def test_two_people_may_choose_the_same_key(ask: Callable[..., Command], teammate: User) -> None:
    ask(idempotency_key="k-1")
    Command.objects.update(state=CommandState.EXPIRED)
    ask(idempotency_key="k-1", user=teammate)
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
def test_a_fleet_may_ask_for_a_reason(
    ask: Callable[..., Command], vehicle: Vehicle, rule: ReasonRequirement, kind: CommandType, needed: bool
) -> None:
    CommandPolicy.objects.create(fleet=vehicle.fleet, reason_for=rule)
    if needed:
        with pytest.raises(
            CommandRejectedError,
            match="requires a reason",
        ):
            ask(kind, reason="  ")
        assert not Command.objects.exists()
    assert ask(kind, reason="The driver lost the key").reason == "The driver lost the key"


def test_a_command_is_cancelled_before_it_is_sent(ask: Callable[..., Command], teammate: User) -> None:
    command = ask()
    assert services.cancel_command(command=command, user=teammate)
    command.refresh_from_db()
    assert (command.state, command.message) == (CommandState.CANCELLED, f"Canceled by {teammate}.")
    assert AuditLogEntry.objects.filter(actor=teammate, event=AuditEvent.COMMAND_CANCELED).exists()


@pytest.mark.parametrize(
    "state", [CommandState.SENDING, CommandState.RETRYING, CommandState.ACCEPTED, CommandState.CONFIRMED]
)
def test_what_has_been_sent_cannot_be_cancelled(
    ask: Callable[..., Command], owner: User, state: CommandState
) -> None:
    command = ask()
    Command.objects.update(state=state)
    assert not services.cancel_command(command=command, user=owner)


def woken(command: Command, *, seconds: float) -> None:
    at = command.requested_at + timedelta(seconds=seconds)
    update = Update(command.vehicle_id, catalogue.ODOMETER.code, {"value": 7}, at)
    confirmation.on_signals(updates=[update], now=timezone.now())


def test_a_command_for_a_sleeping_car_is_sent_with_its_next_sign_of_life(
    ask: Callable[..., Command],
) -> None:
    command = ask(when_online=True)
    assert (command.state, confirmation.sweep(now=timezone.now())) == (CommandState.WAITING, [])
    woken(command, seconds=-1)
    command.refresh_from_db()
    assert command.state == CommandState.WAITING
    woken(command, seconds=1)
    command.refresh_from_db()
    assert command.state == CommandState.REQUESTED
    assert command.expires_at <= timezone.now() + timedelta(minutes=10)


def test_a_sleeping_car_that_does_not_wake_leaves_the_command_unsent(ask: Callable[..., Command]) -> None:
    command = ask(when_online=True)
    confirmation.sweep(now=command.requested_at + services.WAKE_TIMEOUT + timedelta(seconds=1))
    command.refresh_from_db()
    assert command.state == CommandState.EXPIRED


def test_another_command_may_be_sent_while_one_waits_and_goes_first(ask: Callable[..., Command]) -> None:
    waiting, other = ask(when_online=True), ask(CommandType.UNLOCK)
    woken(waiting, seconds=1)
    waiting.refresh_from_db()
    assert (waiting.state, other.state) == (CommandState.WAITING, CommandState.REQUESTED)


def test_an_unlock_does_not_wait_for_a_car_to_wake(ask: Callable[..., Command]) -> None:
    with pytest.raises(
        CommandRejectedError,
        match="sent immediately or not at all",
    ):
        ask(CommandType.UNLOCK, when_online=True)


@pytest.mark.parametrize(
    ("kind", "code", "offered"),
    [
        (CommandType.LOCK, "ASLEEP", True),
        (CommandType.LOCK, "UNREACHABLE", True),
        (CommandType.LOCK, "DOOR_OPEN", False),
        (CommandType.UNLOCK, "ASLEEP", False),
    ],
)
def test_waiting_is_offered_for_a_car_that_sleeps(
    ask: Callable[..., Command], kind: CommandType, code: str, offered: bool
) -> None:
    command = ask(kind)
    command.state, command.error_type, command.error_code = CommandState.REFUSED, "VEHICLE_STATE", code
    assert command.can_retry_when_online is offered
