"""What seeding stores for a fleet: people, names, history, commands and alerts, in agreement with each other."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import orjson
import pytest
from django.utils import timezone

from accounts.models import AuditLogEntry, Fleet, Membership, Role, User
from accounts.services import create_fleet
from alerts.models import Alert
from commands.models import Command, CommandEvent, CommandState
from connect.models import Connection, DriverPortal, Invitation, Transition
from connect.scopes import FLEET_SCOPES
from core.mail.models import OutgoingEmail
from demo.seeding import activity, history, people
from demo.seeding.plans import BAY_COURIERS
from vehicles import catalogue
from vehicles.history import series
from vehicles.models import Reading, Vehicle

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
START = NOW - timedelta(days=60)
COUNT = 7


@pytest.fixture
def owner() -> User:
    return User.objects.create_user(
        "morgan@bay-couriers.example", "secret", first_name="Morgan", last_name="Reyes"
    )


@pytest.fixture
def fleet(owner: User) -> Fleet:
    fleet = people.create_planned_fleet(BAY_COURIERS, owner=owner, api_version="v3")
    for number in range(COUNT):
        vehicle = Vehicle.objects.create(
            fleet=fleet, smartcar_id=f"vehicle-{number}", powertrain="BEV" if number else "ICE"
        )
        connection = Connection.objects.create(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id=f"user-{number}",
            api_version="v3",
            mode="simulated",
            state="active" if number else "needs_reauth",
            scopes=list(FLEET_SCOPES),
        )
        Transition.objects.create(connection=connection, to_state="pending")
        Transition.objects.create(connection=connection, from_state="pending", to_state="active")
    Transition.objects.create(connection=connection, from_state="active", to_state="needs_reauth")
    people.name_vehicles(fleet, BAY_COURIERS)
    return fleet


def day(number: int) -> list[tuple[float, dict[str, Any]]]:
    """Returns the hours of a day with what changes then: a drive that empties the battery, and a charge at night."""
    return [
        (8.0, {"closure-islocked": False, "tractionbattery-stateofcharge": 80, "charge-ischarging": False}),
        (8.2, {"closure-islocked": True, "odometer-traveleddistance": 100.0 * number}),
        (17.0, {"tractionbattery-stateofcharge": 15, "internalcombustionengine-fuellevel": 15}),
        (17.5, {"odometer-traveleddistance": 100.0 * number + 80}),
        (22.0, {"charge-ischarging": True, "internalcombustionengine-fuellevel": 90}),
        (23.9, {"tractionbattery-stateofcharge": 80}),
    ]


def answer(request: httpx.Request) -> httpx.Response:
    lines = []
    for number in range(59):
        for hour, values in day(number):
            at = round((START + timedelta(days=number, hours=hour)).timestamp() * 1000)
            bodies: dict[str, Any] = {code: {"value": value} for code, value in values.items()}
            bodies["location-preciselocation"] = {"latitude": 37.7 + hour / 1000, "longitude": -122.4}
            lines.append(
                orjson.dumps(
                    {
                        "signals": [
                            {"code": code, "body": body, "meta": {"oemUpdatedAt": at, "retrievedAt": at}}
                            for code, body in bodies.items()
                        ]
                    }
                )
            )
    return httpx.Response(200, content=b"\n".join(lines))


def record(fleet: Fleet) -> int:
    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://simulator") as simulator:
        connections = list(Connection.objects.filter(fleet=fleet).select_related("vehicle").order_by("pk"))
        return history.record(simulator, connections=connections, start=START, now=NOW)


def test_a_fleet_has_members_of_every_role_who_can_sign_in_with_its_owners_password(fleet: Fleet) -> None:
    assert set(Membership.objects.filter(fleet=fleet).values_list("role", flat=True)) == {
        Role.OWNER,
        Role.MANAGER,
        Role.VIEWER,
    }
    assert all(member.check_password("secret") for member in fleet.members.all())
    assert (fleet.time_zone, fleet.unit_system) == ("America/Los_Angeles", "imperial")


def test_vehicles_are_named_once_and_alike_each_time(fleet: Fleet) -> None:
    first = list(Vehicle.objects.order_by("pk").values_list("name", "plate", "group", "driver"))
    assert len({plate for _, plate, _, _ in first}) == COUNT
    Vehicle.objects.filter(pk=Vehicle.objects.order_by("pk")[0].pk).update(name="Mine")
    people.name_vehicles(fleet, BAY_COURIERS)
    assert Vehicle.objects.order_by("pk")[0].name == "Mine"
    Vehicle.objects.update(plate="", name_entered=False, driver="", group="")
    people.name_vehicles(fleet, BAY_COURIERS)
    assert list(Vehicle.objects.order_by("pk").values_list("name", "plate", "group", "driver")) == first


def test_history_is_in_order_without_future_and_adds_up(fleet: Fleet) -> None:
    assert record(fleet) == Reading.objects.count()
    assert not Reading.objects.filter(observed_at__gt=NOW).exists()
    vehicle = Vehicle.objects.order_by("pk")[1]
    odometer = series(vehicle=vehicle, signal=catalogue.ODOMETER, start=START, end=NOW, resolution="raw")
    assert all(before.value <= after.value for before, after in pairwise(odometer))
    days = series(vehicle=vehicle, signal=catalogue.ODOMETER, start=START, end=NOW, resolution="day")
    assert sum(point.count for point in days) == len(odometer)
    assert max(point.maximum or 0 for point in days) == odometer[-1].value


def test_a_location_that_a_driver_hides_at_night_is_not_in_history(fleet: Fleet) -> None:
    people.open_driver_pages(fleet, BAY_COURIERS, now=NOW)
    record(fleet)
    hidden = Connection.objects.get(working_hours__isnull=False).vehicle_id

    def hours(vehicle_id: int) -> set[float]:
        found = Reading.objects.filter(vehicle=vehicle_id, signal__code="location-preciselocation")
        return {round((each.body["latitude"] - 37.7) * 1000, 1) for each in found}

    # From 6 to 20 o'clock in San Francisco, which is 13 or 14 to 3 or 4 in UTC.
    assert hours(hidden) == {17.0, 17.5, 22.0, 23.9}
    others = Vehicle.objects.exclude(pk=hidden).values_list("pk", flat=True)
    assert all(len(hours(pk)) == 6 for pk in others)
    assert DriverPortal.objects.filter(fleet=fleet).count() == Vehicle.objects.exclude(driver="").count()


def test_commands_and_alerts_follow_from_the_fleets_own_readings(fleet: Fleet) -> None:
    other = create_fleet(
        name="Other", slug="other", owner=User.objects.create_user("o@o.example"), api_version="v3"
    )
    record(fleet)
    activity.add_commands(fleet, BAY_COURIERS, start=START, now=NOW)
    activity.add_alerts(fleet, BAY_COURIERS, now=NOW)
    for command in Command.objects.filter(state=CommandState.CONFIRMED, kind="unlock"):
        assert command.settled_at is not None
        reading = Reading.objects.get(
            vehicle=command.vehicle_id, signal__code="closure-islocked", observed_at=command.settled_at
        )
        assert reading.body["value"] is False
        assert command.reason
    assert Command.objects.exclude(fleet=fleet).count() == Alert.objects.filter(fleet=other).count() == 0
    assert set(Command.objects.values_list("requested_by__memberships__role", flat=True)) <= {
        "owner",
        "manager",
    }
    assert CommandEvent.objects.filter(at__gt=NOW).count() == 0
    assert AuditLogEntry.objects.filter(event="command.requested").count() == Command.objects.count()
    alert = Alert.objects.filter(vehicle__smartcar_id="vehicle-1").order_by("opened_at").first()
    assert alert is not None
    assert (alert.payload["level"], alert.payload["threshold"], alert.payload["fuel"]) == (15, 25, False)
    assert alert.opened_at == START + timedelta(hours=17)
    assert alert.resolved_at == START + timedelta(hours=23.9)
    assert Alert.objects.filter(vehicle__smartcar_id="vehicle-0", payload__fuel=True).exists()
    assert not Alert.objects.filter(emailed_at=None).exists()


def test_connections_are_as_old_as_their_history(fleet: Fleet) -> None:
    record(fleet)
    people.backdate(fleet, start=START)
    activity.backdate_connections(fleet, start=START)
    oldest = START + timedelta(hours=8)
    assert set(Connection.objects.values_list("created_at", flat=True)) == {oldest}
    assert set(Vehicle.objects.values_list("created_at", flat=True)) == {oldest}
    minute = timedelta(minutes=1)
    working = Connection.objects.filter(state="active").values_list("state_since", flat=True)
    began = Transition.objects.exclude(to_state="needs_reauth").values_list("at", flat=True)
    assert all(oldest <= at <= oldest + minute for at in (*working, *began))
    assert Connection.objects.get(state="needs_reauth").state_since > timezone.now() - minute
    assert Transition.objects.get(to_state="needs_reauth").at > timezone.now() - minute
    entries = list(AuditLogEntry.objects.filter(fleet=fleet).order_by("pk").values_list("at", flat=True))
    assert entries == sorted(entries)
    assert entries[0] == START


def test_invitations_are_open_and_emailed(fleet: Fleet, owner: User, mails: None) -> None:
    people.invite_people(fleet, BAY_COURIERS, user=owner, now=timezone.now())
    drivers = list(Invitation.objects.filter(fleet=fleet))
    assert len(drivers) == 2
    assert all(invitation.open for invitation in drivers)
    assert all(invitation.created_at < timezone.now() - timedelta(days=1) for invitation in drivers)
    assert OutgoingEmail.objects.count() == 3


def test_a_driver_without_access_has_an_alert_that_a_manager_acknowledged(fleet: Fleet) -> None:
    lost, other = Connection.objects.filter(fleet=fleet, state="active").order_by("pk")[:2]
    activity.end_access([lost], now=timezone.now())
    lost.refresh_from_db()
    assert (lost.state, bool(lost.state_reason)) == ("needs_reauth", True)
    alert = Alert.objects.get(kind="connection", subject_id=lost.pk)
    assert alert.acknowledged_by is not None
    assert alert.acknowledged_by.memberships.get(fleet=fleet).role == Role.MANAGER
    assert not Alert.objects.filter(subject_id=other.pk).exists()
