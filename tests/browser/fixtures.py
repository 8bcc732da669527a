"""A fleet in which something of everything has happened, for the tests that look at every page."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from django.utils import timezone

from accounts.models import Fleet, Membership, Role, SmartcarApiVersion, User
from accounts.services import add_member, create_fleet
from accounts.tokens import services as tokens
from alerts import services as alerts
from alerts.types import AlertCondition, AlertType
from commands.bulk import services as bulk_asking
from commands.models import Command, CommandState
from commands.types import CommandType
from connect import gateway
from connect.driver_portal.services import portal_after_authorization
from connect.invitations import services as invitations
from connect.models import Connection, ConnectionState, OffboardingRequest
from connect.offboarding import services as removal
from connect.offboarding.models import ErasureScope
from connect.reconciliation.models import FleetReconciliation, Reconciliation, ReconciliationOutcome
from connect.status.states import AuthorizationPurpose
from dashboard.vehicle_list.saved_models import SavedView
from tests.browser import fixtures_accounts
from tests.connect.invited import invited
from tests.smartcar import connect
from vehicles import catalogue
from vehicles.models import Vehicle
from vehicles.places.models import Place
from webhooks import polling, processing
from webhooks.messages import DeliveryNote
from webhooks.models import EntryState, InboxEntry

CARS = 6


@dataclass(frozen=True)
class World:
    """`arguments` are what addresses of pages are filled with: by the name of the argument, or by "view argument"."""

    fleet: Fleet
    empty: Fleet
    people: dict[str, User]
    cars: list[Vehicle]
    arguments: dict[str, Any] = field(default_factory=dict)


def build(simulator_url: str) -> World:
    """The owner's two fleets, one of them without a car, and one person of each role. Writes to the database."""
    people = {role: User.objects.create_user(f"{role}@fleet.example") for role in ("owner", *_ROLES)}
    people["admin"] = User.objects.create_superuser("admin@site.example")
    owner = people["owner"]
    fleet = create_fleet(name="Blue Fleet", slug="blue", owner=owner, api_version=SmartcarApiVersion.V3)
    empty = create_fleet(name="New Fleet", slug="new", owner=owner, api_version=SmartcarApiVersion.V3)
    for role, kind in _ROLES.items():
        add_member(fleet=fleet, user=people[role], role=kind, actor=owner)
    add_member(fleet=fleet, user=people["admin"], role=Role.OWNER, actor=owner)
    cars = _cars(simulator_url, fleet=fleet, owner=owner)
    world = World(fleet=fleet, empty=empty, people=people, cars=cars)
    world.arguments.update(_arguments(world))
    return world


_ROLES = {"manager": Role.MANAGER, "viewer": Role.VIEWER, "driver": Role.DRIVER}


def _cars(simulator_url: str, *, fleet: Fleet, owner: User) -> list[Vehicle]:
    """Cars of several makers, each read once, so that its page shows whatever its maker tells."""
    known = httpx.get(f"{simulator_url}/control/vehicles", timeout=30).json()["vehicles"]
    one_of_each = {car["make"]: car["id"] for car in reversed(known)}
    for vehicle_id in list(one_of_each.values())[:CARS]:
        for connection in connect(
            simulator_url, fleet=fleet, user=owner, vehicleIds=[vehicle_id]
        ).connections:
            polling.fetch_now(connection=connection, purpose=gateway.CallPurpose.PERSON)
    processing.process_waiting()
    cars = list(Vehicle.objects.filter(fleet=fleet).order_by("pk"))
    for number, car in enumerate(cars, start=1):
        Vehicle.objects.filter(pk=car.pk).update(name=f"Courier {number:02}", plate=f"8ABC{100 + number}")
    return cars


def _arguments(world: World) -> dict[str, Any]:
    fleet, owner, (car, troubled, leaving, *_) = world.fleet, world.people["owner"], world.cars
    connection = Connection.objects.get(vehicle=car)
    lost = Connection.objects.get(vehicle=troubled)
    lost.state = ConnectionState.NEEDS_REAUTHENTICATION
    lost.save()
    _notices(lost, car)
    shared = portal_after_authorization(
        invitation=invited(fleet=fleet, user=owner), smartcar_user_id=connection.smartcar_user_id
    )
    proof = removal.offboard_vehicle(vehicle=leaving, extent=ErasureScope.PLACES, user=owner)
    _comparison(fleet)
    return {
        **fixtures_accounts.settle(fleet=fleet, people=world.people),
        "slug": fleet.slug,
        "smartcar_id": car.smartcar_id,
        "connection_id": connection.pk,
        "connections:detail connection_id": lost.pk,
        "connect:invitation secret": invited(fleet=fleet, user=owner, driver_name="Robin").secret,
        "invitation_id": _invitations(fleet, owner),
        "secret": shared.secret,
        "page_id": shared.pk,
        "removal_id": proof.pk,
        "connect:portal_receipt removal_id": _own_proof(world, shared.smartcar_user_id).pk,
        "command_id": _commands(fleet, owner, car),
        "bulk_id": _bulk(world),
        "entry_id": _deliveries(car),
        "token_id": _token(fleet, owner),
        "place_id": _place(fleet).pk,
        "view_id": SavedView.objects.create(fleet=fleet, user=owner, name="Low", query="q=low").pk,
        "vehicle_id": car.pk,
        "code": catalogue.STATE_OF_CHARGE.code,
        "purpose": AuthorizationPurpose.SIGN_IN,
        "action": "pause",
        "kind": CommandType.LOCK,
    }


