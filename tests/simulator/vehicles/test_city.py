from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.vehicles.city import (
    EAST,
    NORTH,
    City,
    Place,
    Point,
    build_city,
    distance,
    on_land,
    place_at,
    route,
)
from simulator.vehicles.trip import Path, path_between

PLACES = [
    place
    for group in ("depots", "homes", "customers", "chargers", "stations")
    for place in getattr(build_city(3), group)
]
ENDS = st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES)).filter(lambda ends: distance(*ends) > 100)
TURNS = st.tuples(st.floats(0, 1), st.floats(0, 1))
WATER = {
    "the ocean": (37.75, -122.515),
    "Lake Merced": (37.722, -122.493),
    "the bay": (37.79, -122.38),
    "Mission Creek": (37.7715, -122.3955),
    "the Golden Gate": (37.81, -122.478),
    "Baker Beach": (37.7945, -122.4845),
    "Islais Creek": (37.7475, -122.388),
}


@pytest.mark.parametrize("point", WATER.values(), ids=WATER)
def test_vehicles_are_never_on_water(point: Point) -> None:
    assert not on_land(*point)
    assert place_at(*point) is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_places_of_a_city_are_on_land_within_its_bounds(seed: int) -> None:
    city: City = build_city(seed)
    for group in (city.depots, city.homes, city.customers, city.chargers, city.stations):
        for place in group:
            assert on_land(*place.point)
            assert 37.705 <= place.latitude <= 37.805
            assert -122.505 <= place.longitude <= -122.395


@given(ends=ENDS, turns=TURNS)
def test_a_route_leads_from_one_place_to_the_other_as_long_as_the_distance_between_them(
    ends: tuple[Place, Place], turns: tuple[float, float]
) -> None:
    found = path_between(*ends, turns)
    corners = route(*ends, turns=turns)
    assert corners[0] == ends[0].point
    assert corners[-1] == ends[1].point
    assert found.length == pytest.approx(distance(*ends), abs=3.0)


@given(ends=ENDS, turns=TURNS, part=st.floats(0, 1))
def test_no_point_of_a_route_is_on_water(
    ends: tuple[Place, Place], turns: tuple[float, float], part: float
) -> None:
    fix = path_between(*ends, turns).fix(part, seconds=1.0)
    assert on_land(fix.latitude, fix.longitude)


@given(ends=ENDS, turns=TURNS)
def test_legs_follow_the_two_street_grids(ends: tuple[Place, Place], turns: tuple[float, float]) -> None:
    for start, end in pairwise(route(*ends, turns=turns)):
        north, east = (end[0] - start[0]) * NORTH, (end[1] - start[1]) * EAST
        straight = min(abs(north), abs(east)) < 1.0
        diagonal = abs(abs(north) - abs(east)) < 1.0
        assert straight or diagonal


@given(ends=ENDS, turns=TURNS, parts=st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_a_vehicle_only_goes_forward_on_its_way(
    ends: tuple[Place, Place], turns: tuple[float, float], parts: list[float]
) -> None:
    found = path_between(*ends, turns)
    earlier, later = (found.fix(part, seconds=1.0) for part in sorted(parts))
    assert 0.0 <= earlier.meters <= later.meters + 1e-6 <= found.length + 1e-3


def test_heading_and_speed_follow_from_the_leg() -> None:
    north_then_east = Path([(37.75, -122.45), (37.77, -122.45), (37.77, -122.43)])
    seconds = north_then_east.length / 7.0
    first, last = (north_then_east.fix(seconds * part, seconds=seconds) for part in (0.1, 0.95))
    assert (first.heading, last.heading) == (0.0, 90.0)
    speeds = [north_then_east.fix(seconds * part / 400, seconds=seconds).speed for part in range(400)]
    assert min(speeds) >= 0.0
    assert max(speeds) <= 2 * 7.0 * 3.6 + 0.1
    assert sum(speeds) / len(speeds) == pytest.approx(7.0 * 3.6, rel=0.05)


def test_a_point_of_the_city_can_be_a_place() -> None:
    mission, soma = place_at(37.76, -122.42), place_at(37.7795, -122.4035)
    assert mission is not None
    assert mission.soma is None
    assert soma is not None
