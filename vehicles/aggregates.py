"""The SQL that aggregates readings, shared by stored rollups and those computed on request."""

HOUR_END = "(start + interval '1 hour')"
"""The end of the hour that begins at `start`."""


# How far before a midnight its clocks may have been set back: more than any zone has done.
_LOOKBACK = "interval '3 hours'"


def day_start(moment: str, zone: str) -> str:
    """Returns SQL for the start of the day of `moment` in `zone`, both SQL.

    That is midnight: the first of two if the clocks are set back then, as on the Azores and in Havana, or the first
    moment of the day in a zone that skips midnight. If the clocks are set back from after midnight to the day before,
    the new day begins with the first midnight.
    """
    local = f"(({moment}) AT TIME ZONE {zone})::date"
    return _last_midnight(f"({local}), ({local} + 1)", zone, until=moment)


def day_end(start: str, zone: str) -> str:
    """Returns SQL for the midnight that ends the day of `start` in `zone`, both SQL."""
    return _last_midnight(f"((({start}) AT TIME ZONE {zone})::date + 1)", zone)


def _last_midnight(days: str, zone: str, *, until: str = "'infinity'::timestamptz") -> str:
    """Returns SQL for the latest of these days' first midnights that isn't after `until`.

    Of two midnights, PostgreSQL returns the later one (`later`). The earlier one is before it by as much as the clocks
    were set back, if that moment is a midnight, too: clocks may have been set back from midnight to the day before.
    """
    return f"""(
        SELECT max(midnight.at)
        FROM (VALUES {days}) AS local (day)
        CROSS JOIN LATERAL (SELECT local.day::timestamp AT TIME ZONE {zone} AS at) AS later
        CROSS JOIN LATERAL (
            SELECT later.at - (
                ((later.at - {_LOOKBACK}) AT TIME ZONE {zone}) + {_LOOKBACK} - (later.at AT TIME ZONE {zone})
            ) AS at
        ) AS earlier
        CROSS JOIN LATERAL (
            SELECT CASE WHEN earlier.at < later.at AND earlier.at AT TIME ZONE {zone} = local.day::timestamp
                        THEN earlier.at ELSE later.at END AS at
        ) AS midnight
        WHERE midnight.at <= {until}
    )"""  # noqa: S608  made of constants and the caller's SQL


COLUMNS = "mean, minimum, maximum, minimum_at, maximum_at, first, last, count"

# Each value is weighted by its duration: until the next value or the end of the period, which is now for a period that
# is not over. A reading may be in the future according to the vehicle's clock.
ROLLUP_SQL = f"""
    SELECT stretch.vehicle_id, stretch.signal_id, stretch.start, {COLUMNS}
    FROM stretch CROSS JOIN LATERAL (
        SELECT greatest(least(
                   coalesce(sum(value * held) / nullif(sum(held), 0), avg(value)), max(value)), min(value)) AS mean,
               min(value) AS minimum,
               max(value) AS maximum,
               (array_agg(observed_at ORDER BY value, observed_at))[1] AS minimum_at,
               (array_agg(observed_at ORDER BY value DESC, observed_at))[1] AS maximum_at,
               (array_agg(value ORDER BY observed_at))[1] AS first,
               (array_agg(value ORDER BY observed_at DESC))[1] AS last,
               count(*)::integer AS count
        FROM (
            SELECT value, observed_at, greatest(0, extract(epoch FROM
                       lead(observed_at, 1, least(stretch.finish, %(now)s)) OVER (ORDER BY observed_at) - observed_at
                   ))::double precision AS held
            FROM vehicles_reading AS reading
            WHERE reading.vehicle_id = stretch.vehicle_id AND reading.signal_id = stretch.signal_id
              AND reading.observed_at >= stretch.start AND reading.observed_at < stretch.finish
              AND value IS NOT NULL
        ) AS weighed
    ) AS summed_up
    WHERE count > 0
"""  # noqa: S608
"""Aggregates each row of `stretch (vehicle_id, signal_id, start, finish)` that has readings. Parameter: `now`."""