def _invitations(fleet: Fleet, owner: User) -> int:
    """One that was used and one that was revoked; the id of one that is open."""
    used, revoked, still_open = (
        invited(fleet=fleet, user=owner, driver_name=name) for name in ("Kim", "Lee", "Alex")
    )
    used.use(now=timezone.now())
    invitations.revoke(invitation=revoked, user=owner)
    return still_open.pk


def _place(fleet: Fleet) -> Place:
    return Place.objects.create(fleet=fleet, name="Depot", latitude=37.77, longitude=-122.41, radius=400)


def _notices(troubled: Connection, low: Vehicle) -> None:
    """A lost connection, and a battery that is low."""
    lost = {"state": troubled.state}
    battery = {"level": 9.0, "threshold": 20, "fuel": False}
    conditions = [
        AlertCondition(
            AlertType.CONNECTION, troubled.fleet_id, troubled.vehicle_id, troubled.pk, payload=lost
        ),
        AlertCondition(AlertType.BATTERY, low.fleet_id, low.pk, low.pk, payload=battery),
    ]
    alerts.raise_alerts(conditions=conditions, now=timezone.now())


def _comparison(fleet: Fleet) -> None:
    night = Reconciliation.objects.create(
        api_version=SmartcarApiVersion.V3,
        outcome=ReconciliationOutcome.DONE,
        finished_at=timezone.now(),
        ours=5,
        theirs=5,
    )
    FleetReconciliation.objects.create(comparison=night, fleet=fleet, connections=5)


def _own_proof(world: World, driver: str) -> OffboardingRequest:
    """A removal that the driver asked for: its proof stands on the driver's own page."""
    car = Vehicle.objects.create(fleet=world.fleet, smartcar_id="gone", name="Old van")
    ended = Connection.objects.create(
        fleet=world.fleet,
        vehicle=car,
        smartcar_user_id=driver,
        api_version=SmartcarApiVersion.V3,
        mode="simulated",
    )
    return removal.offboard_connection(connection=ended, extent=ErasureScope.EVERYTHING, user=None)


def _commands(fleet: Fleet, owner: User, car: Vehicle) -> int:
    """One of each ending, as if sent within the last hours; the id of the newest."""
    now = timezone.now()
    endings = {
        CommandState.CONFIRMED: "",
        CommandState.REFUSED: "The car is in motion.",
        CommandState.UNKNOWN: "The answer did not come.",
        CommandState.ACCEPTED: "",
    }
    for number, (state, message) in enumerate(endings.items()):
        newest = Command.objects.create(
            fleet=fleet,
            vehicle=car,
            kind=CommandType.LOCK if number % 2 else CommandType.START_CHARGE,
            api_version=fleet.api_version,
            state=state,
            smartcar_message=message,
            requested_by=owner,
            requested_at=now - timedelta(hours=4 - number),
            expires_at=now,
        )
        newest.log_transition(to=CommandState.REQUESTED, now=newest.requested_at)
        newest.log_transition(to=state, now=newest.requested_at, smartcar_message=message)
    return newest.pk


def _bulk(world: World) -> int:
    made = bulk_asking.create_bulk_command(
        fleet=world.fleet,
        user=world.people["owner"],
        vehicles=world.cars[3:],
        kind=CommandType.LOCK,
        data={},
        reason="",
    )
    return made.pk


def _deliveries(car: Vehicle) -> int:
    """A message of each state beside those that were read; the id of a dead letter, which shows most."""
    ids = {
        state: InboxEntry.objects.create(
            received_at=timezone.now(),
            body=b'{"eventType": "VEHICLE_STATE"}',
            state=state,
            event_type="VEHICLE_STATE",
            smartcar_vehicle_id=car.smartcar_id,
            note_code=DeliveryNote.FAILED if state == EntryState.DEAD else "",
            note_params={"times": 5} if state == EntryState.DEAD else {},
            traceback="ValueError: no such shape" if state == EntryState.DEAD else "",
        ).pk
        for state in EntryState
        if state != EntryState.WAITING
    }
    return ids[EntryState.DEAD]


def _token(fleet: Fleet, owner: User) -> int:
    membership = Membership.objects.get(fleet=fleet, user=owner)
    return tokens.issue_token(membership=membership, name="Dispatch", may_command=True).token.pk
