"""The next occurrence of a scheduled command: right on every day in every zone, across changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.scheduled.recurrence import next_occurrence
from core.time_zones import names

zones = st.sampled_from(names())
moments = st.integers(0, 25 * 366 * 24 * 60).map(
    lambda minutes: datetime(2015, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
clocks = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
weeks = st.sets(st.integers(0, 6), min_size=1)


def skipped(local: datetime, zone: str) -> bool:
    """Whether the clocks skip this local time."""
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone)).replace(
        tzinfo=None
    ) != local.replace(fold=0)


@given(zone=zones, after=moments, at=clocks, weekdays=weeks)
def test_the_next_occurrence_is_the_first_of_all_local_times_that_match(
    zone: str, after: datetime, at: time, weekdays: set[int]
) -> None:
    found = next_occurrence(at=at, zone=zone, after=after, weekdays=weekdays)
    assert found is not None
    assert after < found <= after + timedelta(days=8, hours=1)
    local = found.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    days = [after.date() + timedelta(days=number) for number in range(-2, 11)]
    wanted = [datetime.combine(day, at) for day in days if day.weekday() in weekdays]
    if not any(skipped(each, zone) for each in wanted):
        assert (local.time(), local.weekday() in weekdays) == (at, True)
    exact = [each.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for each in wanted]
    assert found == min(each for each in exact if each > after)


@given(zone=zones, after=moments, at=clocks, weekdays=weeks)
def test_occurrences_follow_each_other_and_none_comes_twice(
    zone: str, after: datetime, at: time, weekdays: set[int]
) -> None:
    days = []
    for _ in range(15):
        found = next_occurrence(at=at, zone=zone, after=after, weekdays=weekdays)
        assert found is not None
        assert found > after
        days.append(found.astimezone(ZoneInfo(zone)).date())
        after = found
    # One per day at most. Islands that change sides of the date line skip a day, which then has none.
    assert len(set(days)) == len(days)


@pytest.mark.parametrize(
    ("after", "at", "expected"),
    [
        # At 02:00 on March 29, the clocks in Berlin skip an hour.
        ("2026-03-28T12:00Z", time(2, 30), "2026-03-29T01:30Z"),
        ("2026-03-29T01:30Z", time(2, 30), "2026-03-30T00:30Z"),
        ("2026-03-28T20:00Z", time(20), "2026-03-29T18:00Z"),
        # At 03:00 on October 25, they repeat an hour: the first time counts.
        ("2026-10-24T12:00Z", time(2, 30), "2026-10-25T00:30Z"),
        ("2026-10-25T00:30Z", time(2, 30), "2026-10-26T01:30Z"),
    ],
)
def test_changes_of_the_clocks_in_berlin(after: str, at: time, expected: str) -> None:
    found = next_occurrence(
        at=at, zone="Europe/Berlin", after=datetime.fromisoformat(after), weekdays=range(7)
    )
    assert found == datetime.fromisoformat(expected)


def test_a_single_date_comes_once() -> None:
    times = {"at": time(20), "zone": "America/Los_Angeles", "on": date(2026, 12, 1)}
    due = datetime(2026, 12, 2, 4, tzinfo=UTC)
    assert next_occurrence(after=datetime(2026, 1, 1, tzinfo=UTC), **times) == due  # type: ignore[arg-type]
    assert next_occurrence(after=due, **times) is None  # type: ignore[arg-type]


def test_no_day_of_the_week_never_comes() -> None:
    assert next_occurrence(at=time(20), zone="UTC", after=datetime(2026, 1, 1, tzinfo=UTC)) is None
