"""Which energy counts, by the powertrain; the same in Python and in SQL."""

from collections.abc import Callable

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Fleet, User
from alerts import battery
from alerts.models import Alert
from dashboard.vehicle_list import selectors
from dashboard.vehicle_list.filters import Filters, TileFilter
from dashboard.vehicle_list.rows import build_rows
from tests.alerts.helpers import NOW
from tests.dashboard.vehicle_list.fixtures import create_vehicle, report_signal
from vehicles import catalogue
from vehicles.energy import drives_on_fuel
from vehicles.models import Vehicle, VehicleSnapshot

BrowserOf = Callable[[User], Client]
LEVELS = st.none() | st.floats(0, 100)


@pytest.mark.parametrize(
    ("powertrain", "charge", "has_tank", "expected"),
    [
        ("BEV", 5.0, True, False),
        ("BEV", None, False, False),
        ("ICE", 0.0, False, True),
        ("ICE", 0.0, True, True),
        ("HEV", 55.0, True, True),
        ("PHEV", 3.0, True, True),
        ("PHEV", 3.0, False, False),
        ("phev", 80.0, True, True),
        ("", 0.0, True, True),
        ("", 80.0, True, False),
        ("", None, True, True),
        ("", 0.0, False, False),
        ("", None, False, False),
    ],
)
def test_what_a_vehicle_drives_on(
    powertrain: str, charge: float | None, has_tank: bool, expected: bool
) -> None:
    assert drives_on_fuel(powertrain=powertrain, charge=charge, has_tank=has_tank) is expected


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    powertrain=st.sampled_from(["", "BEV", "PHEV", "ICE", "HEV", "MHEV", "FCEV", "ice", "OTHER"]),
    charge=LEVELS,
    fuel=LEVELS,
    liters=st.none() | st.floats(0, 80),
)
def test_lists_and_alerts_follow_the_same_rule(
    fleet: Fleet, powertrain: str, charge: float | None, fuel: float | None, liters: float | None
) -> None:
    Vehicle.objects.all().delete()
    vehicle = create_vehicle(fleet, "one", powertrain=powertrain, odometer=1)
    VehicleSnapshot.objects.filter(vehicle=vehicle).update(charge=charge, fuel=fuel, fuel_liters=liters)
    has_tank = fuel is not None or liters is not None
    on_fuel = drives_on_fuel(powertrain=powertrain, charge=charge, has_tank=has_tank)
    level = fuel if on_fuel else charge
    (row,) = selectors.get_vehicles(fleet=fleet, vehicle_ids=[vehicle.pk], now=NOW)
    assert (row.on_fuel, row.level, row.low) == (on_fuel, level, level is not None and level < 20)
    battery.evaluate(vehicle_ids=[vehicle.pk], now=NOW)
    alerts = Alert.objects.filter(vehicle=vehicle, resolved_at=None)
    assert [alert.payload["fuel"] for alert in alerts] == ([on_fuel] if row.low else [])


@pytest.mark.django_db
def test_gasoline_car_with_an_empty_battery_is_not_low(fleet: Fleet) -> None:
    create_vehicle(fleet, "gasoline", powertrain="ICE", charge=0, fuel=60)
    create_vehicle(fleet, "hybrid", powertrain="PHEV", charge=2, fuel=60)
    create_vehicle(fleet, "thirsty", powertrain="PHEV", charge=90, fuel=6)
    create_vehicle(fleet, "electric", powertrain="BEV", charge=6)
    assert (
        selectors.count_vehicles(fleet=fleet, now=NOW, filters=Filters(), vins=False).by_tile[TileFilter.LOW]
        == 2
    )
    low, _total = selectors.list_page(fleet=fleet, filters=Filters(show=TileFilter.LOW), now=NOW, vins=False)
    assert sorted(row.name for row in low) == ["electric", "thirsty"]
    sorted_rows, _total = selectors.list_page(
        fleet=fleet, filters=Filters(sort="energy"), now=NOW, vins=False
    )
    assert [row.level for row in sorted_rows] == [6, 6, 60, 60]


@pytest.mark.django_db
def test_liters_without_a_level_are_shown_with_the_range(fleet: Fleet) -> None:
    vehicle = create_vehicle(fleet, "van", powertrain="ICE")
    report_signal(vehicle, catalogue.FUEL_REMAINING, {"value": 32, "unit": "L"})
    report_signal(vehicle, catalogue.FUEL_RANGE, {"value": 410, "unit": "km"})
    found = selectors.get_vehicles(fleet=fleet, vehicle_ids=[vehicle.pk], now=NOW)
    (row,) = build_rows(fleet=fleet, vehicles=found, now=NOW)
    assert (row.has_energy, row.level, row.fuel_liters, row.vehicle.range_km) == (True, None, 32, 410)
    assert row.vehicle.low is False


@pytest.mark.django_db
def test_liters_of_a_known_tank_become_a_level(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    vehicle = create_vehicle(fleet, "van", powertrain="ICE")
    report_signal(vehicle, catalogue.FUEL_REMAINING, {"value": 6, "unit": "L"})
    url = f"/fleets/{fleet.slug}/vehicles/{vehicle.smartcar_id}/settings/"
    assert browser_of(owner).post(url, {"name": "van", "tank_liters": "40"}).status_code == 302
    assert browser_of(owner).post(url, {"name": "van", "tank_liters": "0"}).status_code == 400
    (row,) = selectors.get_vehicles(fleet=fleet, vehicle_ids=[vehicle.pk], now=NOW)
    assert (row.level, row.low) == (15, True)
    page = browser_of(owner).get(f"/fleets/{fleet.slug}/vehicles/{vehicle.smartcar_id}/")
    assert (page.context["level"], page.context["low"]) == (15, True)
    assert "(6 L)" in page.content.decode()
    report_signal(vehicle, catalogue.FUEL_LEVEL, {"value": 60, "unit": "percent"})
    (row,) = selectors.get_vehicles(fleet=fleet, vehicle_ids=[vehicle.pk], now=NOW)
    assert row.level == 60
