"""A fleet with at least one object of each kind, for the tests that open every page."""

from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any

import httpx
from django.utils import timezone

from accounts.models import Fleet, Membership, Role, SmartcarApiVersion, User
from accounts.services import add_member, create_fleet
from accounts.tokens import services as tokens
from alerts import services as alerts
from alerts.types import AlertCondition, AlertType
from commands.bulk import services as bulk_services
from commands.models import Command, CommandState
from commands.scheduled.services import Timing, create_schedule
from commands.types import CommandType
from connect import gateway
from connect.bulk_requests.services import ask_drivers
from connect.driver_portal.services import portal_after_authorization
from connect.invitations import services as invitations
from connect.models import AdoptionRule, Connection, ConnectionState, OffboardingRequest
from connect.offboarding import services as offboarding
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

VEHICLE_COUNT = 6


@dataclass(frozen=True)
class World:
    """The test data. `arguments` are the URL arguments, by name or by "view argument"."""

    fleet: Fleet
    empty: Fleet
    users: dict[str, User]
    vehicles: list[Vehicle]
    arguments: dict[str, Any] = field(default_factory=dict)


def build(simulator_url: str) -> World:
    """Create the owner's two fleets, one of them without vehicles, and one user of each role."""
    users = {role: User.objects.create_user(f"{role}@fleet.example") for role in ("owner", *_ROLES)}
    users["admin"] = User.objects.create_superuser("admin@site.example")
    owner = users["owner"]
    fleet = create_fleet(name="Blue Fleet", slug="blue", owner=owner, api_version=SmartcarApiVersion.V3)
    empty = create_fleet(name="New Fleet", slug="new", owner=owner, api_version=SmartcarApiVersion.V3)
    for role, kind in _ROLES.items():
        add_member(fleet=fleet, user=users[role], role=kind, actor=owner)
    add_member(fleet=fleet, user=users["admin"], role=Role.OWNER, actor=owner)
    vehicles = _vehicles(simulator_url, fleet=fleet, owner=owner)
    world = World(fleet=fleet, empty=empty, users=users, vehicles=vehicles)
    world.arguments.update(_arguments(world))
    return world


_ROLES = {"manager": Role.MANAGER, "viewer": Role.VIEWER, "driver": Role.DRIVER}


def _vehicles(simulator_url: str, *, fleet: Fleet, owner: User) -> list[Vehicle]:
    """Connect vehicles of several makes and fetch each once, so that its page shows all signals of the make."""
    candidates = httpx.get(f"{simulator_url}/control/vehicles", timeout=30).json()["vehicles"]
    one_per_make = {vehicle["make"]: vehicle["id"] for vehicle in reversed(candidates)}
    for vehicle_id in list(one_per_make.values())[:VEHICLE_COUNT]:
        for connection in connect(
            simulator_url, fleet=fleet, user=owner, vehicleIds=[vehicle_id]
        ).connections:
            polling.fetch_now(connection=connection, purpose=gateway.CallPurpose.PERSON)
    processing.process_waiting()
    vehicles = list(Vehicle.objects.filter(fleet=fleet).order_by("pk"))
    for number, vehicle in enumerate(vehicles, start=1):
        Vehicle.objects.filter(pk=vehicle.pk).update(name=f"Courier {number:02}", plate=f"8ABC{100 + number}")
    return vehicles


def _arguments(world: World) -> dict[str, Any]:
    fleet, owner, (vehicle, disconnected, offboarded, *_) = world.fleet, world.users["owner"], world.vehicles
    connection = Connection.objects.get(vehicle=vehicle)
    lost_connection = Connection.objects.get(vehicle=disconnected)
    lost_connection.state = ConnectionState.NEEDS_REAUTHENTICATION
    lost_connection.save()
    _open_alerts(lost_connection, vehicle)
    portal = portal_after_authorization(
        invitation=invited(fleet=fleet, user=owner), smartcar_user_id=connection.smartcar_user_id
    )
    request = offboarding.offboard_vehicle(vehicle=offboarded, extent=ErasureScope.PLACES, user=owner)
    _reconciliation(fleet)
    return {
        **fixtures_accounts.set_up_accounts(fleet=fleet, users=world.users),
        "slug": fleet.slug,
        "smartcar_id": vehicle.smartcar_id,
        "connection_id": connection.pk,
        "connections:detail connection_id": lost_connection.pk,
        "connect:invitation secret": invited(fleet=fleet, user=owner, driver_name="Robin").secret,
        "invitation_id": _invitations(fleet, owner),
        "secret": portal.secret,
        "page_id": portal.pk,
        "offboarding_id": request.pk,
        "connect:portal_receipt offboarding_id": _driver_offboarding(world, portal.smartcar_user_id).pk,
        "command_id": _commands(fleet, owner, vehicle),
        "bulk_id": _bulk(world),
        "schedule_id": _schedule(fleet, owner, vehicle),
        "request_id": _bulk_request(fleet, owner, vehicle.make),
        "rule_id": AdoptionRule.objects.create(fleet=fleet).pk,
        "entry_id": _deliveries(vehicle),
        "token_id": _token(fleet, owner),
        "place_id": _place(fleet).pk,
        "view_id": SavedView.objects.create(fleet=fleet, user=owner, name="Low", query="q=low").pk,
        "vehicle_id": vehicle.pk,
        "code": catalogue.STATE_OF_CHARGE.code,
        "purpose": AuthorizationPurpose.SIGN_IN,
        "action": "pause",
        "kind": CommandType.LOCK,
    }


