"""Many cars at once: which can, in what order they go, how they are taken back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, User
from commands import confirmation
from commands.bulk import dispatcher
from commands.bulk import services as asking
from commands.bulk.models import BulkCommand
from commands.models import Command, CommandPolicy, CommandState, ReasonRequirement
from commands.services import CommandRejectedError
from commands.types import CommandType
from connect.applications import services
from connect.applications.models import SmartcarApplication
from connect.applications.services import Secrets
from connect.models import Connection, ConnectionState
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
Cars = Callable[..., list[Vehicle]]


@pytest.fixture
def cars(fleet: Fleet) -> Cars:
    def made(count: int, **connection: object) -> list[Vehicle]:
        start = Vehicle.objects.count()
        vehicles = Vehicle.objects.bulk_create(
            Vehicle(
                fleet=fleet, smartcar_id=f"car-{start + i:04d}", name=f"Car {start + i:04d}", powertrain="BEV"
            )
            for i in range(count)
        )
        given = {"state": ConnectionState.ACTIVE, "api_version": "v3", "mode": "live"} | connection
        Connection.objects.bulk_create(
            Connection(fleet=fleet, vehicle=vehicle, smartcar_user_id="user-1", **given)
            for vehicle in vehicles
        )
        return vehicles

    return made


def ask(
    fleet: Fleet, user: User, vehicles: list[Vehicle], kind: CommandType = CommandType.LOCK
) -> BulkCommand:
    return asking.create_bulk_command(fleet=fleet, user=user, vehicles=vehicles, kind=kind, data={})


def test_a_review_says_who_can_and_why_others_cannot(fleet: Fleet, cars: Cars) -> None:
    able = cars(2)
    ended = cars(1, state=ConnectionState.REMOVED)
    forbidden = cars(1, scopes=["read_battery"])
    found = asking.review_bulk_command(
        fleet=fleet, vehicles=[*able, *ended, *forbidden], kind=CommandType.LOCK, data={}, now=timezone.now()
    )
    assert [candidate.vehicle for candidate in found.eligible] == able
    reasons = [candidate.verdict.refusal for candidate in found.ineligible]
    assert "no working connection" in reasons[0]
    assert "t grant permission to lock and unlock the vehicle" in reasons[1]


def test_what_a_car_could_not_do_this_week_is_known_for_each_of_many(
    fleet: Fleet, owner: User, cars: Cars
) -> None:
    vehicles = cars(2)
    now = timezone.now()
    Command.objects.create(
        fleet=fleet, vehicle=vehicles[0], kind=CommandType.LOCK, api_version="v3", state=CommandState.REFUSED,
        error_type="COMPATIBILITY", requested_at=now, expires_at=now, settled_at=now,
    )  # fmt: skip
    found = asking.review_bulk_command(
        fleet=fleet, vehicles=vehicles, kind=CommandType.LOCK, data={}, now=now
    )
    assert [candidate.vehicle for candidate in found.ineligible] == vehicles[:1]


def test_reviewing_many_cars_takes_as_many_queries_as_reviewing_two(
    fleet: Fleet, cars: Cars, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    vehicles = cars(300)
    with django_assert_max_num_queries(6):
        asking.review_bulk_command(
            fleet=fleet, vehicles=vehicles, kind=CommandType.LOCK, data={}, now=timezone.now()
        )


def test_each_car_gets_a_row_that_waits_for_its_turn(fleet: Fleet, owner: User, cars: Cars) -> None:
    bulk = ask(fleet, owner, cars(3))
    rows = Command.objects.filter(bulk=bulk)
    assert {(row.state, row.requested_by) for row in rows} == {(CommandState.QUEUED, owner)}
    assert all(row.changes.get().state == CommandState.QUEUED for row in rows)
    assert AuditLogEntry.objects.filter(actor=owner, event=AuditEvent.BULK_COMMAND_REQUESTED).exists()


@pytest.mark.parametrize("kind", [CommandType.SET_DESTINATION, CommandType.OPEN_CHARGE_PORT])
def test_not_every_command_is_for_many(fleet: Fleet, owner: User, cars: Cars, kind: CommandType) -> None:
    with pytest.raises(
        CommandRejectedError,
        match="only one vehicle at a time",
    ):
        ask(fleet, owner, cars(1), kind)


def test_nothing_is_asked_without_a_car_that_can(fleet: Fleet, owner: User, cars: Cars) -> None:
    with pytest.raises(CommandRejectedError, match="None of these vehicles can receive"):
        ask(fleet, owner, cars(2, state=ConnectionState.REMOVED))
    assert not BulkCommand.objects.exists()


def test_the_fleets_reason_is_needed_for_many_too(fleet: Fleet, owner: User, cars: Cars) -> None:
    CommandPolicy.objects.create(fleet=fleet, reason_for=ReasonRequirement.EVERYTHING)
    with pytest.raises(
        CommandRejectedError,
        match="requires a reason",
    ):
        ask(fleet, owner, cars(1))


def test_more_unlocks_than_a_minute_holds_are_refused_as_a_whole(
    fleet: Fleet, owner: User, cars: Cars, settings: Settings
) -> None:
    settings.BULK_COMMAND_CONCURRENCY = 1
    with pytest.raises(
        CommandRejectedError, match=r"Only 5 vehicles can be reached in that time now. Choose 2 fewer"
    ):
        ask(fleet, owner, cars(7), CommandType.UNLOCK)
    assert not Command.objects.exists()


def test_as_many_go_as_may_be_under_way_and_the_rest_in_order_as_places_become_free(
    fleet: Fleet, owner: User, cars: Cars, settings: Settings
) -> None:
    settings.BULK_COMMAND_CONCURRENCY = 2
    vehicles = cars(5)
    bulk = ask(fleet, owner, vehicles)
    gone: list[str] = []
    for _ in range(4):
        dispatcher.dispatch_queued(now=timezone.now())
        assert dispatcher.dispatch_queued(now=timezone.now()) == 0
        under_way = Command.objects.filter(bulk=bulk, state=CommandState.REQUESTED).order_by("pk")
        gone += [command.vehicle.name for command in under_way.select_related("vehicle")]
        under_way.update(state=CommandState.ACCEPTED)
    assert gone == [vehicle.name for vehicle in vehicles]


def test_fleets_of_two_applications_share_the_places(
    fleet: Fleet, owner: User, outsider: User, cars: Cars, settings: Settings
) -> None:
    red = Fleet.objects.get(slug="red")
    other = services.save_application(
        row=SmartcarApplication(name="Other", application_id="other", client_id="other"),
        secrets=Secrets(application_secret="s", client_secret="s", management_tokens=()),
    )
    services.choose_application(fleet=red, application=other, actor=outsider)
    ask(fleet, owner, cars(5))
    reds = cars(5)
    Vehicle.objects.filter(pk__in=[car.pk for car in reds]).update(fleet=red)
    Connection.objects.filter(vehicle__in=reds).update(fleet=red)
    ask(red, outsider, list(Vehicle.objects.filter(fleet=red).select_related("fleet")))
    settings.BULK_COMMAND_CONCURRENCY = 4
    assert dispatcher.dispatch_queued(now=timezone.now()) == 4
    gone = Command.objects.filter(state=CommandState.REQUESTED)
    assert (gone.filter(fleet=fleet).count(), gone.filter(fleet=red).count()) == (2, 2)
    settings.BULK_COMMAND_CONCURRENCY = 1
    gone.filter(fleet=red).update(state=CommandState.ACCEPTED)
    assert dispatcher.dispatch_queued(now=timezone.now()) == 0


def test_the_bucket_is_not_emptied_for_many(
    fleet: Fleet, owner: User, cars: Cars, settings: Settings
) -> None:
    settings.SMARTCAR_REQUEST_BUCKET, settings.SMARTCAR_REQUEST_REFILL = 13, 2
    ask(fleet, owner, cars(8))
    assert dispatcher.dispatch_queued(now=timezone.now()) == 3


def test_a_car_with_a_command_under_way_waits_and_holds_up_nobody(
    fleet: Fleet, owner: User, cars: Cars, settings: Settings
) -> None:
    vehicles = cars(3)
    now = timezone.now()
    Command.objects.create(
        fleet=fleet, vehicle=vehicles[0], kind=CommandType.UNLOCK, api_version="v3", state=CommandState.SENDING,
        requested_at=now, expires_at=now, claimed_at=now,
    )  # fmt: skip
    ask(fleet, owner, vehicles)
    assert dispatcher.dispatch_queued(now=timezone.now()) == 2
    Command.objects.filter(kind=CommandType.UNLOCK).update(state=CommandState.CONFIRMED)
    assert dispatcher.dispatch_queued(now=timezone.now()) == 1


def test_a_command_whose_turn_comes_has_its_usual_time_and_not_the_rest_of_the_bulks(
    fleet: Fleet, owner: User, cars: Cars
) -> None:
    bulk = ask(fleet, owner, cars(1))
    BulkCommand.objects.update(expires_at=bulk.expires_at + timedelta(hours=9))
    Command.objects.update(expires_at=bulk.expires_at + timedelta(hours=9))
    dispatcher.dispatch_queued(now=timezone.now())
    left = Command.objects.get().expires_at - timezone.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)


def test_unlocks_whose_turn_has_not_come_within_a_minute_are_never_sent(
    fleet: Fleet, owner: User, cars: Cars
) -> None:
    ask(fleet, owner, cars(3), CommandType.UNLOCK)
    later = timezone.now() + timedelta(seconds=61)
    confirmation.sweep(now=later)
    assert dispatcher.dispatch_queued(now=later) == 0
    assert set(Command.objects.values_list("state", flat=True)) == {CommandState.EXPIRED}


def test_what_is_not_sent_is_taken_back_and_what_is_stays(
    fleet: Fleet, owner: User, teammate: User, cars: Cars
) -> None:
    bulk = ask(fleet, owner, cars(4))
    sent = Command.objects.filter(bulk=bulk).order_by("pk")[:2]
    Command.objects.filter(pk__in=[command.pk for command in sent]).update(state=CommandState.SENDING)
    assert asking.cancel_bulk_command(bulk=bulk, user=teammate) == 2
    states = list(Command.objects.order_by("pk").values_list("state", flat=True))
    assert states == [CommandState.SENDING] * 2 + [CommandState.CANCELLED] * 2
    assert AuditLogEntry.objects.filter(actor=teammate, event=AuditEvent.BULK_COMMAND_CANCELED).exists()
