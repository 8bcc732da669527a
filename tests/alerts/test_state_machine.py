"""In any order of events: at most one open alert, only while the condition holds, and never raised twice."""

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


class AlertMachine(RuleBasedStateMachine):
    """Two vehicles, each of which is low or not. The model stores whether each is low, and when it last recovered."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction_block = transaction.atomic()
        self.transaction_block.__enter__()
        self.now: datetime = NOW

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction_block.__exit__(None, None, None)

    @initialize()
    def create_fleet_and_vehicles(self) -> None:
        self.owner = make_user("machine@fleet.example")
        self.fleet = create_fleet(name="M", slug="m", owner=self.owner, api_version=SmartcarApiVersion.V3)
        self.vehicles = [Vehicle.objects.create(fleet=self.fleet, smartcar_id=f"{n}") for n in range(2)]
        self.low = {vehicle.pk: False for vehicle in self.vehicles}
        self.worst = {vehicle.pk: 0 for vehicle in self.vehicles}
        self.recovered_at: dict[int, datetime | None] = {vehicle.pk: None for vehicle in self.vehicles}
        self.raised = {vehicle.pk: 0 for vehicle in self.vehicles}

    @rule(index=st.integers(0, 1), level=st.integers(0, 2))
    def becomes_low(self, index: int, level: int) -> None:
        pk = self.vehicles[index].pk
        raised = services.raise_alerts(
            conditions=[AlertCondition(AlertType.BATTERY, self.fleet.pk, pk, subject_id=pk, level=level)],
            now=self.now,
        )
        recovered_at = self.recovered_at[pk]
        is_new = not self.low[pk] and (recovered_at is None or self.now - recovered_at >= PAUSE)
        worse = level > self.worst[pk]
        assert raised == int(is_new or worse)
        self.worst[pk] = level if is_new else max(level, self.worst[pk])
        self.low[pk] = True

    @rule(index=st.integers(0, 1))
    def recovers(self, index: int) -> None:
        pk = self.vehicles[index].pk
        resolved = services.resolve(kind=AlertType.BATTERY, subject_ids=[pk], now=self.now)
        assert resolved == int(self.low[pk])
        if self.low[pk]:
            self.low[pk], self.recovered_at[pk] = False, self.now

    @rule()
    def all_are_acknowledged(self) -> None:
        services.acknowledge(fleet=self.fleet, kinds=AlertType, user=self.owner, now=self.now)

    @rule(minutes=st.sampled_from([1, 30, PAUSE / timedelta(minutes=1), 600]))
    def time_passes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def open_alerts_match_low_vehicles(self) -> None:
        if hasattr(self, "vehicles"):
            found = Alert.objects.filter(resolved_at=None).values_list("subject_id", flat=True)
            assert sorted(found) == sorted(pk for pk, low in self.low.items() if low)
            for alert in Alert.objects.all():
                assert alert.opened_at <= alert.last_raised_at <= self.now
                assert alert.resolved_at is None or alert.resolved_at >= alert.opened_at


def test_alerts_follow_conditions_in_any_order(db: None) -> None:
    AlertMachine.TestCase.settings = settings(
        max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    AlertMachine.TestCase("runTest").runTest()
