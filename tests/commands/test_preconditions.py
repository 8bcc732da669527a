"""The preconditions of commands: rejections and hints before a command is created."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from commands import preconditions, services
from commands.models import Command, CommandState
from commands.selectors import INCAPABLE_FOR
from commands.types import CHARGING, PERMISSION, SCHEDULING, CommandType
from connect.models import Connection, ConnectionState
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle
from vehicles.selectors import VehicleState

BrowserOf = Callable[[User], Client]
ALL_SCOPES = sorted(set(PERMISSION.values()))


def vehicle_state(powertrain: str = "BEV", **values: Any) -> VehicleState:
    """Returns a vehicle state with these single-valued signals, named as in the catalogue module."""
    signals: list[tuple[Signal, Any]] = [(getattr(catalogue, name), value) for name, value in values.items()]
    recent = {"status": "SUCCESS", "observed_at": timezone.now() - timedelta(minutes=1)}
    rows = {
        signal.code: LatestSignal(code=signal.code, body={"value": value}, **recent)
        for signal, value in signals
    }
    return VehicleState(vehicle=Vehicle(powertrain=powertrain), signals=rows)


def make_connection(api_version: str = "v3", scopes: list[str] | None = None) -> Connection:
    return Connection(api_version=api_version, scopes=ALL_SCOPES if scopes is None else scopes)


@pytest.mark.parametrize("kind", list(CommandType))
def test_a_permitted_command_passes_without_other_data(
    kind: CommandType,
) -> None:
    assert (
        preconditions.check(kind=kind, state=vehicle_state(), connection=make_connection())
        == preconditions.PreconditionResult()
    )


@pytest.mark.parametrize("kind", list(CommandType))
def test_a_missing_permission_rejects_and_explains_what_to_do(kind: CommandType) -> None:
    others = [scope for scope in ALL_SCOPES if scope != PERMISSION[kind]]
    result = preconditions.check(kind=kind, state=vehicle_state(), connection=make_connection(scopes=others))
    assert "t grant permission" in result.refusal
    assert "reconnect the vehicle" in result.refusal


@pytest.mark.parametrize("kind", list(CommandType))
def test_unknown_permissions_do_not_reject(kind: CommandType) -> None:
    assert not preconditions.check(
        kind=kind, state=vehicle_state(), connection=make_connection(scopes=[])
    ).refusal


@pytest.mark.parametrize("kind", list(CommandType))
def test_commands_recently_unsupported_by_the_vehicle_are_rejected(kind: CommandType) -> None:
    other = CommandType.LOCK if kind != CommandType.LOCK else CommandType.UNLOCK
    assert (
        "t support this command"
        in preconditions.check(
            kind=kind, state=vehicle_state(), connection=make_connection(), incapable={kind}
        ).refusal
    )
    assert not preconditions.check(
        kind=kind, state=vehicle_state(), connection=make_connection(), incapable={other}
    ).refusal


@pytest.mark.parametrize(
    ("kind", "known", "hint"),
    [
        (CommandType.LOCK, {"IS_LOCKED": True}, "Already locked"),
        (CommandType.UNLOCK, {"IS_LOCKED": False}, "Already unlocked"),
        (CommandType.START_CHARGE, {"CABLE_CONNECTED": True, "IS_CHARGING": True}, "Already charging"),
        (CommandType.STOP_CHARGE, {"IS_CHARGING": False}, "The vehicle isn"),
        (CommandType.OPEN_CHARGE_PORT, {"CHARGE_PORT_OPEN": True}, "The charge port is already open"),
        (CommandType.CLOSE_CHARGE_PORT, {"CHARGE_PORT_OPEN": False}, "The charge port is already closed"),
    ],
)
def test_a_contradicting_state_is_a_hint_not_a_rejection(
    kind: CommandType, known: dict[str, Any], hint: str
) -> None:
    result = preconditions.check(kind=kind, state=vehicle_state(**known), connection=make_connection())
    assert hint in result.hint
    assert not result.reason


@pytest.mark.parametrize(
    ("kind", "known", "reason"),
    [
        (CommandType.START_CHARGE, {"CABLE_CONNECTED": False, "IS_CHARGING": False}, "t plugged in"),
        (CommandType.CLOSE_CHARGE_PORT, {"CABLE_CONNECTED": True, "CHARGE_PORT_OPEN": True}, "unplugged"),
        (CommandType.LOCK, {"SPEED": 30}, "is moving"),
    ],
)
def test_a_state_in_which_vehicles_reject_the_command_is_an_obstacle(
    kind: CommandType, known: dict[str, Any], reason: str
) -> None:
    result = preconditions.check(kind=kind, state=vehicle_state(**known), connection=make_connection())
    assert reason in result.obstacle
    assert result.reason == result.obstacle
    assert not result.refusal


@pytest.mark.parametrize("change", [{"status": "ERROR"}, {"observed_at": timezone.now() - timedelta(days=5)}])
@pytest.mark.parametrize("kind", list(CommandType))
def test_a_state_that_is_old_or_failed_since_gives_no_hint(kind: CommandType, change: dict[str, Any]) -> None:
    for value in (True, False):
        names = ("IS_LOCKED", "IS_CHARGING", "CABLE_CONNECTED", "CHARGE_PORT_OPEN")
        values: dict[str, Any] = dict.fromkeys(names, value)
        state = vehicle_state(**values)
        for row in state.signals.values():
            for name, changed in change.items():
                setattr(row, name, changed)
        result = preconditions.check(kind=kind, state=state, connection=make_connection())
        assert result == preconditions.PreconditionResult()


@pytest.mark.parametrize("kind", list(CommandType))
@pytest.mark.parametrize(("speed", "minutes_ago"), [(30, 1), (0, 1), (30, 60)])
def test_moving_is_an_obstacle_for_commands_that_require_parking(
    kind: CommandType, speed: float, minutes_ago: float
) -> None:
    state = vehicle_state(SPEED=speed, IS_LOCKED=True)
    state.signals[catalogue.SPEED.code].observed_at = timezone.now() - timedelta(minutes=minutes_ago)
    result = preconditions.check(kind=kind, state=state, connection=make_connection())
    parked_only = kind in (CommandType.LOCK, CommandType.UNLOCK, CommandType.OPEN_CHARGE_PORT)
    assert ("is moving" in result.obstacle) == (parked_only and speed > 0 and minutes_ago < 15)
    assert not result.refusal


def test_makes_without_schedule_support_are_offered_none() -> None:
    for make, supported in (("BMW", False), ("TESLA", True)):
        state = VehicleState(vehicle=Vehicle(make=make, powertrain="BEV"), signals={})
        for kind in SCHEDULING:
            assert (
                preconditions.is_supported(kind=kind, state=state, connection=make_connection()) is supported
            )
            assert (
                bool(preconditions.check(kind=kind, state=state, connection=make_connection()).refusal)
                is not supported
            )


def test_schedule_types_unsupported_by_the_make_are_rejected() -> None:
    state = VehicleState(vehicle=Vehicle(make="VOLVO", powertrain="BEV"), signals={})
    refusals = [
        preconditions.check(
            kind=CommandType.SET_CHARGE_SCHEDULE,
            state=state,
            connection=make_connection(),
            params={"type": each},
        ).refusal
        for each in ("daily", "weekly")
    ]
    assert refusals == ["", "Volvo supports only daily charge schedules. Choose that type."]


@pytest.mark.parametrize(
    ("powertrain", "known", "supported"),
    [
        ("ICE", {}, False),
        ("BEV", {}, True),
        ("PHEV", {}, True),
        ("", {}, False),
        ("", {"STATE_OF_CHARGE": 50}, True),
        ("", {"FUEL_LEVEL": 50}, False),
    ],
)
def test_only_vehicles_with_a_battery_charge(powertrain: str, known: dict[str, Any], supported: bool) -> None:
    state = vehicle_state(powertrain, **known)
    for kind in CHARGING:
        assert preconditions.is_supported(kind=kind, state=state, connection=make_connection()) is supported
        assert (
            bool(preconditions.check(kind=kind, state=state, connection=make_connection()).refusal)
            is not supported
        )
    assert preconditions.is_supported(kind=CommandType.LOCK, state=state, connection=make_connection())


@pytest.mark.parametrize("kind", [CommandType.OPEN_CHARGE_PORT, CommandType.CLOSE_CHARGE_PORT])
def test_v2_has_no_charge_port(kind: CommandType) -> None:
    assert not preconditions.is_supported(kind=kind, state=vehicle_state(), connection=make_connection("v2"))
    assert (
        "v2"
        in preconditions.check(kind=kind, state=vehicle_state(), connection=make_connection("v2")).refusal
    )


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    Vehicle.objects.update(powertrain="BEV")
    vehicle.refresh_from_db()
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
        scopes=["read_charge", "control_security"],
    )


def create_incapable_rejection(connection: Connection, *, ago: timedelta) -> None:
    at = timezone.now() - ago
    Command.objects.create(
        fleet=connection.fleet,
        vehicle=connection.vehicle,
        kind=CommandType.LOCK,
        api_version="v3",
        state=CommandState.REFUSED,
        requested_at=at,
        expires_at=at,
        settled_at=at,
        error_type="COMPATIBILITY",
    )


@pytest.mark.django_db
def test_a_rejected_command_is_not_stored(connection: Connection, owner: User) -> None:
    with pytest.raises(
        services.CommandRejectedError,
        match="t grant permission for charging commands",
    ):
        services.create_command(vehicle=connection.vehicle, kind=CommandType.START_CHARGE, user=owner)
    assert not Command.objects.exists()


@pytest.mark.django_db
def test_unsupported_commands_are_remembered_for_a_week(connection: Connection, owner: User) -> None:
    create_incapable_rejection(connection, ago=INCAPABLE_FOR - timedelta(minutes=1))
    with pytest.raises(
        services.CommandRejectedError,
        match="t support this command",
    ):
        services.create_command(vehicle=connection.vehicle, kind=CommandType.LOCK, user=owner)
    Command.objects.all().delete()
    create_incapable_rejection(connection, ago=INCAPABLE_FOR + timedelta(minutes=1))
    assert services.create_command(vehicle=connection.vehicle, kind=CommandType.LOCK, user=owner).pk


@pytest.mark.django_db
def test_the_panel_explains_once_why_the_charging_buttons_are_disabled(
    connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    page = (
        browser_of(owner)
        .get(f"/fleets/blue/vehicles/{connection.vehicle.smartcar_id}/commands/")
        .content.decode()
    )
    assert page.count("t grant permission for charging commands") == 1
    assert page.count("t grant permission to send destinations") == 1
    assert 'id="destination-refused"' in page
    assert "t grant permission to lock and unlock the vehicle" not in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("api_version", "powertrain", "charging", "port"),
    [("v3", "BEV", True, True), ("v2", "BEV", True, False), ("v3", "ICE", False, False)],
)
def test_the_panel_offers_supported_commands(
    connection: Connection,
    owner: User,
    browser_of: BrowserOf,
    api_version: str,
    powertrain: str,
    charging: bool,
    port: bool,
) -> None:
    Connection.objects.update(api_version=api_version, scopes=[])
    Vehicle.objects.update(powertrain=powertrain)
    page = (
        browser_of(owner)
        .get(f"/fleets/blue/vehicles/{connection.vehicle.smartcar_id}/commands/")
        .content.decode()
    )
    assert ("Set limit" in page) is charging
    assert ("Open charge port" in page) is port
    assert "Send destination" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "warning"),
    [
        ("plan_limit", "t currently cover requests for this vehicle, so commands may be rejected"),
        ("stale", "No recent data from this vehicle, so it may not respond"),
    ],
)
def test_the_panel_shows_the_connection_warning_once(
    connection: Connection, owner: User, browser_of: BrowserOf, state: str, warning: str
) -> None:
    address = f"/fleets/blue/vehicles/{connection.vehicle.smartcar_id}/commands/"
    assert warning not in browser_of(owner).get(address).content.decode()
    Connection.objects.update(state=state)
    assert browser_of(owner).get(address).content.decode().count(warning) == 1
