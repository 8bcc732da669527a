"""Whatever comes in whatever order: one open alert at most, only while the condition holds, and no news in between."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from accounts.models import SmartcarApiVersion
from accounts.services import create_fleet
from alerts import services
from alerts.models import Alert
from alerts.types import REOPEN_WINDOW, AlertCondition, AlertType
from tests.alerts.helpers import NOW
from tests.conftest import make_user
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
PAUSE = REOPEN_WINDOW[AlertType.BATTERY]


class Notices(RuleBasedStateMachine):
    """Two cars, each of which is low or not; the model beside the tables is when that began and was last over."""

    def __init__(self) -> None:
        super().__init__()
        self.around = transaction.atomic()
        self.around.__enter__()
        self.now: datetime = NOW

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.around.__exit__(None, None, None)

    @initialize()
    def a_fleet(self) -> None:
        self.owner = make_user("machine@fleet.example")
        self.fleet = create_fleet(name="M", slug="m", owner=self.owner, api_version=SmartcarApiVersion.V3)
        self.cars = [Vehicle.objects.create(fleet=self.fleet, smartcar_id=f"{n}") for n in range(2)]
        self.low = {car.pk: False for car in self.cars}
        self.worst = {car.pk: 0 for car in self.cars}
        self.over_at: dict[int, datetime | None] = {car.pk: None for car in self.cars}
        self.news = {car.pk: 0 for car in self.cars}

    @rule(car=st.integers(0, 1), level=st.integers(0, 2))
    def is_low(self, car: int, level: int) -> None:
        pk = self.cars[car].pk
        told = services.raise_alerts(
            conditions=[AlertCondition(AlertType.BATTERY, self.fleet.pk, pk, subject_id=pk, level=level)],
            now=self.now,
        )
        over_at = self.over_at[pk]
        anew = not self.low[pk] and (over_at is None or self.now - over_at >= PAUSE)
        worse = level > self.worst[pk]
        assert told == int(anew or worse)
        self.worst[pk] = level if anew else max(level, self.worst[pk])
        self.low[pk] = True

    @rule(car=st.integers(0, 1))
    def is_well(self, car: int) -> None:
        pk = self.cars[car].pk
        ended = services.resolve(kind=AlertType.BATTERY, subject_ids=[pk], now=self.now)
        assert ended == int(self.low[pk])
        if self.low[pk]:
            self.low[pk], self.over_at[pk] = False, self.now

    @rule()
    def somebody_takes_all_in_hand(self) -> None:
        services.acknowledge(fleet=self.fleet, kinds=AlertType, user=self.owner, now=self.now)

    @rule(minutes=st.sampled_from([1, 30, PAUSE / timedelta(minutes=1), 600]))
    def time_passes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def open_is_what_is_low(self) -> None:
        if hasattr(self, "cars"):
            found = Alert.objects.filter(resolved_at=None).values_list("subject_id", flat=True)
            assert sorted(found) == sorted(pk for pk, low in self.low.items() if low)
            for notice in Alert.objects.all():
                assert notice.opened_at <= notice.last_raised_at <= self.now
                assert notice.resolved_at is None or notice.resolved_at >= notice.opened_at


def test_notices_follow_conditions_in_any_order(db: None) -> None:
    Notices.TestCase.settings = settings(
        max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    Notices.TestCase("runTest").runTest()
