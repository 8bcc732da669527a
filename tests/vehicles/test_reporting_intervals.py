"""The documented delivery intervals of makes."""

from datetime import timedelta

import pytest

from vehicles.reporting_intervals import documented_interval


@pytest.mark.parametrize(
    ("make", "minutes"),
    [("TESLA", 5), ("mercedes-benz", 10), ("Land Rover", 30), ("TOYOTA", 60), ("BYD", 3), ("UNHEARD OF", 60)],
)
def test_longer_end_of_the_documented_range_is_used(make: str, minutes: int) -> None:
    assert documented_interval(make) == timedelta(minutes=minutes)
