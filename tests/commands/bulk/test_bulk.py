"""Bulk commands: eligible vehicles, the order of sending, and canceling."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, User
from commands import confirmation
from commands.bulk import dispatcher
from commands.bulk import services as bulk_services
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
CreateVehicles = Callable[..., list[Vehicle]]


@pytest.fixture
def create_vehicles(fleet: Fleet) -> CreateVehicles:
    def create(count: int, **connection: object) -> list[Vehicle]:
        start = Vehicle.objects.count()
        vehicles = Vehicle.objects.bulk_create(
            Vehicle(
                fleet=fleet, smartcar_id=f"car-{start + i:04d}", name=f"Car {start + i:04d}", powertrain="BEV"
            )
            for i in range(count)
        )
        fields = {"state": ConnectionState.ACTIVE, "api_version": "v3", "mode": "live"} | connection
        Connection.objects.bulk_create(
            Connection(fleet=fleet, vehicle=vehicle, smartcar_user_id="user-1", **fields)
            for vehicle in vehicles
        )
        return vehicles

    return create


def create_bulk_command(
    fleet: Fleet, user: User, vehicles: list[Vehicle], kind: CommandType = CommandType.LOCK
) -> BulkCommand:
    return bulk_services.create_bulk_command(fleet=fleet, user=user, vehicles=vehicles, kind=kind, data={})


def test_a_review_lists_eligible_and_ineligible_vehicles_with_reasons(
    fleet: Fleet, create_vehicles: CreateVehicles
) -> None:
    eligible = create_vehicles(2)
    ended = create_vehicles(1, state=ConnectionState.REMOVED)
    forbidden = create_vehicles(1, scopes=["read_battery"])
    review = bulk_services.review_bulk_command(
        fleet=fleet,
        vehicles=[*eligible, *ended, *forbidden],
        kind=CommandType.LOCK,
        data={},
        now=timezone.now(),
    )
    assert [candidate.vehicle for candidate in review.eligible] == eligible
    reasons = [candidate.verdict.refusal for candidate in review.ineligible]
    assert "no working connection" in reasons[0]
    assert "t grant permission to lock and unlock the vehicle" in reasons[1]


def test_vehicles_known_as_incapable_are_ineligible(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles
) -> None:
    vehicles = create_vehicles(2)
    now = timezone.now()
    Command.objects.create(
        fleet=fleet, vehicle=vehicles[0], kind=CommandType.LOCK, api_version="v3", state=CommandState.REFUSED,
        error_type="COMPATIBILITY", requested_at=now, expires_at=now, settled_at=now,
    )  # fmt: skip
    review = bulk_services.review_bulk_command(
        fleet=fleet, vehicles=vehicles, kind=CommandType.LOCK, data={}, now=now
    )
    assert [candidate.vehicle for candidate in review.ineligible] == vehicles[:1]


def test_a_review_of_many_vehicles_needs_few_queries(
    fleet: Fleet, create_vehicles: CreateVehicles, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    vehicles = create_vehicles(300)
    with django_assert_max_num_queries(6):
        bulk_services.review_bulk_command(
            fleet=fleet, vehicles=vehicles, kind=CommandType.LOCK, data={}, now=timezone.now()
        )


def test_each_vehicle_gets_a_queued_command(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(3))
    rows = Command.objects.filter(bulk=bulk)
    assert {(row.state, row.requested_by) for row in rows} == {(CommandState.QUEUED, owner)}
    assert all(row.changes.get().state == CommandState.QUEUED for row in rows)
    assert AuditLogEntry.objects.filter(actor=owner, event=AuditEvent.BULK_COMMAND_REQUESTED).exists()


@pytest.mark.parametrize("kind", [CommandType.SET_DESTINATION, CommandType.OPEN_CHARGE_PORT])
def test_some_commands_cannot_be_sent_in_bulk(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles, kind: CommandType
) -> None:
    with pytest.raises(
        CommandRejectedError,
        match="only one vehicle at a time",
    ):
        create_bulk_command(fleet, owner, create_vehicles(1), kind)


def test_a_bulk_command_needs_an_eligible_vehicle(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles
) -> None:
    with pytest.raises(CommandRejectedError, match="None of these vehicles can receive"):
        create_bulk_command(fleet, owner, create_vehicles(2, state=ConnectionState.REMOVED))
    assert not BulkCommand.objects.exists()


def test_a_required_reason_applies_to_bulk_commands(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles
) -> None:
    CommandPolicy.objects.create(fleet=fleet, reason_for=ReasonRequirement.EVERYTHING)
    with pytest.raises(
        CommandRejectedError,
        match="requires a reason",
    ):
        create_bulk_command(fleet, owner, create_vehicles(1))


def test_more_unlocks_than_fit_into_a_minute_are_rejected_as_a_whole(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles, settings: Settings
) -> None:
    settings.BULK_COMMAND_CONCURRENCY = 1
    with pytest.raises(
        CommandRejectedError, match=r"Only 5 vehicles can be reached in that time now. Choose 2 fewer"
    ):
        create_bulk_command(fleet, owner, create_vehicles(7), CommandType.UNLOCK)
    assert not Command.objects.exists()


def test_commands_are_sent_in_order_up_to_the_concurrency_limit(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles, settings: Settings
) -> None:
    settings.BULK_COMMAND_CONCURRENCY = 2
    vehicles = create_vehicles(5)
    bulk = create_bulk_command(fleet, owner, vehicles)
    sent: list[str] = []
    for _ in range(4):
        dispatcher.dispatch_queued(now=timezone.now())
        assert dispatcher.dispatch_queued(now=timezone.now()) == 0
        in_progress = Command.objects.filter(bulk=bulk, state=CommandState.REQUESTED).order_by("pk")
        sent += [command.vehicle.name for command in in_progress.select_related("vehicle")]
        in_progress.update(state=CommandState.ACCEPTED)
    assert sent == [vehicle.name for vehicle in vehicles]


def test_fleets_of_two_applications_share_the_concurrency_limit(
    fleet: Fleet, owner: User, outsider: User, create_vehicles: CreateVehicles, settings: Settings
) -> None:
    red = Fleet.objects.get(slug="red")
    other = services.save_application(
        row=SmartcarApplication(name="Other", application_id="other", client_id="other"),
        secrets=Secrets(application_secret="s", client_secret="s", management_tokens=()),
    )
    services.choose_application(fleet=red, application=other, actor=outsider)
    create_bulk_command(fleet, owner, create_vehicles(5))
    red_vehicles = create_vehicles(5)
    Vehicle.objects.filter(pk__in=[vehicle.pk for vehicle in red_vehicles]).update(fleet=red)
    Connection.objects.filter(vehicle__in=red_vehicles).update(fleet=red)
    create_bulk_command(red, outsider, list(Vehicle.objects.filter(fleet=red).select_related("fleet")))
    settings.BULK_COMMAND_CONCURRENCY = 4
    assert dispatcher.dispatch_queued(now=timezone.now()) == 4
    sent = Command.objects.filter(state=CommandState.REQUESTED)
    assert (sent.filter(fleet=fleet).count(), sent.filter(fleet=red).count()) == (2, 2)
    settings.BULK_COMMAND_CONCURRENCY = 1
    sent.filter(fleet=red).update(state=CommandState.ACCEPTED)
    assert dispatcher.dispatch_queued(now=timezone.now()) == 0


def test_bulk_commands_leave_a_reserve_of_the_request_budget(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles, settings: Settings
) -> None:
    settings.SMARTCAR_REQUEST_BUCKET, settings.SMARTCAR_REQUEST_REFILL = 13, 2
    create_bulk_command(fleet, owner, create_vehicles(8))
    assert dispatcher.dispatch_queued(now=timezone.now()) == 3


def test_a_vehicle_with_a_command_in_progress_does_not_block_others(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles, settings: Settings
) -> None:
    vehicles = create_vehicles(3)
    now = timezone.now()
    Command.objects.create(
        fleet=fleet, vehicle=vehicles[0], kind=CommandType.UNLOCK, api_version="v3", state=CommandState.SENDING,
        requested_at=now, expires_at=now, claimed_at=now,
    )  # fmt: skip
    create_bulk_command(fleet, owner, vehicles)
    assert dispatcher.dispatch_queued(now=timezone.now()) == 2
    Command.objects.filter(kind=CommandType.UNLOCK).update(state=CommandState.CONFIRMED)
    assert dispatcher.dispatch_queued(now=timezone.now()) == 1


def test_a_dispatched_command_gets_its_usual_expiry(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(1))
    BulkCommand.objects.update(expires_at=bulk.expires_at + timedelta(hours=9))
    Command.objects.update(expires_at=bulk.expires_at + timedelta(hours=9))
    dispatcher.dispatch_queued(now=timezone.now())
    remaining = Command.objects.get().expires_at - timezone.now()
    assert timedelta(minutes=9) < remaining <= timedelta(minutes=10)


def test_unlocks_not_dispatched_within_a_minute_expire(
    fleet: Fleet, owner: User, create_vehicles: CreateVehicles
) -> None:
    create_bulk_command(fleet, owner, create_vehicles(3), CommandType.UNLOCK)
    later = timezone.now() + timedelta(seconds=61)
    confirmation.sweep(now=later)
    assert dispatcher.dispatch_queued(now=later) == 0
    assert set(Command.objects.values_list("state", flat=True)) == {CommandState.EXPIRED}


def test_canceling_affects_only_commands_not_sent_yet(
    fleet: Fleet, owner: User, teammate: User, create_vehicles: CreateVehicles
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(4))
    sent = Command.objects.filter(bulk=bulk).order_by("pk")[:2]
    Command.objects.filter(pk__in=[command.pk for command in sent]).update(state=CommandState.SENDING)
    assert bulk_services.cancel_bulk_command(bulk=bulk, user=teammate) == 2
    states = list(Command.objects.order_by("pk").values_list("state", flat=True))
    assert states == [CommandState.SENDING] * 2 + [CommandState.CANCELLED] * 2
    assert AuditLogEntry.objects.filter(actor=teammate, event=AuditEvent.BULK_COMMAND_CANCELED).exists()
