"""Commands whose effect can't be shown anymore, since a later command or report took their place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from commands import confirmation, sender
from commands.bulk import progress
from commands.models import BulkCommand, Command, CommandState
from commands.superseding import supersede_older
from commands.types import CommandType
from connect.models import Connection
from smartcar_api import CommandAnswer, CommandOutcome
from vehicles import catalogue
from vehicles.models import Vehicle
from vehicles.services import Update

pytestmark = pytest.mark.django_db
TODAY = datetime(2026, 11, 20, tzinfo=UTC)


def at(time: str) -> datetime:
    """Returns a time of day such as "17:39"."""
    hours, minutes = time.split(":")
    return TODAY + timedelta(hours=int(hours), minutes=int(minutes))


def create(
    vehicle: Vehicle,
    sent: datetime,
    kind: CommandType = CommandType.LOCK,
    state: CommandState = CommandState.ACCEPTED,
    **fields: Any,
) -> Command:
    return Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        kind=kind,
        api_version="v3",
        state=state,
        requested_at=sent,
        expires_at=sent + timedelta(minutes=10),
        claimed_at=sent,
        sent_at=sent,
        **fields,
    )


def report_lock(vehicle: Vehicle, *, locked: bool, time: str) -> int:
    update = Update(vehicle.pk, catalogue.IS_LOCKED.code, {"value": locked}, at(time))
    return confirmation.confirm_from_signals(updates=[update], now=at(time))


def states() -> list[str]:
    return list(Command.objects.order_by("sent_at").values_list("state", flat=True))


@pytest.mark.parametrize("before", [CommandState.ACCEPTED, CommandState.UNCONFIRMED, CommandState.UNKNOWN])
def test_the_effect_of_a_later_command_does_not_confirm_an_older_one(
    vehicle: Vehicle, before: CommandState
) -> None:
    create(vehicle, at("17:39"), state=before)
    create(vehicle, at("17:51"), CommandType.UNLOCK)
    assert report_lock(vehicle, locked=False, time="17:52") == 1
    create(vehicle, at("17:56"))
    assert report_lock(vehicle, locked=True, time="17:57") == 1
    assert states() == [CommandState.SUPERSEDED, CommandState.CONFIRMED, CommandState.CONFIRMED]
    first = Command.objects.earliest("sent_at")
    assert "A later command" in first.message
    assert not first.open
    assert first.settled_at == at("17:52")


def test_one_report_confirms_only_the_later_of_two_equal_commands(vehicle: Vehicle) -> None:
    for time in ("17:39", "17:50"):
        create(vehicle, at(time), state=CommandState.UNKNOWN)
    assert report_lock(vehicle, locked=True, time="17:51") == 1
    assert states() == [CommandState.SUPERSEDED, CommandState.CONFIRMED]


def test_a_report_from_between_two_commands_confirms_the_older_one(vehicle: Vehicle) -> None:
    create(vehicle, at("17:39"), state=CommandState.UNKNOWN)
    create(vehicle, at("17:50"), CommandType.UNLOCK, CommandState.UNKNOWN)
    assert report_lock(vehicle, locked=True, time="17:40") == 1
    assert states() == [CommandState.CONFIRMED, CommandState.UNKNOWN]


@pytest.mark.parametrize("before", [CommandState.ACCEPTED, CommandState.UNCONFIRMED, CommandState.UNKNOWN])
def test_a_contrary_report_supersedes_a_command(vehicle: Vehicle, before: CommandState) -> None:
    create(vehicle, at("17:39"), state=before)
    report_lock(vehicle, locked=False, time="17:41")
    assert states() == [before]  # may still be in progress
    report_lock(vehicle, locked=False, time="17:52")
    assert report_lock(vehicle, locked=True, time="17:57") == 0
    assert states() == [CommandState.SUPERSEDED]
    assert "since reported a different state" in Command.objects.get().message


def test_an_accepted_command_supersedes_the_older_one(vehicle: Vehicle, connection: Connection) -> None:
    now = timezone.now()
    create(vehicle, now - timedelta(minutes=20), state=CommandState.UNCONFIRMED)
    new = create(vehicle, now, CommandType.UNLOCK, CommandState.SENDING)
    sender._on_response(new, CommandAnswer(CommandOutcome.SUCCESS, "", ""))
    assert states() == [CommandState.SUPERSEDED, CommandState.ACCEPTED]


def test_a_rejected_command_supersedes_nothing(vehicle: Vehicle) -> None:
    create(vehicle, at("17:39"))
    create(vehicle, at("17:41"), CommandType.UNLOCK, CommandState.REFUSED)
    assert report_lock(vehicle, locked=True, time="17:42") == 1
    assert states() == [CommandState.CONFIRMED, CommandState.REFUSED]


def test_commands_about_other_states_vehicles_or_schedules_are_not_superseded(
    vehicle: Vehicle,
) -> None:
    other = Vehicle.objects.create(fleet=vehicle.fleet, smartcar_id="other")
    schedule = CommandType.SET_CHARGE_SCHEDULE
    create(vehicle, at("17:30"), CommandType.START_CHARGE)
    create(other, at("17:31"))
    create(vehicle, at("17:32"), schedule, parameters={"latitude": 52.1, "longitude": 13.1})
    create(vehicle, at("17:33"), schedule, parameters={"latitude": 48.1, "longitude": 11.1})
    newest = create(vehicle, at("17:34"), schedule, parameters={"latitude": 52.1, "longitude": 13.1})
    supersede_older(newest, now=at("17:35"))
    supersede_older(create(vehicle, at("17:36")), now=at("17:37"))
    accepted = CommandState.ACCEPTED
    assert states() == [accepted, accepted, CommandState.SUPERSEDED, accepted, accepted, accepted]


def test_an_unknown_command_is_not_open_forever(vehicle: Vehicle) -> None:
    now = timezone.now()
    recent = create(vehicle, now - timedelta(hours=23), state=CommandState.UNKNOWN)
    old = create(vehicle, now - timedelta(hours=25), state=CommandState.UNKNOWN)
    assert (recent.open, old.open) == (True, False)


def test_a_bulk_command_counts_superseded_commands(vehicle: Vehicle, owner: User) -> None:
    bulk = BulkCommand.objects.create(
        fleet=vehicle.fleet,
        kind=CommandType.LOCK,
        requested_by=owner,
        requested_at=at("17:39"),
        expires_at=at("18:00"),
    )
    create(vehicle, at("17:39"), state=CommandState.SUPERSEDED, bulk=bulk)
    result = progress.get_progress(bulk=bulk, now=at("18:00"))
    assert (result.count("superseded"), result.total, result.over) == (1, 1, True)
    assert len(progress.list_commands(bulk=bulk, group="superseded", page="1")) == 1
