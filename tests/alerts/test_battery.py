"""When a battery or a tank is low, and when it is well again."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import Fleet, User
from alerts import battery, preferences
from alerts.models import Alert, AlertSettings
from alerts.types import AlertType
from tests.alerts.helpers import NOW, hear, open_alerts
from vehicles.models import Vehicle
from vehicles.services import Update

pytestmark = pytest.mark.django_db


def test_a_car_below_the_threshold_is_noticed_once(vehicle: Vehicle) -> None:
    hear(vehicle, charge=20.0)
    assert open_alerts() == []
    hear(vehicle, charge=19.6, at=NOW + timedelta(minutes=1))
    hear(vehicle, charge=11.0, at=NOW + timedelta(minutes=2))
    (notice,) = open_alerts()
    assert (notice.kind, notice.subject_id, notice.vehicle) == (AlertType.BATTERY, vehicle.pk, vehicle)
    assert notice.payload == {"level": 19.6, "threshold": 20, "fuel": False}


def test_it_is_over_well_above_the_threshold_and_hovering_about_it_is_one_notice(vehicle: Vehicle) -> None:
    for minutes, level in enumerate([19, 21, 19, 24.9, 18, 22]):
        hear(vehicle, charge=level, at=NOW + timedelta(minutes=minutes))
        assert len(open_alerts()) == 1
    hear(vehicle, charge=25, at=NOW + timedelta(minutes=10))
    assert open_alerts() == []
    assert Alert.objects.count() == 1


def test_a_car_that_is_charging_needs_nobody_until_it_stops(vehicle: Vehicle) -> None:
    hear(vehicle, charge=10, charging=True)
    assert open_alerts() == []
    hear(vehicle, charging=False, at=NOW + timedelta(minutes=5))
    assert len(open_alerts()) == 1


def test_a_car_that_was_charging_when_last_heard_of_long_ago_counts_as_low(vehicle: Vehicle) -> None:
    hear(vehicle, charge=10, charging=True)
    assert battery.find_missed(now=NOW + timedelta(hours=1)) == []
    assert battery.find_missed(now=NOW + timedelta(hours=3)) == [vehicle.pk]


def test_charging_does_not_end_a_notice_before_the_level_does(vehicle: Vehicle) -> None:
    hear(vehicle, charge=10)
    hear(vehicle, charging=True, at=NOW + timedelta(minutes=5))
    assert len(open_alerts()) == 1
    hear(vehicle, charge=40, at=NOW + timedelta(minutes=50))
    assert open_alerts() == []


def test_the_fuel_level_counts_where_a_car_tells_no_other(vehicle: Vehicle, fleet: Fleet) -> None:
    hear(vehicle, fuel=9)
    (notice,) = open_alerts()
    assert notice.payload["fuel"] is True
    hybrid = Vehicle.objects.create(fleet=fleet, smartcar_id="hybrid")
    hear(hybrid, charge=80, fuel=9)
    assert open_alerts() == [notice]


def test_an_old_value_that_comes_late_changes_nothing(vehicle: Vehicle) -> None:
    hear(vehicle, charge=60)
    hear(vehicle, charge=5, at=NOW - timedelta(hours=1))
    assert open_alerts() == []


def test_each_fleet_has_its_own_threshold(vehicle: Vehicle, fleet: Fleet) -> None:
    AlertSettings.objects.create(fleet=fleet, low_battery=50)
    hear(vehicle, charge=45)
    assert len(open_alerts()) == 1
    hear(vehicle, charge=54, at=NOW + timedelta(minutes=1))
    assert len(open_alerts()) == 1
    hear(vehicle, charge=55, at=NOW + timedelta(minutes=2))
    assert open_alerts() == []


def test_a_fleet_that_does_not_watch_batteries_gets_no_notice(vehicle: Vehicle, fleet: Fleet) -> None:
    AlertSettings.objects.create(fleet=fleet, kinds=[AlertType.CONNECTION])
    hear(vehicle, charge=5)
    assert open_alerts() == []
    assert battery.find_missed(now=NOW) == []


def test_a_lower_threshold_ends_what_is_not_below_it(vehicle: Vehicle, fleet: Fleet, owner: User) -> None:
    hear(vehicle, charge=15)
    preferences.update_settings(fleet=fleet, low_battery=15, kinds=list(AlertType), actor=owner)
    assert open_alerts() == []
    preferences.update_settings(fleet=fleet, low_battery=16, kinds=list(AlertType), actor=owner)
    assert battery.find_missed(now=NOW) == [vehicle.pk]


def test_a_batch_in_which_nothing_changes_takes_one_query_or_none(vehicle: Vehicle, fleet: Fleet) -> None:
    cars = Vehicle.objects.bulk_create(
        Vehicle(fleet=fleet, smartcar_id=f"car-{number}") for number in range(50)
    )
    hear(vehicle, charge=10)
    for car in cars:
        hear(car, charge=70)
    code = "tractionbattery-stateofcharge"
    updates = [Update(car.pk, code, {"value": 70}, NOW) for car in [vehicle, *cars]]
    with CaptureQueriesContext(database) as queries:
        battery.on_signals(updates=updates, now=NOW)
    assert len(queries) == 1
    with CaptureQueriesContext(database) as queries:
        battery.on_signals(updates=[Update(vehicle.pk, "closure-islocked", {"value": True}, NOW)], now=NOW)
    assert len(queries) == 0
