"""What is told of a command before the car is asked."""

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


def state_of(powertrain: str = "BEV", **values: Any) -> VehicleState:
    """A car with these single-valued signals, by their names in the catalogue's module."""
    signals: list[tuple[Signal, Any]] = [(getattr(catalogue, name), value) for name, value in values.items()]
    rows = {signal.code: LatestSignal(code=signal.code, body={"value": value}) for signal, value in signals}
    return VehicleState(vehicle=Vehicle(powertrain=powertrain), signals=rows)


def over(api_version: str = "v3", scopes: list[str] | None = None) -> Connection:
    return Connection(api_version=api_version, scopes=ALL_SCOPES if scopes is None else scopes)


@pytest.mark.parametrize("kind", list(CommandType))
def test_nothing_speaks_against_a_command_that_is_allowed_to_a_car_of_which_nothing_else_is_known(
    kind: CommandType,
) -> None:
    assert (
        preconditions.check(kind=kind, state=state_of(), connection=over())
        == preconditions.PreconditionResult()
    )


@pytest.mark.parametrize("kind", list(CommandType))
def test_a_missing_permission_is_a_refusal_that_says_what_to_do(kind: CommandType) -> None:
    others = [scope for scope in ALL_SCOPES if scope != PERMISSION[kind]]
    verdict = preconditions.check(kind=kind, state=state_of(), connection=over(scopes=others))
    assert "t grant permission" in verdict.refusal
    assert "reconnect the vehicle" in verdict.refusal


@pytest.mark.parametrize("kind", list(CommandType))
def test_permissions_that_are_not_known_refuse_nothing(kind: CommandType) -> None:
    assert not preconditions.check(kind=kind, state=state_of(), connection=over(scopes=[])).refusal


@pytest.mark.parametrize("kind", list(CommandType))
def test_what_the_car_lately_could_not_do_is_refused(kind: CommandType) -> None:
    other = CommandType.LOCK if kind != CommandType.LOCK else CommandType.UNLOCK
    assert (
        "t support this command"
        in preconditions.check(kind=kind, state=state_of(), connection=over(), incapable={kind}).refusal
    )
    assert not preconditions.check(kind=kind, state=state_of(), connection=over(), incapable={other}).refusal


@pytest.mark.parametrize(
    ("kind", "known", "hint"),
    [
        (CommandType.LOCK, {"IS_LOCKED": True}, "Already locked"),
        (CommandType.UNLOCK, {"IS_LOCKED": False}, "Already unlocked"),
        (CommandType.START_CHARGE, {"CABLE_CONNECTED": False, "IS_CHARGING": False}, "t plugged in"),
        (CommandType.START_CHARGE, {"CABLE_CONNECTED": True, "IS_CHARGING": True}, "Already charging"),
        (CommandType.STOP_CHARGE, {"IS_CHARGING": False}, "The vehicle isn"),
        (CommandType.OPEN_CHARGE_PORT, {"CHARGE_PORT_OPEN": True}, "The charge port is already open"),
        (CommandType.CLOSE_CHARGE_PORT, {"CHARGE_PORT_OPEN": False}, "The charge port is already closed"),
        (CommandType.CLOSE_CHARGE_PORT, {"CABLE_CONNECTED": True, "CHARGE_PORT_OPEN": True}, "unplugged"),
    ],
)
def test_a_contradicting_state_is_a_hint_not_a_refusal(
    kind: CommandType, known: dict[str, Any], hint: str
) -> None:
    verdict = preconditions.check(kind=kind, state=state_of(**known), connection=over())
    assert hint in verdict.hint
    assert not verdict.refusal


@pytest.mark.parametrize("kind", list(CommandType))
@pytest.mark.parametrize(("speed", "minutes_ago"), [(30, 1), (0, 1), (30, 60)])
def test_that_it_moves_is_a_hint_at_what_cars_do_standing_only(
    kind: CommandType, speed: float, minutes_ago: float
) -> None:
    state = state_of(SPEED=speed, IS_LOCKED=True)
    state.signals[catalogue.SPEED.code].observed_at = timezone.now() - timedelta(minutes=minutes_ago)
    verdict = preconditions.check(kind=kind, state=state, connection=over())
    standing_only = kind in (CommandType.LOCK, CommandType.UNLOCK, CommandType.OPEN_CHARGE_PORT)
    assert ("is moving" in verdict.hint) == (standing_only and speed > 0 and minutes_ago < 15)
    assert not verdict.refusal