def _invitations(fleet: Fleet, owner: User) -> int:
    """Create a used, a revoked and an unused invitation, and return the ID of the unused one."""
    used, revoked, unused = (
        invited(fleet=fleet, user=owner, driver_name=name) for name in ("Kim", "Lee", "Alex")
    )
    used.use(now=timezone.now())
    invitations.revoke(invitation=revoked, user=owner)
    return unused.pk


def _place(fleet: Fleet) -> Place:
    return Place.objects.create(fleet=fleet, name="Depot", latitude=37.77, longitude=-122.41, radius=400)


def _open_alerts(connection: Connection, low: Vehicle) -> None:
    """Raise alerts about a lost connection and a low battery."""
    lost = {"state": connection.state}
    battery = {"level": 9.0, "threshold": 20, "fuel": False}
    conditions = [
        AlertCondition(
            AlertType.CONNECTION, connection.fleet_id, connection.vehicle_id, connection.pk, payload=lost
        ),
        AlertCondition(AlertType.BATTERY, low.fleet_id, low.pk, low.pk, payload=battery),
    ]
    alerts.raise_alerts(conditions=conditions, now=timezone.now())


def _reconciliation(fleet: Fleet) -> None:
    reconciliation = Reconciliation.objects.create(
        api_version=SmartcarApiVersion.V3,
        outcome=ReconciliationOutcome.DONE,
        finished_at=timezone.now(),
        ours=5,
        theirs=5,
    )
    FleetReconciliation.objects.create(reconciliation=reconciliation, fleet=fleet, connections=5)


def _driver_offboarding(world: World, driver: str) -> OffboardingRequest:
    """Create an offboarding requested by the driver. Its receipt is shown in the driver portal."""
    vehicle = Vehicle.objects.create(fleet=world.fleet, smartcar_id="gone", name="Old van")
    connection = Connection.objects.create(
        fleet=world.fleet,
        vehicle=vehicle,
        smartcar_user_id=driver,
        api_version=SmartcarApiVersion.V3,
        mode="simulated",
    )
    return offboarding.offboard_connection(connection=connection, extent=ErasureScope.EVERYTHING, user=None)


def _bulk_request(fleet: Fleet, owner: User, make: str) -> int:
    return ask_drivers(fleet=fleet, purpose=AuthorizationPurpose.SIGN_IN, make=make, user=owner).pk


def _commands(fleet: Fleet, owner: User, vehicle: Vehicle) -> int:
    """Create commands with different results, sent within the last hours, and return the ID of the newest."""
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
            vehicle=vehicle,
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


def _schedule(fleet: Fleet, owner: User, vehicle: Vehicle) -> int:
    return create_schedule(
        fleet=fleet,
        user=owner,
        vehicles=[vehicle],
        kind=CommandType.LOCK,
        data={},
        timing=Timing(time(20), weekdays=range(5)),
        reason="End of the workday",
    ).pk


def _bulk(world: World) -> int:
    bulk_command = bulk_services.create_bulk_command(
        fleet=world.fleet,
        user=world.users["owner"],
        vehicles=world.vehicles[3:],
        kind=CommandType.LOCK,
        data={},
        reason="",
        with_already=True,
    )
    return bulk_command.pk


def _deliveries(vehicle: Vehicle) -> int:
    """Create a delivery in each state, and return the ID of the undeliverable one, whose page shows the most."""
    ids = {
        state: InboxEntry.objects.create(
            received_at=timezone.now(),
            body=b'{"eventType": "VEHICLE_STATE"}',
            state=state,
            event_type="VEHICLE_STATE",
            smartcar_vehicle_id=vehicle.smartcar_id,
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
