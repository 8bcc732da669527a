"""Tesla's virtual key: which vehicles need it, what the pages say, and commands that would be rejected."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Fleet, User
from commands import preconditions
from commands.types import CommandType
from connect.models import DriverPortal
from connect.virtual_key import KeyStatus, is_surely_missing, key_status, needs_key
from tests.connect.test_bulk_requests import portal, shared
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from vehicles.selectors import list_states

BrowserOf = Callable[[User], Client]


@pytest.mark.parametrize(
    ("make", "model", "year", "needed"),
    [
        ("TESLA", "Model 3", 2018, True),
        ("Tesla", "Model Y", None, True),
        ("TESLA", "Cybertruck", 2024, True),
        ("TESLA", "Model S", 2021, True),
        ("TESLA", "Model S", 2020, False),
        ("TESLA", "model x", 2016, False),
        ("TESLA", "Model X", None, True),
        ("RIVIAN", "R1T", 2022, False),
        ("", "", None, False),
    ],
)
def test_which_vehicles_need_the_key(make: str, model: str, year: int | None, needed: bool) -> None:
    assert needs_key(Vehicle(make=make, model=model, year=year)) == needed


def key_row(vehicle: Vehicle, paired: object, *, age: timedelta = timedelta(0)) -> LatestSignal:
    now = timezone.now()
    return LatestSignal.objects.create(
        vehicle=vehicle,
        code=catalogue.DIGITAL_KEY_PAIRED.code,
        body=None if paired is None else {"value": paired},
        observed_at=now - age,
        status="SUCCESS",
        reported_at=now,
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("paired", "status"), [(True, KeyStatus.PAIRED), (False, KeyStatus.MISSING), (None, KeyStatus.UNKNOWN)]
)
def test_the_status_is_what_the_vehicle_reports(vehicle: Vehicle, paired: object, status: KeyStatus) -> None:
    assert key_status(vehicle, None) is KeyStatus.UNKNOWN
    assert key_status(vehicle, key_row(vehicle, paired)) is status
    vehicle.make = "FORD"
    assert key_status(vehicle, LatestSignal.objects.get()) is KeyStatus.NOT_NEEDED


@pytest.mark.django_db
def test_an_old_report_does_not_prove_that_the_key_is_missing(vehicle: Vehicle) -> None:
    row = key_row(vehicle, False, age=timedelta(days=8))
    assert not is_surely_missing(vehicle, row, now=timezone.now())
    row.observed_at = timezone.now()
    assert is_surely_missing(vehicle, row, now=timezone.now())
    assert not is_surely_missing(vehicle, None, now=timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize("kind", list(CommandType))
def test_commands_are_refused_before_sending_while_the_key_is_missing(
    fleet: Fleet, kind: CommandType
) -> None:
    connection = shared(fleet, "ann", scopes=[])
    vehicle = connection.vehicle

    def refusal() -> str:
        (state,) = list_states(vehicles=[vehicle], signals=preconditions.SIGNALS)
        return preconditions.check(kind=kind, state=state, connection=connection).refusal

    Vehicle.objects.update(powertrain="BEV")
    vehicle.refresh_from_db()
    assert "virtual key" not in refusal()
    row = key_row(vehicle, False)
    assert "virtual key" in refusal()
    LatestSignal.objects.filter(pk=row.pk).update(body={"value": True})
    assert "virtual key" not in refusal()


@pytest.mark.django_db
def test_the_pages_of_driver_and_connection_explain_and_link_the_key(
    fleet: Fleet, owner: User, browser_of: BrowserOf, settings: Settings
) -> None:
    settings.SMARTCAR_VIRTUAL_KEY_URL = "https://www.tesla.com/_ak/keys.example"
    connection = shared(fleet, "ann")
    portal(fleet, "ann", "Ann")
    addresses = [
        (Client(), DriverPortal.objects.get().path),
        (browser_of(owner), f"/fleets/blue/connections/{connection.pk}/"),
    ]
    row = None
    for paired, words, linked in (
        (None, "needs Smartcar's virtual key", True),
        (False, "have Smartcar's virtual key", True),
        (True, "The virtual key is added", False),
    ):
        LatestSignal.objects.all().delete()
        row = key_row(connection.vehicle, paired)
        for browser, address in addresses:
            page = browser.get(address).content.decode()
            assert words in page, (address, words)
            assert ("https://www.tesla.com/_ak/keys.example" in page) == linked
    assert row is not None
    Vehicle.objects.update(make="FORD")
    assert all("irtual key" not in browser.get(address).content.decode() for browser, address in addresses)


@pytest.mark.django_db
def test_the_list_of_connections_names_vehicles_without_the_key(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    connection = shared(fleet, "ann")
    shared(fleet, "bob")
    page = "/fleets/blue/connections/"
    assert "No virtual key" not in browser_of(owner).get(page).content.decode()
    key_row(connection.vehicle, False)
    assert browser_of(owner).get(page).content.decode().count("No virtual key") == 1
