"""The ledger's rules, against a stand-in for Smartcar's answers where an answer is needed."""

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
from commands.types import EXPIRY, IDEMPOTENT, CommandType
from connect import token_store
from connect.applications import Application
from connect.models import Connection, ConnectionState
from smartcar_api import Access, CommandAnswer, CommandOutcome, SmartcarError
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from vehicles.services import Update

pytestmark = pytest.mark.django_db


class Car:
    """Counts what reaches it and answers as told."""

    def __init__(self, answer: CommandAnswer | Exception) -> None:
        self.answer = answer
        self.heard: list[str] = []

    def lock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        return self._hear("lock")

    def unlock(self, access: Access, *, vehicle_id: str) -> CommandAnswer:
        return self._hear("unlock")

    def set_charge_limit(self, access: Access, *, vehicle_id: str, percent: int) -> CommandAnswer:
        return self._hear(f"limit {percent}")

    def set_destination(
        self, access: Access, *, vehicle_id: str, latitude: float, longitude: float
    ) -> CommandAnswer:
        return self._hear(f"go to {latitude} {longitude}")

    def _hear(self, what: str) -> CommandAnswer:
        self.heard.append(what)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


DONE = CommandAnswer(outcome=CommandOutcome.SUCCESS, execution_id="exec_1", request_id="req_1")


@pytest.fixture
def car(monkeypatch: pytest.MonkeyPatch) -> Callable[[CommandAnswer | Exception], Car]:
    def answering(answer: CommandAnswer | Exception) -> Car:
        car = Car(answer)
        monkeypatch.setattr(Application, "api", lambda application, api_version: car)
        monkeypatch.setattr(token_store, "access", lambda *, connection: Access(token="t", user_id="user-1"))
        return car

    return answering


def asked(vehicle: Vehicle, user: User, kind: CommandType = CommandType.LOCK) -> Command:
    return services.create_command(vehicle=vehicle, kind=kind, user=user)


def proof(command: Command, *, locked: bool, at: datetime) -> Update:
    return Update(command.vehicle_id, catalogue.IS_LOCKED.code, {"value": locked}, at)


def state(command: Command) -> str:
    command.refresh_from_db()
    return command.state


