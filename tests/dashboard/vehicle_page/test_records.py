"""Charging and service records as tables."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import UnitSystem, User
from dashboard.vehicle_page.records import MOST_ROWS, build_table
from tests.dashboard.vehicle_page.fixtures import create_connection, store_signal
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle

CHARGE = {
    "id": "CHG123",
    "startTime": "2026-10-15T18:00:00Z",
    "endTime": "2026-10-15T22:00:00Z",
    "energyAdded": 40.5,
    "startStateOfCharge": 20,
    "endStateOfCharge": 90,
    "chargingType": "AC",
    "isPublicCharger": False,
    "cost": {"currency": "USD", "energyAmount": 10.5, "otherAmount": 2},
    "location": {"name": "Home Charger", "address": "123 Main St"},
}
SERVICE = {
    "time": "2026-01-15T14:30:00Z",
    "odometer": 50_000,
    "cost": {"amount": 150, "currency": "USD"},
    "tasks": [{"id": "1", "description": "Oil change"}, {"id": "2", "description": "New tires"}],
    "details": [],
}


def row(signal: Signal, *records: object) -> LatestSignal:
    return LatestSignal(code=signal.code, body={"values": list(records)})


def test_charging_records() -> None:
    table = build_table(row(catalogue.CHARGE_RECORDS, CHARGE), units=UnitSystem.METRIC)
    assert table is not None
    assert table.headers == ["Start", "End", "Energy added", "State of charge", "Charger", "Cost"]
    (cells,) = table.rows
    assert cells[2:] == ["40.5 kWh", "20% → 90%", "AC · private", "12.50 USD"]
    assert "Main St" not in str(table)


def test_service_records_without_empty_columns() -> None:
    table = build_table(row(catalogue.SERVICE_RECORDS, SERVICE), units=UnitSystem.METRIC)
    assert table is not None
    assert table.headers == ["Date", "Odometer", "Work done", "Cost"]
    assert table.rows[0][1:] == ["50,000 km", "Oil change, New tires", "150.00 USD"]


def test_newest_records_come_first_and_older_ones_are_counted() -> None:
    records = [
        {**CHARGE, "startTime": f"2026-{1 + at // 28:02}-{1 + at % 28:02}T00:00:00Z"} for at in range(60)
    ]
    table = build_table(row(catalogue.CHARGE_RECORDS, *records), units=UnitSystem.METRIC)
    assert table is not None
    assert (len(table.rows), table.left_out) == (MOST_ROWS, 10)
    assert "03/04/2026" in table.rows[0][0]


@pytest.mark.parametrize("record", [{}, {"cost": None, "tasks": None}, {"energyAdded": "x", "time": [1]}])
def test_incomplete_record_does_not_break_the_table(record: dict[str, object]) -> None:
    for signal in (catalogue.CHARGE_RECORDS, catalogue.SERVICE_RECORDS):
        table = build_table(row(signal, record), units=UnitSystem.METRIC)
        assert table is not None
        assert table.left_out == 0


def test_other_signals_have_no_table() -> None:
    assert build_table(row(catalogue.DTC_LIST, {"code": "P0420"}), units=UnitSystem.METRIC) is None
    assert build_table(row(catalogue.CHARGE_RECORDS), units=UnitSystem.METRIC) is None


@pytest.mark.django_db
def test_signals_tab_shows_the_table(
    owner: User, vehicle: Vehicle, browser_of: Callable[[User], Client]
) -> None:
    create_connection(vehicle)
    store_signal(vehicle, catalogue.SERVICE_RECORDS, {"values": [SERVICE]})
    url = reverse("dashboard:vehicle_signals", args=[vehicle.fleet.slug, vehicle.smartcar_id])
    content = browser_of(owner).get(url).content.decode()
    assert "Oil change, New tires" in content
    assert '<th scope="col">Work done</th>' in content
