"""The states of commands, with a fake for Smartcar's responses where a response is needed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, User
from commands import confirmation, expected_signals, sender, services
from commands.models import Command, CommandState
from commands.types import EXPIRY, CommandType
from connect import token_store
from connect.applications import Application
from connect.models import Connection, ConnectionState
from smartcar_api import Access, CommandAnswer, CommandOutcome, SmartcarError
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from vehicles.services import Update

pytestmark = pytest.mark.django_db


class FakeVehicle:
    """A fake vehicle API that records commands and returns the given answer."""

    def __init__(self, answer: CommandAnswer | Exception) -> None:
        self.answer = answer
        self.received: list[str] = []

    def lock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        return self._record("lock")

    def unlock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        return self._record("unlock")

    def set_charge_limit(self, access: Access, *, vehicle_id: str, percent: int) -> CommandAnswer:
        return self._record(f"limit {percent}")

    def set_destination(
        self, access: Access, *, vehicle_id: str, latitude: float, longitude: float
    ) -> CommandAnswer:
        return self._record(f"go to {latitude} {longitude}")

    def _record(self, command: str) -> CommandAnswer:
        self.received.append(command)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


DONE = CommandAnswer(outcome=CommandOutcome.SUCCESS, execution_id="exec_1", request_id="req_1")


@pytest.fixture
def fake_vehicle(monkeypatch: pytest.MonkeyPatch) -> Callable[[CommandAnswer | Exception], FakeVehicle]:
    def install(answer: CommandAnswer | Exception) -> FakeVehicle:
        fake_vehicle = FakeVehicle(answer)
        monkeypatch.setattr(Application, "api", lambda application, api_version: fake_vehicle)
        monkeypatch.setattr(token_store, "access", lambda *, connection: Access(token="t", user_id="user-1"))
        return fake_vehicle

    return install


def create(vehicle: Vehicle, user: User, kind: CommandType = CommandType.LOCK) -> Command:
    return services.create_command(vehicle=vehicle, kind=kind, user=user)


def lock_update(command: Command, *, locked: bool, at: datetime) -> Update:
    return Update(command.vehicle_id, catalogue.IS_LOCKED.code, {"value": locked}, at)


def state(command: Command) -> str:
    command.refresh_from_db()
    return command.state


def test_a_command_is_stored_and_enqueued(
    vehicle: Vehicle, connection: Connection, owner: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        command = create(vehicle, owner)
    assert (command.state, len(callbacks)) == (CommandState.REQUESTED, 2)  # the task, and the open pages
    assert AuditLogEntry.objects.filter(actor=owner, event=AuditEvent.COMMAND_REQUESTED).exists()


def test_a_vehicle_without_a_working_connection_gets_no_command(vehicle: Vehicle, owner: User) -> None:
    with pytest.raises(services.CommandRejectedError, match="no working connection"):
        create(vehicle, owner)


def test_a_second_command_while_one_is_in_progress_is_rejected(
    vehicle: Vehicle, connection: Connection, owner: User, teammate: User
) -> None:
    create(vehicle, owner)
    with pytest.raises(services.CommandRejectedError, match="Another command"):
        create(vehicle, teammate, CommandType.UNLOCK)
    assert Command.objects.count() == 1


def test_an_accepted_command_waits_for_confirmation(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command, fake = create(vehicle, owner), fake_vehicle(DONE)
    sender.send(command=command)
    assert state(command) == CommandState.ACCEPTED
    assert (command.execution_id, fake.received) == ("exec_1", ["lock"])


def test_a_command_whose_task_runs_twice_is_sent_once(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command, fake = create(vehicle, owner, CommandType.UNLOCK), fake_vehicle(DONE)
    sender.send(command=command)
    sender.send(command=command)
    assert fake.received == ["unlock"]


def test_an_expired_unlock_is_never_sent(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command, fake = create(vehicle, owner, CommandType.UNLOCK), fake_vehicle(DONE)
    Command.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    sender.send(command=command)
    assert fake.received == []
    assert confirmation.sweep(now=timezone.now()) == []
    assert state(command) == CommandState.EXPIRED


@pytest.mark.parametrize("ended", [ConnectionState.REMOVED, ConnectionState.NEEDS_REAUTHENTICATION])
def test_a_command_is_not_sent_over_a_connection_that_ended_meanwhile(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    fake_vehicle: Callable[..., FakeVehicle],
    ended: ConnectionState,
) -> None:
    command, fake = create(vehicle, owner, CommandType.UNLOCK), fake_vehicle(DONE)
    connection.move_to(ended, now=timezone.now())
    sender.send(command=Command.objects.get(pk=command.pk))
    assert fake.received == []
    assert state(command) == CommandState.FAILED


def test_an_unlock_expires_after_a_minute_and_a_lock_after_ten(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = create(vehicle, owner, CommandType.UNLOCK)
    assert command.expires_at - command.requested_at == timedelta(seconds=60) == EXPIRY[CommandType.UNLOCK]
    assert EXPIRY[CommandType.LOCK] == timedelta(minutes=10)


def test_a_command_without_a_response_is_unknown_and_not_sent_again(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command, fake = (
        create(vehicle, owner, CommandType.UNLOCK),
        fake_vehicle(SmartcarError(type="NO_ANSWER", code="TIMEOUT")),
    )
    sender.send(command=command)
    sender.send(command=command)
    assert state(command) == CommandState.UNKNOWN
    assert fake.received == ["unlock"]


def test_a_rejection_has_our_message_and_smartcars(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command = create(vehicle, owner)
    fake_vehicle(
        SmartcarError(
            type="VEHICLE_STATE", code="DOOR_OPEN", status=409, suggested_user_message="A door is open."
        )
    )
    sender.send(command=command)
    assert state(command) == CommandState.REFUSED
    assert (command.error_code, command.original) == ("DOOR_OPEN", "A door is open.")
    assert "Close all doors and the trunk" in command.message


def test_a_failure_in_the_body_is_a_failure(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command = create(vehicle, owner)
    fake_vehicle(CommandAnswer(outcome=CommandOutcome.FAILURE, execution_id="e", request_id="r"))
    sender.send(command=command)
    assert state(command) == CommandState.FAILED


def test_an_unexpected_error_after_the_claim_is_unknown(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command = create(vehicle, owner, CommandType.UNLOCK)
    fake_vehicle(RuntimeError("broken"))
    with pytest.raises(RuntimeError):
        sender.send(command=command)
    assert state(command) == CommandState.UNKNOWN


@pytest.mark.parametrize(("kind", "locked"), [(CommandType.LOCK, True), (CommandType.UNLOCK, False)])
@pytest.mark.parametrize("before", [CommandState.SENDING, CommandState.ACCEPTED, CommandState.UNKNOWN])
def test_a_later_signal_confirms(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    kind: CommandType,
    locked: bool,
    before: CommandState,
) -> None:
    command = create(vehicle, owner, kind)
    now = timezone.now()
    Command.objects.update(state=before, sent_at=now)
    assert (
        confirmation.confirm_from_signals(
            updates=[lock_update(command, locked=locked, at=now + timedelta(seconds=2))], now=now
        )
        == 1
    )
    assert state(command) == CommandState.CONFIRMED


@pytest.mark.parametrize(
    ("locked", "seconds"),
    [(False, 2), (True, -2)],
    ids=["the opposite state", "a state from before sending"],
)
def test_unrelated_signals_do_not_confirm(
    vehicle: Vehicle, connection: Connection, owner: User, locked: bool, seconds: int
) -> None:
    command = create(vehicle, owner)
    now = timezone.now()
    Command.objects.update(state=CommandState.ACCEPTED, sent_at=now)
    at = now + timedelta(seconds=seconds)
    assert (
        confirmation.confirm_from_signals(updates=[lock_update(command, locked=locked, at=at)], now=now) == 0
    )
    assert state(command) == CommandState.ACCEPTED


def test_a_limit_is_sent_with_its_percentage_and_confirmed_by_that_limit_only(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    Vehicle.objects.update(powertrain="BEV")
    vehicle.refresh_from_db()
    fake = fake_vehicle(DONE)
    command = services.create_command(
        vehicle=vehicle, kind=CommandType.SET_CHARGE_LIMIT, user=owner, data={"percent": "80"}
    )
    sender.send(command=command)
    assert (fake.received, command.title) == (["limit 80"], "Charge limit 80%")
    later = timezone.now() + timedelta(seconds=1)
    elsewhere = {"type": "LOCATION", "limit": 80}
    everywhere = {"type": "GLOBAL", "limit": 80}
    for body, confirmed in (
        ({"values": [elsewhere], "activeLimit": 70}, 0),
        ({"values": [everywhere], "activeLimit": 90}, 1),
    ):
        update = Update(vehicle.pk, catalogue.CHARGE_LIMITS.code, body, later)
        assert confirmation.confirm_from_signals(updates=[update], now=later) == confirmed


def test_a_destination_ends_unconfirmed_because_no_signal_exists(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    fake = fake_vehicle(DONE)
    place = {"latitude": "52.5", "longitude": "13.4"}
    command = services.create_command(
        vehicle=vehicle, kind=CommandType.SET_DESTINATION, user=owner, data=place
    )
    sender.send(command=command)
    assert (fake.received, state(command)) == (["go to 52.5 13.4"], CommandState.UNCONFIRMED)
    assert "t report this" in command.message
    assert command.settled_at


def test_a_destination_without_a_response_does_not_announce_a_signal(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    fake_vehicle(SmartcarError(type="NO_ANSWER", code="TIMEOUT"))
    place = {"latitude": 52.5, "longitude": 13.4}
    command = services.create_command(
        vehicle=vehicle, kind=CommandType.SET_DESTINATION, user=owner, data=place
    )
    sender.send(command=command)
    assert state(command) == CommandState.UNKNOWN
    assert "t be confirmed remotely. Check the vehicle" in command.message


def test_a_charging_signal_does_not_confirm_a_lock(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    create(vehicle, owner)
    now = timezone.now()
    Command.objects.update(state=CommandState.ACCEPTED, sent_at=now)
    update = Update(vehicle.pk, catalogue.IS_CHARGING.code, {"value": True}, now + timedelta(seconds=2))
    assert confirmation.confirm_from_signals(updates=[update], now=now) == 0


def test_a_signal_that_arrives_before_the_response_confirms(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    fake_vehicle: Callable[..., FakeVehicle],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command, fake = create(vehicle, owner), fake_vehicle(DONE)
    original = fake.lock

    def lock_and_report(access: Access, *, vehicle_id: str) -> CommandAnswer:
        answer = original(access, vehicle_id=vehicle_id)
        later = timezone.now() + timedelta(seconds=1)
        confirmation.confirm_from_signals(updates=[lock_update(command, locked=True, at=later)], now=later)
        return answer

    monkeypatch.setattr(fake, "lock", lock_and_report)
    sender.send(command=command)
    assert state(command) == CommandState.CONFIRMED
    assert command.execution_id == "exec_1"


def test_an_accepted_command_without_its_signal_ends_unconfirmed(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = create(vehicle, owner)
    long_ago = timezone.now() - confirmation.CONFIRMATION_TIMEOUT - timedelta(seconds=1)
    Command.objects.update(state=CommandState.ACCEPTED, sent_at=long_ago, accepted_at=long_ago)
    confirmation.sweep(now=timezone.now())
    assert state(command) == CommandState.UNCONFIRMED
    assert "t reported its lock status since. Check the vehicle or refresh its data" in command.message


@pytest.mark.parametrize("locked", [True, False])
def test_an_unconfirmed_command_explains_that_the_state_was_already_reached(
    vehicle: Vehicle, connection: Connection, owner: User, locked: bool
) -> None:
    command = create(vehicle, owner)
    long_ago = timezone.now() - confirmation.CONFIRMATION_TIMEOUT - timedelta(seconds=1)
    before = long_ago - timedelta(hours=1)
    LatestSignal.objects.create(
        vehicle=vehicle,
        code=catalogue.IS_LOCKED.code,
        body={"value": locked},
        status="SUCCESS",
        observed_at=before,
        reported_at=before,
    )
    Command.objects.update(state=CommandState.ACCEPTED, sent_at=long_ago, accepted_at=long_ago)
    confirmation.sweep(now=timezone.now())
    assert state(command) == CommandState.UNCONFIRMED
    assert ("Accepted. The vehicle was already in this state, so it won" in command.message) is locked


def test_reasons_for_missing_signals_are_loaded_in_one_batch(
    fleet: Fleet, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    vehicles = [Vehicle.objects.create(fleet=fleet, smartcar_id=str(number)) for number in range(5)]
    times = {"requested_at": timezone.now(), "expires_at": timezone.now()}
    commands = [
        Command.objects.create(fleet=fleet, vehicle=vehicle, kind=CommandType.LOCK, api_version="v3", **times)
        for vehicle in vehicles
    ]
    with django_assert_num_queries(2):
        messages = confirmation._unconfirmed_reasons(commands)
    assert messages == [expected_signals.not_reported_message(CommandType.LOCK)] * 5


def test_a_command_of_a_killed_process_becomes_unknown(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = create(vehicle, owner, CommandType.UNLOCK)
    long_ago = timezone.now() - confirmation.SENDING_TIMEOUT - timedelta(seconds=1)
    Command.objects.update(state=CommandState.SENDING, claimed_at=long_ago, sent_at=long_ago)
    assert confirmation.sweep(now=timezone.now()) == []
    assert state(command) == CommandState.UNKNOWN


def test_a_command_claimed_but_never_sent_fails(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = create(vehicle, owner, CommandType.UNLOCK)
    long_ago = timezone.now() - confirmation.SENDING_TIMEOUT - timedelta(seconds=1)
    Command.objects.update(state=CommandState.SENDING, claimed_at=long_ago)
    confirmation.sweep(now=timezone.now())
    assert state(command) == CommandState.FAILED
    assert "interrupted before the command was sent" in command.message


def test_the_sweeper_returns_commands_whose_task_was_lost(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = create(vehicle, owner)
    assert confirmation.sweep(now=timezone.now()) == [command.pk]


def test_every_state_is_recorded_with_its_time(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command = create(vehicle, owner)
    fake_vehicle(DONE)
    sender.send(command=command)
    later = timezone.now() + timedelta(seconds=1)
    confirmation.confirm_from_signals(updates=[lock_update(command, locked=True, at=later)], now=later)
    states = [CommandState.REQUESTED, CommandState.SENDING, CommandState.ACCEPTED, CommandState.CONFIRMED]
    assert [change.state for change in command.changes.all()] == states
    times = [change.at for change in command.changes.all()]
    assert times == sorted(times)
