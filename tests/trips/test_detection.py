"""Trips in readings: always the same, without holes, right about made-up days."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trips.drives import DAY, Leg, Report, readings
from trips.detection import detect
from trips.readings import Reading
from trips.rows import Detection, Evidence, Kind, Row, Unplaced

COMMUTE = (Leg(480, 510), Leg(1020, 1050))

some_reading = st.builds(
    Reading,
    observed=st.integers(0, 3000).map(lambda minute: DAY + 30 * minute),
    received=st.integers(0, 4000).map(lambda minute: DAY + 30 * minute),
    odometer_km=st.none()
    | st.floats(1000, 1400).map(lambda km: round(km, 1))
    | st.integers(1000, 1400).map(float),
    latitude=st.none() | st.floats(47, 49),
    longitude=st.none() | st.floats(10, 12),
    locked=st.none() | st.booleans(),
    plugged=st.none() | st.booleans(),
    energy_added_kwh=st.none() | st.floats(0, 50),
    speed_kmh=st.none() | st.floats(0, 130),
)
legs = st.lists(
    st.tuples(st.floats(3, 120), st.floats(4, 60), st.sampled_from([15.0, 30.0, 50.0, 100.0])),
    min_size=1,
    max_size=6,
)
reports = st.builds(
    Report,
    minutes=st.sampled_from([1.0, 5.0, 15.0, 60.0]),
    awake_for=st.floats(1, 30),
    location=st.booleans(),
    whole_km=st.booleans(),
    lock=st.booleans(),
)


def a_day(drawn: list[tuple[float, float, float]]) -> list[Leg]:
    """Makes drives of (minutes parked before, minutes, speed)."""
    minute, result = 60.0, []
    for parked, driving, kmh in drawn:
        result.append(Leg(minute + parked, minute + parked + driving, kmh))
        minute += parked + driving
    return result


def pieces_of(detection: Detection) -> list[Row | Unplaced]:
    return [*detection.trips, *detection.unplaced]


def assert_whole(detection: Detection) -> None:
    """Rows cover the time, and trips and unplaced distances the odometer line, without hole or overlap."""
    for before, after in pairwise(detection.rows):
        assert before.end == after.start
    for row in detection.rows:
        assert row.start.estimate <= row.end.estimate
        for bound in (row.start, row.end):
            assert bound.earliest <= bound.estimate <= bound.latest
    pieces = sorted(
        (piece.odometer_start_km, piece.odometer_end_km)
        for piece in pieces_of(detection)
        if piece.odometer_start_km != piece.odometer_end_km
    )
    assert all(start < end for start, end in pieces)
    for (_, end), (start, _) in pairwise(pieces):
        assert end == pytest.approx(start, abs=1e-6)
    if detection.rows:
        covered = sum(end - start for start, end in pieces)
        line = detection.rows[-1].odometer_end_km - detection.rows[0].odometer_start_km
        late = sum(
            p.distance_km
            for p in detection.unplaced
            if p.odometer_end_km > detection.rows[-1].odometer_end_km
        )
        assert covered == pytest.approx(line + late, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(some_reading, max_size=40), st.randoms(use_true_random=False))
def test_the_same_readings_in_any_order_give_the_same(values: list[Reading], order: random.Random) -> None:
    shuffled = [*values, *values[:5]]
    order.shuffle(shuffled)
    assert detect(shuffled) == detect(values)


@settings(max_examples=25, deadline=None)
@given(st.lists(some_reading, max_size=60))
def test_any_readings_give_rows_without_holes(values: list[Reading]) -> None:
    assert_whole(detect(values))


@settings(max_examples=25, deadline=None)
@given(legs, reports)
def test_any_day_is_covered_to_the_last_kilometer(
    drawn: list[tuple[float, float, float]], report: Report
) -> None:
    detection = detect(readings(a_day(drawn), report, last=1600))
    assert_whole(detection)
    assert detection.rows[-1].odometer_end_km >= detection.rows[0].odometer_start_km


@pytest.mark.parametrize("minutes", [1.0, 5.0, 15.0])
def test_a_commute_is_two_trips(minutes: float) -> None:
    trips = detect(readings(COMMUTE, Report(minutes=minutes))).trips
    assert len(trips) == 2
    for trip, leg in zip(trips, COMMUTE, strict=True):
        assert trip.distance_km == pytest.approx(20, abs=0.01)
        assert trip.start.earliest <= DAY + 60 * leg.start <= trip.start.latest
        assert trip.end.earliest <= DAY + 60 * leg.end <= trip.end.latest
        assert trip.start.estimate == pytest.approx(DAY + 60 * leg.start, abs=60 * minutes)
        assert trip.end.estimate == pytest.approx(DAY + 60 * leg.end, abs=60 * minutes)


def test_an_hourly_report_still_tells_the_distance() -> None:
    trips = detect(readings(COMMUTE, Report(minutes=60))).trips
    assert [round(trip.distance_km) for trip in trips] == [20, 20]


def test_a_trip_knows_its_places_and_its_evidence() -> None:
    trip = detect(readings(COMMUTE, Report())).trips[0]
    assert trip.start_place
    assert trip.start_place.latitude == pytest.approx(48.0, abs=1e-6)
    assert trip.end_place
    assert trip.end_place.latitude == pytest.approx(48.0 + 20 / 111.2, abs=1e-6)
    assert Evidence.ODOMETER in trip.evidence


def test_a_vehicle_without_an_odometer_moves_by_its_places() -> None:
    values = [replace(reading, odometer_km=None) for reading in readings(COMMUTE, Report())]
    trips = detect(values).trips
    assert len(trips) == 2
    assert trips[0].distance_km == pytest.approx(25, abs=1)  # roads are longer than the straight line


def test_a_vehicle_without_places_moves_by_its_odometer() -> None:
    trips = detect(readings(COMMUTE, Report(location=False))).trips
    assert [round(trip.distance_km) for trip in trips] == [20, 20]
    assert trips[0].start_place is None


def test_a_plugged_in_vehicle_is_parked() -> None:
    stop = (Leg(480, 500), Leg(506, 530))
    values = readings(stop, Report(minutes=15, lock=False))
    cable = Reading(DAY + 60 * 502, DAY + 60 * 503, plugged=True)
    assert len(detect([*values, cable]).trips) == 2


def test_nothing_gives_nothing() -> None:
    assert detect([]) == Detection()
    assert detect([Reading(DAY, DAY, odometer_km=5.0)]).rows == ()


def test_a_parked_day_is_one_row() -> None:
    values = [Reading(DAY + 600 * index, DAY + 600 * index, odometer_km=5.5) for index in range(100)]
    assert [row.kind for row in detect(values).rows] == [Kind.PARKED]