def test_a_command_is_written_down_and_rung_for(
    vehicle: Vehicle, connection: Connection, owner: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        command = asked(vehicle, owner)
    assert (command.state, len(callbacks)) == (CommandState.REQUESTED, 2)  # the bell, and the open pages
    assert AuditLogEntry.objects.filter(actor=owner, event=AuditEvent.COMMAND_REQUESTED).exists()


def test_a_car_without_a_working_connection_takes_no_command(vehicle: Vehicle, owner: User) -> None:
    with pytest.raises(services.CommandRejectedError, match="no working connection"):
        asked(vehicle, owner)


def test_a_second_command_while_one_is_under_way_is_refused(
    vehicle: Vehicle, connection: Connection, owner: User, teammate: User
) -> None:
    asked(vehicle, owner)
    with pytest.raises(services.CommandRejectedError, match="Another command"):
        asked(vehicle, teammate, CommandType.UNLOCK)
    assert Command.objects.count() == 1


def test_an_accepted_command_waits_for_the_car(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command, ledger_car = asked(vehicle, owner), car(DONE)
    sender.send(command=command)
    assert state(command) == CommandState.ACCEPTED
    assert (command.execution_id, ledger_car.heard) == ("exec_1", ["lock"])


def test_a_command_whose_task_runs_twice_is_sent_once(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command, ledger_car = asked(vehicle, owner, CommandType.UNLOCK), car(DONE)
    sender.send(command=command)
    sender.send(command=command)
    assert ledger_car.heard == ["unlock"]


def test_an_expired_unlock_is_never_sent(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command, ledger_car = asked(vehicle, owner, CommandType.UNLOCK), car(DONE)
    Command.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    sender.send(command=command)
    assert ledger_car.heard == []
    assert confirmation.sweep(now=timezone.now()) == []
    assert state(command) == CommandState.EXPIRED


@pytest.mark.parametrize("ended", [ConnectionState.REMOVED, ConnectionState.NEEDS_REAUTHENTICATION])
def test_a_command_is_not_sent_through_a_connection_that_ended_meanwhile(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car], ended: ConnectionState
) -> None:
    command, ledger_car = asked(vehicle, owner, CommandType.UNLOCK), car(DONE)
    connection.move_to(ended, now=timezone.now())
    sender.send(command=Command.objects.get(pk=command.pk))
    assert ledger_car.heard == []
    assert state(command) == CommandState.FAILED


def test_an_unlock_lives_a_minute_and_a_lock_ten(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = asked(vehicle, owner, CommandType.UNLOCK)
    assert command.expires_at - command.requested_at == timedelta(seconds=60) == EXPIRY[CommandType.UNLOCK]
    assert EXPIRY[CommandType.LOCK] == timedelta(minutes=10)


def test_a_lost_answer_is_unknown_and_not_sent_again(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command, ledger_car = (
        asked(vehicle, owner, CommandType.UNLOCK),
        car(SmartcarError(type="NO_ANSWER", code="TIMEOUT")),
    )
    sender.send(command=command)
    sender.send(command=command)
    assert state(command) == CommandState.UNKNOWN
    assert ledger_car.heard == ["unlock"]


def test_a_refusal_says_why_in_words_for_people(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command = asked(vehicle, owner)
    car(
        SmartcarError(
            type="VEHICLE_STATE", code="DOOR_OPEN", status=409, suggested_user_message="A door is open."
        )
    )
    sender.send(command=command)
    assert state(command) == CommandState.REFUSED
    assert (command.error_code, command.message) == ("DOOR_OPEN", "A door is open.")


def test_a_failure_in_the_body_is_a_failure(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command = asked(vehicle, owner)
    car(CommandAnswer(outcome=CommandOutcome.FAILURE, execution_id="e", request_id="r"))
    sender.send(command=command)
    assert state(command) == CommandState.FAILED


def test_an_unexpected_break_after_the_claim_is_unknown(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command = asked(vehicle, owner, CommandType.UNLOCK)
    car(RuntimeError("broken"))
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
    command = asked(vehicle, owner, kind)
    now = timezone.now()
    Command.objects.update(state=before, sent_at=now)
    assert (
        confirmation.confirm_from_signals(
            updates=[proof(command, locked=locked, at=now + timedelta(seconds=2))], now=now
        )
        == 1
    )
    assert state(command) == CommandState.CONFIRMED


@pytest.mark.parametrize(
    ("locked", "seconds"),
    [(False, 2), (True, -2)],
    ids=["the opposite state", "a state from before the sending"],
)
def test_what_proves_nothing_confirms_nothing(
    vehicle: Vehicle, connection: Connection, owner: User, locked: bool, seconds: int
) -> None:
    command = asked(vehicle, owner)
    now = timezone.now()
    Command.objects.update(state=CommandState.ACCEPTED, sent_at=now)
    at = now + timedelta(seconds=seconds)
    assert confirmation.confirm_from_signals(updates=[proof(command, locked=locked, at=at)], now=now) == 0
    assert state(command) == CommandState.ACCEPTED


def test_a_limit_is_sent_with_its_percentage_and_confirmed_by_that_limit_only(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    Vehicle.objects.update(powertrain="BEV")
    vehicle.refresh_from_db()
    ledger_car = car(DONE)
    command = services.create_command(
        vehicle=vehicle, kind=CommandType.SET_CHARGE_LIMIT, user=owner, data={"percent": "80"}
    )
    sender.send(command=command)
    assert (ledger_car.heard, command.title) == (["limit 80"], "Charge limit 80 %")
    later = timezone.now() + timedelta(seconds=1)
    elsewhere = {"type": "LOCATION", "limit": 80}
    everywhere = {"type": "GLOBAL", "limit": 80}
    for body, confirmed in (
        ({"values": [elsewhere], "activeLimit": 70}, 0),
        ({"values": [everywhere], "activeLimit": 90}, 1),
    ):
        update = Update(vehicle.pk, catalogue.CHARGE_LIMITS.code, body, later)
        assert confirmation.confirm_from_signals(updates=[update], now=later) == confirmed


def test_a_destination_ends_as_accepted_since_nothing_will_confirm_it(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    ledger_car = car(DONE)
    place = {"latitude": "52.5", "longitude": "13.4"}
    command = services.create_command(
        vehicle=vehicle, kind=CommandType.SET_DESTINATION, user=owner, data=place
    )
    sender.send(command=command)
    assert (ledger_car.heard, state(command)) == (["go to 52.5 13.4"], CommandState.UNCONFIRMED)
    assert "t report this" in command.message
    assert command.settled_at


def test_a_lost_answer_to_a_destination_is_not_said_to_be_settled_by_a_signal(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    car(SmartcarError(type="NO_ANSWER", code="TIMEOUT"))
    place = {"latitude": 52.5, "longitude": 13.4}
    command = services.create_command(
        vehicle=vehicle, kind=CommandType.SET_DESTINATION, user=owner, data=place
    )
    sender.send(command=command)
    assert state(command) == CommandState.UNKNOWN
    assert "t be confirmed remotely. Check the vehicle" in command.message


def test_a_charging_signal_settles_no_lock(vehicle: Vehicle, connection: Connection, owner: User) -> None:
    asked(vehicle, owner)
    now = timezone.now()
    Command.objects.update(state=CommandState.ACCEPTED, sent_at=now)
    update = Update(vehicle.pk, catalogue.IS_CHARGING.code, {"value": True}, now + timedelta(seconds=2))
    assert confirmation.confirm_from_signals(updates=[update], now=now) == 0


def test_a_signal_faster_than_the_answer_keeps_its_word(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    car: Callable[..., Car],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command, ledger_car = asked(vehicle, owner), car(DONE)
    honest = ledger_car.lock

    def lock_and_report(access: Access, *, vehicle_id: str) -> CommandAnswer:
        answer = honest(access, vehicle_id=vehicle_id)
        later = timezone.now() + timedelta(seconds=1)
        confirmation.confirm_from_signals(updates=[proof(command, locked=True, at=later)], now=later)
        return answer

    monkeypatch.setattr(ledger_car, "lock", lock_and_report)
    sender.send(command=command)
    assert state(command) == CommandState.CONFIRMED
    assert command.execution_id == "exec_1"


def test_an_accepted_command_without_its_signal_ends_unconfirmed(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = asked(vehicle, owner)
    long_ago = timezone.now() - confirmation.CONFIRMATION_TIMEOUT - timedelta(seconds=1)
    Command.objects.update(state=CommandState.ACCEPTED, sent_at=long_ago, accepted_at=long_ago)
    confirmation.sweep(now=timezone.now())
    assert state(command) == CommandState.UNCONFIRMED
    assert "t reported its lock status since. Check the vehicle or refresh its data" in command.message


@pytest.mark.parametrize("locked", [True, False])
def test_an_accepted_command_for_what_the_car_was_already_says_why_no_signal_came(
    vehicle: Vehicle, connection: Connection, owner: User, locked: bool
) -> None:
    command = asked(vehicle, owner)
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


def test_why_no_signal_came_is_found_out_for_all_cars_at_once(
    fleet: Fleet, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cars = [Vehicle.objects.create(fleet=fleet, smartcar_id=str(number)) for number in range(5)]
    times = {"requested_at": timezone.now(), "expires_at": timezone.now()}
    commands = [
        Command.objects.create(fleet=fleet, vehicle=car, kind=CommandType.LOCK, api_version="v3", **times)
        for car in cars
    ]
    with django_assert_num_queries(2):
        told = confirmation._unconfirmed_reasons(commands)
    assert told == [expected_signals.not_reported_message(CommandType.LOCK)] * 5


def test_a_command_that_a_dead_process_left_behind_becomes_unknown(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = asked(vehicle, owner, CommandType.UNLOCK)
    long_ago = timezone.now() - confirmation.SENDING_TIMEOUT - timedelta(seconds=1)
    Command.objects.update(state=CommandState.SENDING, claimed_at=long_ago, sent_at=long_ago)
    assert confirmation.sweep(now=timezone.now()) == []
    assert state(command) == CommandState.UNKNOWN


def test_a_claim_that_never_came_to_the_sending_has_failed_for_certain(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = asked(vehicle, owner, CommandType.UNLOCK)
    long_ago = timezone.now() - confirmation.SENDING_TIMEOUT - timedelta(seconds=1)
    Command.objects.update(state=CommandState.SENDING, claimed_at=long_ago)
    confirmation.sweep(now=timezone.now())
    assert state(command) == CommandState.FAILED
    assert "interrupted before the command was sent" in command.message


def test_the_sweeper_names_what_a_lost_doorbell_left_unsent(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = asked(vehicle, owner)
    assert confirmation.sweep(now=timezone.now()) == [command.pk]


def test_every_state_is_written_down_with_its_time(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command = asked(vehicle, owner)
    car(DONE)
    sender.send(command=command)
    later = timezone.now() + timedelta(seconds=1)
    confirmation.confirm_from_signals(updates=[proof(command, locked=True, at=later)], now=later)
    states = [CommandState.REQUESTED, CommandState.SENDING, CommandState.ACCEPTED, CommandState.CONFIRMED]
    assert [change.state for change in command.changes.all()] == states
    times = [change.at for change in command.changes.all()]
    assert times == sorted(times)


LOST = SmartcarError(type="NO_ANSWER", code="TIMEOUT")


def due_again() -> None:
    Command.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))


def test_a_lock_without_an_answer_is_tried_again_after_a_pause(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command, ledger_car = asked(vehicle, owner), car(LOST)
    sender.send(command=command)
    assert state(command) == CommandState.RETRYING
    sender.send(command=command)
    assert ledger_car.heard == ["lock"]
    due_again()
    assert confirmation.sweep(now=timezone.now()) == [command.pk]
    ledger_car.answer = DONE
    sender.send(command=command)
    assert (ledger_car.heard, state(command)) == (["lock", "lock"], CommandState.ACCEPTED)


def test_a_lock_is_tried_three_times_at_most(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command, ledger_car = asked(vehicle, owner), car(LOST)
    for _ in range(5):
        sender.send(command=command)
        due_again()
    assert (len(ledger_car.heard), state(command)) == (sender.MAX_ATTEMPTS, CommandState.UNKNOWN)


def test_a_lock_is_not_tried_again_once_its_signal_has_come(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command, ledger_car = asked(vehicle, owner), car(LOST)
    sender.send(command=command)
    later = timezone.now() + timedelta(seconds=1)
    assert confirmation.confirm_from_signals(updates=[proof(command, locked=True, at=later)], now=later) == 1
    due_again()
    sender.send(command=command)
    assert (ledger_car.heard, state(command)) == (["lock"], CommandState.CONFIRMED)


def test_a_lock_that_may_have_been_heard_and_was_refused_later_stays_open(
    vehicle: Vehicle, connection: Connection, owner: User, car: Callable[..., Car]
) -> None:
    command, ledger_car = asked(vehicle, owner), car(LOST)
    sender.send(command=command)
    due_again()
    Command.objects.update(attempts=sender.MAX_ATTEMPTS - 1)
    ledger_car.answer = SmartcarError(type="VEHICLE_STATE", code="DOOR_OPEN", status=409)
    sender.send(command=command)
    assert state(command) == CommandState.UNKNOWN
    assert "a door is open" in command.message


@pytest.mark.parametrize("kind", [kind for kind in CommandType if kind not in (CommandType.LOCK,)])
def test_nothing_but_a_lock_is_ever_tried_again(kind: CommandType) -> None:
    assert kind not in IDEMPOTENT


def test_a_car_in_doubt_is_read_a_few_times_with_growing_pauses(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    car: Callable[..., Car],
) -> None:
    command = asked(vehicle, owner, CommandType.UNLOCK)
    car(LOST)
    sender.send(command=command)
    now, asked_reads = timezone.now(), []
    for minutes in (0.2, 1, 2, 8, 40, 80):
        confirmation.sweep(now=now + timedelta(minutes=minutes))
        asked_reads.append(Connection.objects.filter(fetch_due_at__isnull=False).update(fetch_due_at=None))
    assert (asked_reads, state(command)) == ([0, 1, 0, 1, 1, 0], CommandState.UNKNOWN)


def test_the_opposite_signal_of_much_later_ends_what_was_unknown(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = asked(vehicle, owner, CommandType.UNLOCK)
    now = timezone.now()
    Command.objects.update(state=CommandState.UNKNOWN, claimed_at=now, sent_at=now)
    too_early = now + confirmation.EXECUTION_TIMEOUT - timedelta(seconds=1)
    confirmation.confirm_from_signals(updates=[proof(command, locked=True, at=too_early)], now=too_early)
    assert state(command) == CommandState.UNKNOWN
    later = now + confirmation.EXECUTION_TIMEOUT + timedelta(seconds=1)
    confirmation.confirm_from_signals(updates=[proof(command, locked=True, at=later)], now=later)
    assert state(command) == CommandState.FAILED
    assert "since reported a different lock status" in command.message


def test_a_signal_of_the_day_after_next_proves_nothing_any_more(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = asked(vehicle, owner, CommandType.UNLOCK)
    now = timezone.now()
    Command.objects.update(state=CommandState.UNKNOWN, claimed_at=now, sent_at=now)
    later = now + timedelta(hours=30)
    assert confirmation.confirm_from_signals(updates=[proof(command, locked=False, at=later)], now=later) == 0
