"""An alert is given once, ends with its cause, and goes on when that comes back at once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import Fleet, User
from alerts import preferences, services
from alerts.models import Alert
from alerts.types import REOPEN_WINDOW, AlertCondition, AlertType
from tests.alerts.helpers import NOW, begin, open_alerts
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def again(vehicle: Vehicle, *, level: int = 0, minutes: float = 1) -> int:
    condition = AlertCondition(
        AlertType.BATTERY, vehicle.fleet_id, vehicle.pk, subject_id=vehicle.pk, level=level
    )
    return services.raise_alerts(conditions=[condition], now=NOW + minutes * MINUTE)


def over(vehicle: Vehicle, *, minutes: float) -> int:
    return services.resolve(kind=AlertType.BATTERY, subject_ids=[vehicle.pk], now=NOW + minutes * MINUTE)


def test_a_condition_that_lasts_is_told_once(vehicle: Vehicle) -> None:
    assert again(vehicle) == 1
    assert again(vehicle, minutes=2) == 0
    (notice,) = open_alerts()
    assert notice.last_raised_at == NOW + MINUTE


def test_an_acknowledged_notice_stays_so_while_it_lasts(vehicle: Vehicle, owner: User) -> None:
    begin(vehicle)
    assert services.acknowledge(fleet=vehicle.fleet, kinds=AlertType, user=owner, now=NOW) == 1
    again(vehicle)
    (notice,) = open_alerts()
    assert (notice.is_unacknowledged, notice.acknowledged_by) == (False, owner)


def test_worse_is_news_again_and_waits_for_somebody(vehicle: Vehicle, owner: User) -> None:
    begin(vehicle)
    services.acknowledge(fleet=vehicle.fleet, kinds=AlertType, user=owner, now=NOW)
    Alert.objects.update(emailed_at=NOW)
    assert again(vehicle, level=1) == 1
    assert again(vehicle, level=0, minutes=2) == again(vehicle, level=1, minutes=3) == 0
    (notice,) = open_alerts()
    assert (notice.is_unacknowledged, notice.emailed_at, notice.last_raised_at) == (True, None, NOW + MINUTE)


def test_it_ends_with_its_cause_and_what_comes_back_at_once_is_the_same(
    vehicle: Vehicle, owner: User
) -> None:
    begin(vehicle)
    services.acknowledge(fleet=vehicle.fleet, kinds=AlertType, user=owner, now=NOW)
    for minutes in (10, 20, 30):
        assert over(vehicle, minutes=minutes) == 1
        assert open_alerts() == []
        assert over(vehicle, minutes=minutes) == 0
        assert again(vehicle, minutes=minutes + 1) == 0
    (notice,) = open_alerts()
    assert Alert.objects.count() == 1
    assert (notice.is_unacknowledged, notice.last_raised_at) == (False, NOW)


def test_what_comes_back_after_a_pause_is_told_anew(vehicle: Vehicle, owner: User) -> None:
    begin(vehicle)
    services.acknowledge(fleet=vehicle.fleet, kinds=AlertType, user=owner, now=NOW)
    over(vehicle, minutes=10)
    assert again(vehicle, minutes=10 + REOPEN_WINDOW[AlertType.BATTERY] / MINUTE) == 1
    assert Alert.objects.count() == 2
    (notice,) = open_alerts()
    assert notice.is_unacknowledged


def test_the_database_refuses_a_second_open_notice_of_the_same(vehicle: Vehicle) -> None:
    notice = begin(vehicle)
    notice.pk = None
    with pytest.raises(IntegrityError):
        notice.save(force_insert=True)


def test_many_at_once_take_as_many_queries_as_one(fleet: Fleet) -> None:
    counts = []
    for size in (1, 300):
        cars = Vehicle.objects.bulk_create(
            Vehicle(fleet=fleet, smartcar_id=f"car-{size}-{number}") for number in range(size)
        )
        conditions = [AlertCondition(AlertType.BATTERY, fleet.pk, car.pk, subject_id=car.pk) for car in cars]
        with CaptureQueriesContext(database) as queries:
            services.raise_alerts(conditions=conditions, now=NOW)
        counts.append(sum("SAVEPOINT" not in query["sql"] for query in queries))
    assert counts[0] == counts[1] <= 4
    assert len(open_alerts()) == 301


def test_a_kind_that_the_fleet_does_not_watch_is_not_told_and_ends(vehicle: Vehicle, owner: User) -> None:
    begin(vehicle)
    lost = begin(vehicle, AlertType.CONNECTION)
    preferences.update_settings(
        fleet=vehicle.fleet, low_battery=20, kinds=[AlertType.CONNECTION], actor=owner
    )
    assert open_alerts() == [lost]
    assert again(vehicle, minutes=60) == 0
    assert open_alerts() == [lost]


def test_acknowledging_takes_the_fleets_own_and_only_the_kinds_given(
    vehicle: Vehicle, owner: User, outsider: User
) -> None:
    low, lost = begin(vehicle), begin(vehicle, AlertType.CONNECTION)
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
    assert [notice.is_unacknowledged for notice in open_alerts()] == [False, True]


def test_nothing_is_left_of_a_car_that_left(vehicle: Vehicle) -> None:
    begin(vehicle)
    begin(vehicle, AlertType.CONNECTION, subject_id=7)
    assert services.resolve_for_vehicles(vehicle_ids=[vehicle.pk], now=NOW) == 2
    assert open_alerts() == []
