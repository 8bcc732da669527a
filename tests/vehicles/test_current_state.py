"""How long a reported state counts as the present one: the same in Python, in the ORM, and in SQL."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vehicles import catalogue
from vehicles.catalogue import Shape, Signal
from vehicles.current_state import current, current_sql, holding_time, is_current, is_state
from vehicles.models import LatestSignal, Vehicle, VehicleSnapshot
from vehicles.observations import SignalError, SignalReading, SignalStatus
from vehicles.services import ReceivedReading, ingest_readings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
COLUMNS = {
    catalogue.IS_CHARGING: "charging",
    catalogue.IS_LOCKED: "locked",
    catalogue.SPEED: "speed",
}
STATES = [
    catalogue.IS_CHARGING,
    catalogue.CABLE_CONNECTED,
    catalogue.CHARGE_PORT_OPEN,
    catalogue.IS_LOCKED,
    catalogue.DOORS,
    catalogue.WINDOWS,
    catalogue.REAR_TRUNK,
    catalogue.IS_ASLEEP,
    catalogue.IS_ONLINE,
]


def row(signal: Signal, *, at: datetime = NOON, status: str = "SUCCESS") -> LatestSignal:
    return LatestSignal(code=signal.code, body={"value": True}, status=status, observed_at=at, reported_at=at)


def report(vehicle: Vehicle, signal: Signal, value: bool | float | None, *, at: datetime) -> None:
    """Ingests a report of the signal: a value, or an error for None."""
    if value is None:
        observation = SignalReading(
            signal.code, SignalStatus.ERROR, error=SignalError("VEHICLE_STATE"), retrieved_at=at
        )
    else:
        observation = SignalReading(signal.code, SignalStatus.SUCCESS, {"value": value}, oem_updated_at=at)
    ingest_readings(batch=[ReceivedReading(vehicle.pk, observation, received_at=at)])


@pytest.mark.parametrize("signal", STATES)
def test_state_holds_for_a_limited_time(signal: Signal) -> None:
    holds = holding_time(signal)
    assert holds is not None
    assert timedelta(hours=2) <= holds <= timedelta(days=1)
    assert is_state(signal.code)
    assert is_current(row(signal), now=NOON + holds)
    assert not is_current(row(signal), now=NOON + holds + SECOND)


@pytest.mark.parametrize("status", ["ERROR", "UNAVAILABLE"])
@pytest.mark.parametrize("signal", STATES)
def test_state_is_unknown_after_a_failed_report(signal: Signal, status: str) -> None:
    assert not is_current(row(signal, status=status), now=NOON)


def test_missing_value_is_not_current() -> None:
    assert not is_current(None, now=NOON)
    assert not is_current(LatestSignal(code="closure-islocked", status="SUCCESS"), now=NOON)


def test_every_state_of_the_catalog_is_judged() -> None:
    """A boolean that is new in the catalog gets its staleness at least, and none holds forever."""
    booleans = [
        each
        for each in catalogue.CATALOGUE.values()
        if each.shape in (Shape.BOOLEAN, Shape.CLOSURE, Shape.OPENINGS)
    ]
    assert all(holding_time(signal) is not None for signal in booleans)


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    signal=st.sampled_from(list(COLUMNS)),
    offset=st.sampled_from([timedelta(0), -SECOND, SECOND, timedelta(days=5), -timedelta(minutes=14)]),
    events=st.lists(st.booleans(), min_size=1, max_size=4),
)
def test_python_and_sql_agree(
    vehicle: Vehicle, signal: Signal, offset: timedelta, events: list[bool]
) -> None:
    """`events` are reports in order: values and failures."""
    LatestSignal.objects.all().delete()
    VehicleSnapshot.objects.all().delete()
    at = NOON
    for succeeded in (True, *events):
        at += SECOND
        report(vehicle, signal, 1 if succeeded else None, at=at)
    stored = LatestSignal.objects.get(vehicle=vehicle)
    assert stored.observed_at is not None
    now = stored.observed_at + (holding_time(signal) or timedelta(0)) + offset
    name = COLUMNS[signal]
    condition = current_sql(signal, at=f"{name}_at", failed=f"{name}_failed")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {condition} FROM vehicles_summary WHERE vehicle_id = {vehicle.pk}", {"now": now}
        )
        (in_sql,) = cursor.fetchone()
    expected = is_current(stored, now=now)
    assert in_sql is expected
    assert LatestSignal.objects.filter(current(signal, now=now)).exists() is expected


@pytest.mark.django_db
def test_a_resolved_error_makes_a_recent_state_current_again(vehicle: Vehicle) -> None:
    report(vehicle, catalogue.IS_LOCKED, True, at=NOON)
    report(vehicle, catalogue.IS_LOCKED, None, at=NOON + SECOND)
    assert VehicleSnapshot.objects.get().locked_failed
    resolved = SignalReading(catalogue.IS_LOCKED.code, SignalStatus.SUCCESS, retrieved_at=NOON + 2 * SECOND)
    ingest_readings(batch=[ReceivedReading(vehicle.pk, resolved, received_at=NOON + 2 * SECOND)])
    snapshot = VehicleSnapshot.objects.get()
    assert (snapshot.locked, snapshot.locked_failed) == (True, False)
    assert is_current(LatestSignal.objects.get(), now=NOON + timedelta(hours=1))
    assert not is_current(LatestSignal.objects.get(), now=timezone.now() + timedelta(days=400))
