"""Times as they are transmitted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.parsing.times import limited_to, not_from_the_future, parse_time

MOMENT = datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        1760000000000,
        1760000000000.0,
        1760000000,
        "1760000000000",
        "2025-10-09T08:53:20Z",
        "2025-10-09T08:53:20.000Z",
        "2025-10-09T10:53:20+02:00",
        "2025-10-09T08:53:20",
    ],
)
def test_all_formats_of_a_time(raw: Any) -> None:
    assert parse_time(raw) == MOMENT


def test_milliseconds_are_preserved() -> None:
    assert parse_time(1760000000123) == MOMENT + timedelta(milliseconds=123)


@pytest.mark.parametrize(
    "raw",
    [0, 0.0, "0", None, "", "soon", True, [], {}, -1, 1, 2**63, 1e300, float("nan"), float("inf"), "9" * 40],
)
def test_missing_or_invalid_time_is_unknown(raw: Any) -> None:
    assert parse_time(raw) is None


@pytest.mark.parametrize(
    "raw",
    ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2500-01-01"],
)
def test_implausible_time_is_unknown(raw: Any) -> None:
    assert parse_time(raw) is None


@given(st.integers() | st.floats() | st.text() | st.datetimes().map(datetime.isoformat))
def test_any_value_returns_an_aware_utc_time_or_none(raw: Any) -> None:
    moment = parse_time(raw)
    assert moment is None or moment.utcoffset() == timedelta(0)


def test_time_well_after_the_message_is_rejected() -> None:
    assert not_from_the_future(MOMENT + timedelta(hours=2), MOMENT) is None


def test_clocks_may_differ_by_a_few_minutes_only() -> None:
    ahead = MOMENT + timedelta(minutes=4)
    assert not_from_the_future(ahead, MOMENT) == ahead
    assert not_from_the_future(MOMENT + timedelta(minutes=6), MOMENT) is None


def test_retrieval_is_never_after_the_receipt() -> None:
    assert limited_to(MOMENT + timedelta(minutes=4), MOMENT) == MOMENT
    assert limited_to(MOMENT + timedelta(minutes=6), MOMENT) is None
    assert limited_to(MOMENT - timedelta(days=1), MOMENT) == MOMENT - timedelta(days=1)


def test_without_a_limit_every_time_is_accepted() -> None:
    assert not_from_the_future(MOMENT, None) == MOMENT
