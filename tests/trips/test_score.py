"""The score: how weeks are thinned and trips compared, and figures on made-up weeks that mustn't fall."""

import json
from pathlib import Path

import pytest

from score import page
from score.figures import Found, Tally, day_errors, matches
from score.peers import track
from score.results import found_in
from score.simulated import weeks as simulated_weeks
from score.thinning import VARIANTS, thin, variant
from score.weeks import TrueTrip, load
from tests.trips.drives import DAY, week
from trips.readings import Reading

TRUE = TrueTrip(DAY, DAY + 1200, 10.0, 100.0)

# The F1 of made-up weeks when they were last looked at. They may fall by 0.02.
FIGURES = {
    ("exact", 1): 1.0,
    ("exact", 5): 0.99,
    ("exact", 15): 0.84,
    ("whole_km_no_place", 5): 0.93,
    ("no_lock_no_cable", 5): 0.87,
}


@pytest.mark.parametrize(("name", "minutes"), FIGURES)
def test_the_figures_do_not_fall(name: str, minutes: int) -> None:
    tally = Tally()
    for seed in range(4):
        made_up = week(f"week {seed}", seed)
        trips, unplaced_km = found_in(thin(made_up, variant(name, minutes), "1"))
        tally.add(trips, made_up.trips, unplaced_km=unplaced_km)
    assert tally.summary()["f1"] >= FIGURES[name, minutes] - 0.02


def test_half_of_the_union_is_a_match() -> None:
    assert matches([Found.at(DAY, DAY + 600, 5)], [TRUE])
    assert not matches([Found.at(DAY, DAY + 590, 5)], [TRUE])
    assert matches([Found.at(DAY, DAY + 2400, 5)], [TRUE])


def test_a_trip_matches_once() -> None:
    same = Found.at(DAY, DAY + 1200, 10)
    assert len(matches([same, same], [TRUE])) == 1


def test_short_trips_do_not_count() -> None:
    tally = Tally()
    tally.add([Found.at(DAY, DAY + 60, 0.9)], [TrueTrip(DAY, DAY + 60, 0.9, 0.0)])
    assert (tally.true, tally.found) == (0, 0)


def test_a_split_at_a_standstill_is_counted_apart() -> None:
    pause = TrueTrip(DAY, DAY + 1200, 10.0, 100.0, ((DAY + 500, DAY + 600),))
    tally = Tally()
    tally.add([Found.at(DAY, DAY + 500, 4), Found.at(DAY + 600, DAY + 1200, 6)], [pause])
    assert tally.standstill_splits == 1


def test_the_distance_of_a_day_is_compared() -> None:
    assert day_errors([Found.at(DAY, DAY + 1200, 9)], [TRUE]) == [1.0]


def test_an_interval_contains_the_truth_or_not() -> None:
    tally = Tally()
    tally.add([Found((DAY - 60, DAY + 5, DAY + 60), (DAY + 1000, DAY + 1100, DAY + 1150), 10)], [TRUE])
    assert tally.summary()["interval_coverage"] == 0.5


def test_thinning_is_the_same_each_time() -> None:
    made_up = week("a", 1, days=1)
    assert thin(made_up, variant("troubled", 5), "1") == thin(made_up, variant("troubled", 5), "1")
    assert thin(made_up, variant("troubled", 5), "1") != thin(made_up, variant("troubled", 5), "2")


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_leave_out_what_they_say(name: str) -> None:
    values = thin(week("a", 1, days=1), variant(name, 15), "1")
    assert any(value.latitude is not None for value in values) == ("no_place" not in name)
    assert any(value.locked is not None for value in values) == (name != "no_lock_no_cable")
    kilometers = [value.odometer_km for value in values if value.odometer_km is not None]
    assert all(km == int(km) for km in kilometers) == ("whole_km" in name)


def test_a_parked_vehicle_is_silent_except_by_the_clock() -> None:
    made_up = week("a", 1, days=1)
    silent, by_clock = (len(thin(made_up, variant(name, 15), "1")) for name in ("exact", "by_clock"))
    assert silent < by_clock / 1.5


def test_peers_see_the_last_place_again_before_a_gap_ends() -> None:
    values = [
        Reading(DAY, DAY, latitude=48.0, longitude=11.0),
        Reading(DAY + 3600, DAY + 3600, latitude=48.1, longitude=11.0),
    ]
    assert track(values, 300) == [(DAY, 48.0, 11.0), (DAY + 3300, 48.0, 11.0), (DAY + 3600, 48.1, 11.0)]


def test_simulated_weeks_have_trips() -> None:
    simulated = next(simulated_weeks(vehicles=1, count=1))
    assert simulated.trips
    moments = {moment.time: moment for moment in simulated.moments}
    first = simulated.trips[0]
    assert min(abs(time - first.start) for time in moments) <= 60


def test_weeks_are_read_from_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path)
    (tmp_path / "01.csv").write_text(
        "time,latitude,longitude,speed_kmh,odometer_km,state_of_charge_percent,plugged,charging,energy_added_kwh,locked\n"
        "2026-01-01T00:00:00Z,48.1,11.2,0.0,100.5,,1,0,,1\n"
    )
    trip = {
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-01T00:10:00Z",
        "distance_km": 3,
        "odometer_start_km": 100,
    }
    (tmp_path / "01.truth.json").write_text(json.dumps({"trips": [{**trip, "standstills": []}]}))
    (loaded,) = load(tmp_path)
    assert loaded.moments[0].plugged
    assert loaded.moments[0].state_of_charge is None
    assert loaded.trips[0].end - loaded.trips[0].start == 600


def test_the_table_is_written_between_its_marks(tmp_path: Path) -> None:
    tally = Tally()
    tally.add([Found.at(DAY, DAY + 1200, 10)], [TRUE])
    results = {"weeks": {"exact": {"5": {"trips": tally.summary(), "peers": {"trackintel": {"f1": 0.5}}}}}}
    document = tmp_path / "accuracy.md"
    document.write_text("# Before\n")
    with pytest.raises(ValueError, match="marks"):
        page.write_table(document, results)
    document.write_text(f"# Before\n{page._BEGIN}\nold\n{page._END}\nafter\n")
    page.write_table(document, results)
    assert "| `exact` | 5 | 1.000 | 1.000 | 1.000 |" in document.read_text()
    assert "old" not in document.read_text()
    assert "exact" in page.write(tmp_path, results).read_text()
