"""Days in time zones whose clocks are changed around midnight: every moment belongs to exactly one day."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Fleet
from tests.vehicles.readings import read
from vehicles import catalogue, rollups
from vehicles.aggregates import day_end, day_start
from vehicles.history import series
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def days_of(zone: str, moments: list[datetime]) -> list[tuple[datetime, datetime]]:
    """Returns the start and the end of the day of each moment."""
    start = day_start("moment", "zone.name")
    statement = f"""
        SELECT start, {day_end("start", "zone.name")} FROM (
            SELECT {start} AS start, place
            FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS given (moment, place)
            CROSS JOIN (VALUES (%(zone)s::text)) AS zone (name)
        ) AS day CROSS JOIN (VALUES (%(zone)s::text)) AS zone (name)
        ORDER BY place
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {"moments": moments, "zone": zone})
        return list(cursor.fetchall())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "moment", "start", "hours"),
    [
        # The clocks are set back at 1:00, so midnight comes twice, and the day has 25 hours.
        ("Atlantic/Azores", "2026-10-25T00:30", "2026-10-25T00:00", 25),
        ("Atlantic/Azores", "2026-10-25T01:30", "2026-10-25T00:00", 25),
        ("Atlantic/Azores", "2026-10-24T23:30", "2026-10-24T00:00", 24),
        ("America/Havana", "2026-11-01T04:30", "2026-11-01T04:00", 25),
        ("America/Havana", "2026-11-01T05:30", "2026-11-01T04:00", 25),
        # Midnight is skipped, and the day has 23 hours.
        ("America/Havana", "2026-03-08T05:00", "2026-03-08T05:00", 23),
        ("Asia/Beirut", "2026-03-28T22:30", "2026-03-28T22:00", 23),
        # The clocks are set back at midnight: the day before has 25 hours.
        ("America/Santiago", "2026-04-05T03:30", "2026-04-04T03:00", 25),
        ("America/Santiago", "2026-04-05T04:30", "2026-04-05T04:00", 24),
        # The clocks are set back by half an hour, or by two hours.
        ("Australia/Lord_Howe", "2026-04-04T16:00", "2026-04-04T13:00", 24.5),
        ("Antarctica/Troll", "2026-10-25T12:00", "2026-10-24T22:00", 26),
        # From one minute after midnight back to the day before: the new day has begun before.
        ("America/St_Johns", "2010-11-07T02:30:30", "2010-11-07T02:30", 25),
        ("America/St_Johns", "2010-11-07T03:00", "2010-11-07T02:30", 25),
    ],
)
def test_day_begins_with_its_first_moment(zone: str, moment: str, start: str, hours: float) -> None:
    ((begin, end),) = days_of(zone, [utc(moment)])
    assert begin == utc(start)
    assert (end - begin) == timedelta(hours=hours)


def _changes_near_midnight(zone: ZoneInfo) -> list[datetime]:
    """Returns the hours from 2000 to 2035, within three of midnight, in which the zone's clocks are changed."""

    def offset(hours: int) -> timedelta | None:
        return (start + HOUR * hours).astimezone(zone).utcoffset()

    start = datetime(2000, 1, 1, tzinfo=UTC)
    step, found = 24 * 10, []
    for first in range(0, 24 * 365 * 35, step):
        before, after = first, first + step
        if offset(before) == offset(after):
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
        change = start + HOUR * before
        if change.astimezone(zone).hour in (22, 23, 0, 1):
            found.append(change)
    return found


def test_days_of_all_zones_follow_each_other_without_gaps() -> None:
    """Each moment is in its day, and days don't overlap, whenever a zone's clocks are changed around midnight."""
    tried = 0
    # Aliases such as Europe/Zagreb have the changes of another zone.
    zones = {tuple(_changes_near_midnight(ZoneInfo(name))): name for name in sorted(available_timezones())}
    for changes, name in zones.items():
        moments = [
            change + timedelta(minutes=minutes)
            for change in changes
            for minutes in (-1500, -130, -59, -31, -1, 0, 1, 29, 59, 61, 89, 119, 121, 180, 1500)
        ]
        days = days_of(name, moments)
        for moment, (start, end) in zip(moments, days, strict=True):
            assert start <= moment < end, (name, moment)
        periods = sorted(set(days))
        for (_, end), (following, _) in pairwise(periods):
            assert following >= end, (name, end)
        tried += len(moments)
    assert tried > 1000


def test_day_sum_includes_the_hour_between_two_midnights(
    fleet: Fleet, vehicle: Vehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: utc("2026-11-20T12:00"))
    Fleet.objects.filter(pk=fleet.pk).update(time_zone="Atlantic/Azores")
    vehicle = Vehicle.objects.select_related("fleet").get(pk=vehicle.pk)
    hours = [utc("2026-10-24T00:00") + HOUR * hour for hour in range(73)]
    read(vehicle, [(at, float(number)) for number, at in enumerate(hours)])
    expected = [(date(2026, 10, 24), 24), (date(2026, 10, 25), 25), (date(2026, 10, 26), 24)]

    def days() -> list[tuple[date, int]]:
        points = series(
            vehicle=vehicle,
            signal=catalogue.STATE_OF_CHARGE,
            start=hours[0],
            end=hours[-1],
            resolution="day",
        )
        return [(point.at.date(), point.count) for point in points]

    assert days() == expected
    rollups.compute_rollups(now=timezone.now())
    assert days() == expected
