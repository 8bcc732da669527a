"""When a battery or fuel alert opens, and when it resolves."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import Fleet, User
from alerts import battery, preferences
from alerts.models import Alert, AlertSettings
from alerts.types import AlertType
from tests.alerts.helpers import NOW, open_alerts, report_signals
from vehicles import catalogue
from vehicles.models import Vehicle
from vehicles.observations import SignalError, SignalReading, SignalStatus
from vehicles.services import ReceivedReading, Update, ingest_readings

pytestmark = pytest.mark.django_db


def test_a_vehicle_below_the_threshold_raises_one_alert(vehicle: Vehicle) -> None:
    report_signals(vehicle, charge=20.0)
    assert open_alerts() == []
    report_signals(vehicle, charge=19.6, at=NOW + timedelta(minutes=1))
    report_signals(vehicle, charge=11.0, at=NOW + timedelta(minutes=2))
    (alert,) = open_alerts()
    assert (alert.kind, alert.subject_id, alert.vehicle) == (AlertType.BATTERY, vehicle.pk, vehicle)
    assert alert.payload == {"level": 19.6, "threshold": 20, "fuel": False}


def test_an_alert_resolves_well_above_the_threshold_and_small_changes_keep_it_open(vehicle: Vehicle) -> None:
    for minutes, level in enumerate([19, 21, 19, 24.9, 18, 22]):
        report_signals(vehicle, charge=level, at=NOW + timedelta(minutes=minutes))
        assert len(open_alerts()) == 1
    report_signals(vehicle, charge=25, at=NOW + timedelta(minutes=10))
    assert open_alerts() == []
    assert Alert.objects.count() == 1


def test_a_charging_vehicle_raises_no_alert_until_it_stops(vehicle: Vehicle) -> None:
    report_signals(vehicle, charge=10, charging=True)
    assert open_alerts() == []
    report_signals(vehicle, charging=False, at=NOW + timedelta(minutes=5))
    assert len(open_alerts()) == 1


def test_a_charging_state_without_recent_updates_is_ignored(vehicle: Vehicle) -> None:
    report_signals(vehicle, charge=10, charging=True)
    assert battery.find_missed(now=NOW + timedelta(hours=1)) == []
    assert battery.find_missed(now=NOW + timedelta(hours=3)) == [vehicle.pk]


def test_charging_of_days_ago_suppresses_no_alert_while_other_data_arrives(vehicle: Vehicle) -> None:
    report_signals(vehicle, charge=60, charging=True, at=NOW - timedelta(days=5))
    report_signals(vehicle, charge=10)
    assert len(open_alerts()) == 1


def test_charging_suppresses_no_alert_after_its_signal_has_failed(vehicle: Vehicle) -> None:
    report_signals(vehicle, charge=10, charging=True)
    failed = SignalReading(
        catalogue.IS_CHARGING.code,
        SignalStatus.ERROR,
        error=SignalError("UPSTREAM"),
        retrieved_at=NOW + timedelta(minutes=1),
    )
    ingest_readings(batch=[ReceivedReading(vehicle.pk, failed, NOW + timedelta(minutes=1))])
    assert battery.find_missed(now=NOW + timedelta(minutes=5)) == [vehicle.pk]


def test_charging_alone_does_not_resolve_an_alert(vehicle: Vehicle) -> None:
    report_signals(vehicle, charge=10)
    report_signals(vehicle, charging=True, at=NOW + timedelta(minutes=5))
    assert len(open_alerts()) == 1
    report_signals(vehicle, charge=40, at=NOW + timedelta(minutes=50))
    assert open_alerts() == []


def test_the_fuel_level_counts_if_a_vehicle_reports_no_charge(vehicle: Vehicle, fleet: Fleet) -> None:
    report_signals(vehicle, fuel=9)
    (alert,) = open_alerts()
    assert alert.payload["fuel"] is True
    hybrid = Vehicle.objects.create(fleet=fleet, smartcar_id="hybrid")
    report_signals(hybrid, charge=80, fuel=9)
    assert open_alerts() == [alert]


def test_an_old_value_that_arrives_late_changes_nothing(vehicle: Vehicle) -> None:
    report_signals(vehicle, charge=60)
    report_signals(vehicle, charge=5, at=NOW - timedelta(hours=1))
    assert open_alerts() == []


def test_each_fleet_has_its_own_threshold(vehicle: Vehicle, fleet: Fleet) -> None:
    AlertSettings.objects.create(fleet=fleet, low_battery=50)
    report_signals(vehicle, charge=45)
    assert len(open_alerts()) == 1
    report_signals(vehicle, charge=54, at=NOW + timedelta(minutes=1))
    assert len(open_alerts()) == 1
    report_signals(vehicle, charge=55, at=NOW + timedelta(minutes=2))
    assert open_alerts() == []


def test_a_fleet_that_disabled_battery_alerts_gets_none(vehicle: Vehicle, fleet: Fleet) -> None:
    AlertSettings.objects.create(fleet=fleet, kinds=[AlertType.CONNECTION])
    report_signals(vehicle, charge=5)
    assert open_alerts() == []
    assert battery.find_missed(now=NOW) == []


def test_a_lower_threshold_resolves_alerts_above_it(vehicle: Vehicle, fleet: Fleet, owner: User) -> None:
    report_signals(vehicle, charge=15)
    preferences.update_settings(fleet=fleet, low_battery=15, kinds=list(AlertType), actor=owner)
    assert open_alerts() == []
    preferences.update_settings(fleet=fleet, low_battery=16, kinds=list(AlertType), actor=owner)
    assert battery.find_missed(now=NOW) == [vehicle.pk]


def test_a_batch_without_changes_needs_at_most_one_query(vehicle: Vehicle, fleet: Fleet) -> None:
    vehicles = Vehicle.objects.bulk_create(
        Vehicle(fleet=fleet, smartcar_id=f"car-{number}") for number in range(50)
    )
    report_signals(vehicle, charge=10)
    for other in vehicles:
        report_signals(other, charge=70)
    code = "tractionbattery-stateofcharge"
    updates = [Update(other.pk, code, {"value": 70}, NOW) for other in [vehicle, *vehicles]]
    with CaptureQueriesContext(database) as queries:
        battery.on_signals(updates=updates, now=NOW)
    assert len(queries) == 1
    with CaptureQueriesContext(database) as queries:
        battery.on_signals(updates=[Update(vehicle.pk, "closure-islocked", {"value": True}, NOW)], now=NOW)
    assert len(queries) == 0
