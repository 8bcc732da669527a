"""An alert is raised once, resolves with its condition, and reopens if that returns soon."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import Fleet, User
from alerts import preferences, services
from alerts.models import Alert
from alerts.types import REOPEN_WINDOW, AlertCondition, AlertType
from tests.alerts.helpers import NOW, open_alerts, raise_alert
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def raise_again(vehicle: Vehicle, *, level: int = 0, minutes: float = 1) -> int:
    condition = AlertCondition(
        AlertType.BATTERY, vehicle.fleet_id, vehicle.pk, subject_id=vehicle.pk, level=level
    )
    return services.raise_alerts(conditions=[condition], now=NOW + minutes * MINUTE)


def resolve(vehicle: Vehicle, *, minutes: float) -> int:
    return services.resolve(kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=NOW + minutes * MINUTE)


def test_a_lasting_condition_raises_one_alert(vehicle: Vehicle) -> None:
    assert raise_again(vehicle) == 1
    assert raise_again(vehicle, minutes=2) == 0
    (alert,) = open_alerts()
    assert alert.last_raised_at == NOW + MINUTE


def test_an_acknowledged_alert_stays_acknowledged_while_it_lasts(vehicle: Vehicle, owner: User) -> None:
    raise_alert(vehicle)
    assert services.acknowledge(fleet=vehicle.fleet, kinds=AlertType, user=owner, now=NOW) == 1
    raise_again(vehicle)
    (alert,) = open_alerts()
    assert (alert.is_unacknowledged, alert.acknowledged_by) == (False, owner)


def test_a_more_severe_condition_raises_the_alert_again(vehicle: Vehicle, owner: User) -> None:
    raise_alert(vehicle)
    services.acknowledge(fleet=vehicle.fleet, kinds=AlertType, user=owner, now=NOW)
    Alert.objects.update(emailed_at=NOW)
    assert raise_again(vehicle, level=1) == 1
    assert raise_again(vehicle, level=0, minutes=2) == raise_again(vehicle, level=1, minutes=3) == 0
    (alert,) = open_alerts()
    assert (alert.is_unacknowledged, alert.emailed_at, alert.last_raised_at) == (True, None, NOW + MINUTE)


def test_an_alert_resolves_with_its_condition_and_reopens_if_that_returns_soon(
    vehicle: Vehicle, owner: User
) -> None:
    raise_alert(vehicle)
    services.acknowledge(fleet=vehicle.fleet, kinds=AlertType, user=owner, now=NOW)
    for minutes in (10, 20, 30):
        assert resolve(vehicle, minutes=minutes) == 1
        assert open_alerts() == []
        assert resolve(vehicle, minutes=minutes) == 0
        assert raise_again(vehicle, minutes=minutes + 1) == 0
    (alert,) = open_alerts()
    assert Alert.objects.count() == 1
    assert (alert.is_unacknowledged, alert.last_raised_at) == (False, NOW)


def test_a_condition_that_returns_after_a_pause_raises_a_new_alert(vehicle: Vehicle, owner: User) -> None:
    raise_alert(vehicle)
    services.acknowledge(fleet=vehicle.fleet, kinds=AlertType, user=owner, now=NOW)
    resolve(vehicle, minutes=10)
    assert raise_again(vehicle, minutes=10 + REOPEN_WINDOW[AlertType.BATTERY] / MINUTE) == 1
    assert Alert.objects.count() == 2
    (alert,) = open_alerts()
    assert alert.is_unacknowledged


def test_the_database_rejects_a_second_open_alert_about_the_same(vehicle: Vehicle) -> None:
    alert = raise_alert(vehicle)
    alert.pk = None
    with pytest.raises(IntegrityError):
        alert.save(force_insert=True)


def test_raising_many_alerts_takes_as_many_queries_as_one(fleet: Fleet) -> None:
    counts = []
    for size in (1, 300):
        vehicles = Vehicle.objects.bulk_create(
            Vehicle(fleet=fleet, smartcar_id=f"car-{size}-{number}") for number in range(size)
        )
        conditions = [
            AlertCondition(AlertType.BATTERY, fleet.pk, vehicle.pk, subject_id=vehicle.pk)
            for vehicle in vehicles
        ]
        with CaptureQueriesContext(database) as queries:
            services.raise_alerts(conditions=conditions, now=NOW)
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in queries))
    assert counts[0] == counts[1] <= 4
    assert len(open_alerts()) == 301


def test_alerts_of_a_disabled_type_resolve_and_are_not_raised(vehicle: Vehicle, owner: User) -> None:
    raise_alert(vehicle)
    lost = raise_alert(vehicle, AlertType.CONNECTION)
    preferences.update_settings(
        fleet=vehicle.fleet, low_battery=20, kinds=[AlertType.CONNECTION], actor=owner
    )
    assert open_alerts() == [lost]
    assert raise_again(vehicle, minutes=60) == 0
    assert open_alerts() == [lost]


def test_acknowledging_is_limited_to_the_fleet_and_the_given_types(
    vehicle: Vehicle, owner: User, outsider: User
) -> None:
    low, lost = raise_alert(vehicle), raise_alert(vehicle, AlertType.CONNECTION)
    elsewhere = outsider.fleets.get()
    assert services.acknowledge(fleet=elsewhere, kinds=AlertType, user=outsider, now=NOW) == 0
    assert (
        services.acknowledge(fleet=elsewhere, kinds=AlertType, user=outsider, now=NOW, alert_id=low.pk) == 0
    )
    fleet = vehicle.fleet
    assert (
        services.acknowledge(fleet=fleet, kinds=[AlertType.BATTERY], user=owner, now=NOW, alert_id=lost.pk)
        == 0
    )
    assert services.acknowledge(fleet=fleet, kinds=[AlertType.BATTERY], user=owner, now=NOW) == 1
    assert [alert.is_unacknowledged for alert in open_alerts()] == [False, True]


def test_resolving_for_a_vehicle_resolves_all_of_its_alerts(vehicle: Vehicle) -> None:
    raise_alert(vehicle)
    raise_alert(vehicle, AlertType.CONNECTION, subject_id=7)
    assert services.resolve_for_vehicles(vehicle_ids=[vehicle.pk], now=NOW) == 2
    assert open_alerts() == []