def test_a_make_that_takes_no_schedules_is_offered_none() -> None:
    for make, fits in (("BMW", False), ("TESLA", True)):
        state = VehicleState(vehicle=Vehicle(make=make, powertrain="BEV"), signals={})
        for kind in SCHEDULING:
            assert preconditions.is_supported(kind=kind, state=state, connection=over()) is fits
            assert bool(preconditions.check(kind=kind, state=state, connection=over()).refusal) is not fits


def test_a_type_of_schedule_that_the_make_does_not_know_is_refused() -> None:
    state = VehicleState(vehicle=Vehicle(make="VOLVO", powertrain="BEV"), signals={})
    told = [
        preconditions.check(
            kind=CommandType.SET_CHARGE_SCHEDULE, state=state, connection=over(), params={"type": each}
        ).refusal
        for each in ("daily", "weekly")
    ]
    assert told == ["", "Volvo supports only daily charge schedules. Choose that type."]


@pytest.mark.parametrize(
    ("powertrain", "known", "fits"),
    [
        ("ICE", {}, False),
        ("BEV", {}, True),
        ("PHEV", {}, True),
        ("", {}, False),
        ("", {"STATE_OF_CHARGE": 50}, True),
        ("", {"FUEL_LEVEL": 50}, False),
    ],
)
def test_only_a_car_with_a_battery_charges(powertrain: str, known: dict[str, Any], fits: bool) -> None:
    state = state_of(powertrain, **known)
    for kind in CHARGING:
        assert preconditions.is_supported(kind=kind, state=state, connection=over()) is fits
        assert bool(preconditions.check(kind=kind, state=state, connection=over()).refusal) is not fits
    assert preconditions.is_supported(kind=CommandType.LOCK, state=state, connection=over())


@pytest.mark.parametrize("kind", [CommandType.OPEN_CHARGE_PORT, CommandType.CLOSE_CHARGE_PORT])
def test_v2_has_no_charge_port(kind: CommandType) -> None:
    assert not preconditions.is_supported(kind=kind, state=state_of(), connection=over("v2"))
    assert "v2" in preconditions.check(kind=kind, state=state_of(), connection=over("v2")).refusal


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


def refused_as_incapable(connection: Connection, *, ago: timedelta) -> None:
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
def test_a_refused_command_is_not_written_down(connection: Connection, owner: User) -> None:
    with pytest.raises(
        services.CommandRejectedError,
        match="t grant permission for charging commands",
    ):
        services.create_command(vehicle=connection.vehicle, kind=CommandType.START_CHARGE, user=owner)
    assert not Command.objects.exists()


@pytest.mark.django_db
def test_what_a_car_cannot_do_is_remembered_for_a_week(connection: Connection, owner: User) -> None:
    refused_as_incapable(connection, ago=INCAPABLE_FOR - timedelta(minutes=1))
    with pytest.raises(
        services.CommandRejectedError,
        match="t support this command",
    ):
        services.create_command(vehicle=connection.vehicle, kind=CommandType.LOCK, user=owner)
    Command.objects.all().delete()
    refused_as_incapable(connection, ago=INCAPABLE_FOR + timedelta(minutes=1))
    assert services.create_command(vehicle=connection.vehicle, kind=CommandType.LOCK, user=owner).pk


@pytest.mark.django_db
def test_the_panel_says_once_why_the_charging_buttons_are_disabled(
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
def test_the_panel_offers_what_fits_the_car(
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
    ("state", "told"),
    [
        ("plan_limit", "t currently cover requests for this vehicle, so commands may be rejected"),
        ("stale", "No recent data from this vehicle, so it may not respond"),
    ],
)
def test_the_panel_says_once_what_the_connections_state_means_for_commands(
    connection: Connection, owner: User, browser_of: BrowserOf, state: str, told: str
) -> None:
    address = f"/fleets/blue/vehicles/{connection.vehicle.smartcar_id}/commands/"
    assert told not in browser_of(owner).get(address).content.decode()
    Connection.objects.update(state=state)
    assert browser_of(owner).get(address).content.decode().count(told) == 1
