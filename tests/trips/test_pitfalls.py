"""What goes wrong in the clouds of manufacturers: each pitfall, and what becomes of it."""

from dataclasses import replace

import pytest

from tests.trips.drives import DAY, Leg, Report, readings
from trips.detection import detect
from trips.odometer import NoteCode, Sample, clean_odometer, unstick
from trips.readings import Reading
from trips.rows import Kind

COMMUTE = (Leg(480, 510), Leg(1020, 1050))


def kilometers(values: list[Reading]) -> list[int]:
    return [round(trip.distance_km) for trip in detect(values).trips if trip.distance_km >= 1]


def at(values: list[Reading], minute: float) -> int:
    """The index of the first reading after a minute of the day."""
    return next(index for index, one in enumerate(values) if one.observed >= DAY + 60 * minute)


def test_an_odometer_that_shows_whole_kilometers() -> None:
    found = kilometers(readings(COMMUTE, Report(whole_km=True)))
    assert found == pytest.approx([20, 20], abs=1)


def test_whole_kilometers_without_places() -> None:
    trips = detect(readings(COMMUTE, Report(whole_km=True, location=False))).trips
    assert len(trips) == 2
    assert [trip.distance_km for trip in trips] == pytest.approx([20, 20], abs=2)


def test_an_odometer_that_stands_still_for_an_hour_and_then_jumps() -> None:
    stuck = [Sample(0, 100), Sample(1800, 100), Sample(3600, 100), Sample(3660, 140)]
    assert unstick(stuck) == [Sample(0, 100), Sample(1800, 100), Sample(3660, 140)]


def test_an_odometer_that_runs_backwards_once() -> None:
    values = readings(COMMUTE, Report())
    index = at(values, 495)
    values[index] = replace(values[index], odometer_km=400.0)
    assert kilometers(values) == [20, 20]
    assert [note.code for note in detect(values).notes] == [NoteCode.BACKWARDS]


def test_an_odometer_that_rounds_back_a_little() -> None:
    cleaned = clean_odometer([Sample(0, 100.4), Sample(60, 100.0), Sample(120, 101.0)])
    assert [sample.km for sample in cleaned.line] == [100.4, 100.4, 101.0]
    assert cleaned.notes == []


def test_an_odometer_that_jumps_once() -> None:
    values = readings(COMMUTE, Report())
    index = at(values, 495)
    values[index] = replace(values[index], odometer_km=99_000.0)
    assert kilometers(values) == [20, 20]
    assert [note.code for note in detect(values).notes] == [NoteCode.JUMPED]


def test_miles_in_place_of_kilometers() -> None:
    values = readings(COMMUTE, Report(first_km=20_000.25))
    index = at(values, 495)
    km = values[index].odometer_km
    assert km
    values[index] = replace(values[index], odometer_km=round(km / 1.609344, 3))
    assert kilometers(values) == [20, 20]
    assert [note.code for note in detect(values).notes] == [NoteCode.MILES]


def test_a_new_instrument() -> None:
    values = readings(COMMUTE, Report())
    values = [
        replace(value, odometer_km=(value.odometer_km or 0) - 1000)
        if value.observed > DAY + 60 * 700
        else value
        for value in values
    ]
    detection = detect(values)
    assert NoteCode.NEW_INSTRUMENT in [note.code for note in detection.notes]
    assert sum(trip.distance_km for trip in detection.trips) == pytest.approx(40, abs=4)


def test_a_place_that_repeats_where_the_vehicle_was_parked() -> None:
    values = [replace(value, latitude=48.0) for value in readings(COMMUTE, Report())]
    assert kilometers(values) == [20, 20]


def test_a_repeated_place_with_whole_kilometers() -> None:
    values = [replace(value, latitude=48.0) for value in readings(COMMUTE, Report(whole_km=True))]
    assert kilometers(values) == pytest.approx([20, 20], abs=2)


def test_places_that_are_off_by_some_meters() -> None:
    values = readings(COMMUTE, Report())
    values = [replace(v, latitude=(v.latitude or 0) + 0.002 * (i % 3 - 1)) for i, v in enumerate(values)]
    assert kilometers(values) == [20, 20]


def test_a_place_at_zero_degrees_is_no_place() -> None:
    values = [replace(value, latitude=0.0, longitude=0.0) for value in readings(COMMUTE, Report())]
    detection = detect(values)
    assert kilometers(values) == [20, 20]
    assert all(row.start_place is None for row in detection.rows)


def test_silent_parked_hours_are_parked() -> None:
    rows = detect(readings(COMMUTE, Report())).rows
    assert [row.kind for row in rows] in (
        [Kind.PARKED, Kind.TRIP, Kind.PARKED, Kind.TRIP, Kind.PARKED],
        [Kind.PARKED, Kind.TRIP, Kind.PARKED, Kind.TRIP],
    )


def test_readings_that_come_days_late() -> None:
    values = readings(COMMUTE, Report())
    late = [
        replace(value, received=value.received + 3 * 86_400) if i % 4 == 0 else value
        for i, value in enumerate(values)
    ]
    assert kilometers(late) == [20, 20]


def test_two_readings_that_contradict_each_other() -> None:
    values = readings(COMMUTE, Report())
    other = replace(values[at(values, 495)], odometer_km=900.0, received=DAY + 90_000)
    assert kilometers([*values, other]) == [20, 20]
    assert NoteCode.CONTRADICTED in [note.code for note in detect([*values, other]).notes]


def test_a_distance_in_a_long_gap_is_unplaced() -> None:
    values = [Reading(DAY + 300 * i, DAY + 300 * i, odometer_km=100.5) for i in range(20)]
    values += [Reading(DAY + 90_000 + 300 * i, DAY + 90_000 + 300 * i, odometer_km=160.5) for i in range(20)]
    detection = detect(values)
    assert [distance.distance_km for distance in detection.unplaced] == [60]
    assert [row.kind for row in detection.rows] == [Kind.PARKED, Kind.NO_DATA, Kind.PARKED]
    assert detection.trips == ()


def test_a_vehicle_that_locks_itself_when_it_drives_off() -> None:
    values = [replace(value, locked=True) for value in readings(COMMUTE, Report())]
    assert kilometers(values) == [20, 20]
