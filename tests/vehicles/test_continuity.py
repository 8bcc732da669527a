"""Counters and locations that contradict the vehicle's earlier values."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Reading, Vehicle, VehicleSnapshot
from vehicles.observations import SignalStatus
from vehicles.services import ReceivedReading, ingest_readings
from webhooks.parsing.signals import observe, plausible_times

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BERLIN, POTSDAM, SYDNEY = (52.52, 13.405), (52.4, 13.06), (-33.87, 151.21)


def received(vehicle: Vehicle, signal: Signal, body: dict[str, Any], *, hour: float) -> ReceivedReading:
    at = NOON + timedelta(hours=hour)
    return ReceivedReading(
        vehicle.pk, observe(signal.code, body, times=plausible_times(at, at, None, at)), at
    )


def odometer(vehicle: Vehicle, count: float, *, hour: float, unit: str = "km") -> ReceivedReading:
    return received(vehicle, catalogue.ODOMETER, {"value": count, "unit": unit}, hour=hour)


def place(vehicle: Vehicle, at: tuple[float, float], *, hour: float) -> ReceivedReading:
    body = {"latitude": at[0], "longitude": at[1]}
    return received(vehicle, catalogue.PRECISE_LOCATION, body, hour=hour)


def ingest(batch: Sequence[ReceivedReading], *, together: bool) -> None:
    for part in [batch] if together else [[reading] for reading in batch]:
        ingest_readings(batch=part)


def latest(vehicle: Vehicle, signal: Signal = catalogue.ODOMETER) -> LatestSignal:
    return LatestSignal.objects.get(vehicle=vehicle, code=signal.code)


def history(vehicle: Vehicle) -> list[Any]:
    rows = Reading.objects.filter(vehicle=vehicle).order_by("observed_at")
    return [reading.body["value"] for reading in rows]


def places(vehicle: Vehicle) -> list[Any]:
    rows = Reading.objects.filter(vehicle=vehicle).order_by("observed_at")
    return [(reading.body["latitude"], reading.body["longitude"]) for reading in rows]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (0, "0 kilometers is less than the last count, 40,000 kilometers."),
        (24_855, "24,855 kilometers is less than the last count, 40,000 kilometers."),
        (64_374, "64,374 kilometers is more than can have been added to the last count, 40,000 kilometers."),
        (400_000, "400,000 kilometers is more than can have been added"),
        (40_000_000 / 10, "4,000,000 kilometers is more than can have been added"),
        (40, "40 kilometers is less than the last count"),
    ],
)
def test_odometer_that_falls_or_jumps_is_rejected_with_the_reason(
    vehicle: Vehicle, wrong: float, reason: str
) -> None:
    ingest_readings(batch=[odometer(vehicle, 40_000, hour=0)])
    ingest_readings(batch=[odometer(vehicle, wrong, hour=1)])
    row = latest(vehicle)
    assert (row.value, row.status, row.error_type) == (40_000, SignalStatus.ERROR, "REFUSED")
    assert row.rejection_reason.startswith(reason)
    assert history(vehicle) == [40_000]
    assert VehicleSnapshot.objects.get(vehicle=vehicle).odometer_km == 40_000
    ingest_readings(batch=[odometer(vehicle, 40_050, hour=2)])
    assert (latest(vehicle).value, latest(vehicle).status) == (40_050, SignalStatus.SUCCESS)
    assert latest(vehicle).memory == {}


def test_exact_multiple_is_rejected_even_after_a_long_silence(vehicle: Vehicle) -> None:
    ingest_readings(batch=[odometer(vehicle, 40_000, hour=0), odometer(vehicle, 64_373.8, hour=2_000)])
    assert latest(vehicle).value == 40_000


def test_small_steps_back_through_rounding_count(vehicle: Vehicle) -> None:
    ingest_readings(batch=[odometer(vehicle, 40_000.9, hour=0), odometer(vehicle, 40_000, hour=1)])
    assert latest(vehicle).value == 40_000


def test_first_count_after_a_zero_counts(vehicle: Vehicle) -> None:
    ingest_readings(batch=[odometer(vehicle, 0, hour=0), odometer(vehicle, 40_000, hour=1)])
    assert latest(vehicle).value == 40_000


def test_flipping_unit_never_becomes_a_new_instrument(vehicle: Vehicle) -> None:
    for hour in range(0, 20, 2):
        ingest_readings(batch=[odometer(vehicle, 40_000 + hour, hour=hour)])
        ingest_readings(batch=[odometer(vehicle, 24_855 + hour, hour=hour + 1)])
    assert latest(vehicle).value == 40_018
    assert min(history(vehicle)) == 40_000


@pytest.mark.parametrize("together", [True, False])
def test_several_agreeing_counts_are_a_new_instrument_and_history_says_so(
    vehicle: Vehicle, together: bool
) -> None:
    counts = [40_000, 12, 15, 19, 30]
    ingest([odometer(vehicle, count, hour=hour) for hour, count in enumerate(counts)], together=together)
    assert history(vehicle) == counts
    assert (latest(vehicle).value, latest(vehicle).status) == (30, SignalStatus.SUCCESS)
    bodies = [reading.body for reading in Reading.objects.filter(vehicle=vehicle).order_by("observed_at")]
    assert [body.get("replaces") for body in bodies] == [None, 40_000, None, None, None]


def test_the_value_that_confirms_a_new_instrument_says_so(vehicle: Vehicle) -> None:
    ingest_readings(
        batch=[odometer(vehicle, count, hour=hour) for hour, count in enumerate([40_000, 12, 15, 19])]
    )
    assert "The last count was 40,000 kilometers." in " ".join(latest(vehicle).note_texts)


def test_copies_of_one_wrong_count_do_not_agree(vehicle: Vehicle) -> None:
    ingest_readings(batch=[odometer(vehicle, 40_000, hour=0)])
    for _copy in range(6):
        ingest_readings(batch=[odometer(vehicle, 0, hour=1)])
    assert latest(vehicle).value == 40_000


@pytest.mark.parametrize("together", [True, False])
def test_late_count_must_fit_its_neighbors(vehicle: Vehicle, together: bool) -> None:
    ingest_readings(batch=[odometer(vehicle, 40_000, hour=0), odometer(vehicle, 40_100, hour=10)])
    ingest(
        [
            odometer(vehicle, 40_050, hour=5),
            odometer(vehicle, 400, hour=6),
            odometer(vehicle, 41_000, hour=7),
        ],
        together=together,
    )
    assert history(vehicle) == [40_000, 40_050, 40_100]
    assert latest(vehicle).value == 40_100


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), faults=st.lists(st.integers(1, 11), unique=True, max_size=5))
def test_faulty_counts_never_count_in_any_order_of_arrival(
    vehicle: Vehicle, seed: int, faults: list[int]
) -> None:
    """Unless as many in a row agree as for a new instrument."""
    Reading.objects.filter(vehicle=vehicle).delete()
    LatestSignal.objects.filter(vehicle=vehicle).delete()
    factors = [0, 0.621371, 10, 1_000]
    correct = {hour: 40_000 + 20 * hour for hour in range(13)}
    wrong = {hour: correct[hour] * factors[number % 4] for number, hour in enumerate(faults)}
    readings = [odometer(vehicle, wrong.get(hour, count), hour=hour) for hour, count in correct.items()]
    first, *rest = readings
    random.Random(seed).shuffle(rest)
    ingest_readings(batch=[first])
    ingest(rest, together=False)
    assert history(vehicle) == [count for hour, count in correct.items() if hour not in wrong]
    assert latest(vehicle).value == correct[12]


# Locations


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ((13.405, 52.52), "Latitude and longitude seem to be swapped."),
        (SYDNEY, "The vehicle can't have come this far since its last location."),
    ],
)
def test_swapped_or_impossible_location_is_rejected_with_the_reason(
    vehicle: Vehicle, wrong: tuple[float, float], reason: str
) -> None:
    ingest_readings(batch=[place(vehicle, BERLIN, hour=0)])
    ingest_readings(batch=[place(vehicle, wrong, hour=1)])
    row = latest(vehicle, catalogue.PRECISE_LOCATION)
    assert row.body == {"latitude": 52.52, "longitude": 13.405}
    assert row.rejection_reason.startswith(reason)
    assert "13.4" not in row.rejection_reason
    assert places(vehicle) == [BERLIN]
    ingest_readings(batch=[place(vehicle, POTSDAM, hour=2)])
    assert latest(vehicle, catalogue.PRECISE_LOCATION).status == SignalStatus.SUCCESS
    assert places(vehicle) == [BERLIN, POTSDAM]


@pytest.mark.parametrize("together", [True, False])
def test_transported_vehicle_is_found_after_several_agreeing_locations(
    vehicle: Vehicle, together: bool
) -> None:
    ingest(
        [place(vehicle, at, hour=hour) for hour, at in enumerate([BERLIN, SYDNEY, SYDNEY, SYDNEY])],
        together=together,
    )
    row = latest(vehicle, catalogue.PRECISE_LOCATION)
    assert (row.body or {})["latitude"] == SYDNEY[0]
    assert row.notes == ["value.location_confirmed"]
    assert places(vehicle) == [BERLIN, SYDNEY, SYDNEY, SYDNEY]


def test_long_way_in_a_long_time_counts(vehicle: Vehicle) -> None:
    ingest_readings(batch=[place(vehicle, BERLIN, hour=0), place(vehicle, (40.4, -3.7), hour=24)])
    assert len(places(vehicle)) == 2


def test_late_location_must_fit_its_neighbors(vehicle: Vehicle) -> None:
    ingest_readings(batch=[place(vehicle, BERLIN, hour=0), place(vehicle, POTSDAM, hour=5)])
    ingest_readings(batch=[place(vehicle, SYDNEY, hour=2), place(vehicle, (52.45, 13.2), hour=3)])
    assert places(vehicle) == [BERLIN, (52.45, 13.2), POTSDAM]
