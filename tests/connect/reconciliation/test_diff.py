"""The diff of reconciliation, as a pure function."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connect.reconciliation.diff import DiscrepancyType, Local, Remote, diff, is_suspicious

NIGHT = datetime(2026, 11, 21, 2, 41, tzinfo=UTC)
USERS, CARS = ["u1", "u2"], ["c1", "c2", "c3"]


@st.composite
def rows(draw: st.DrawFn) -> list[Local]:
    """Rows as two fleets of one site may have them. A key may occur in both."""
    result = []
    for pk in range(draw(st.integers(0, 8))):
        state = draw(st.sampled_from(["standing", "ended", "removed"]))
        result.append(
            Local(
                pk=pk,
                user_id=draw(st.sampled_from(USERS)),
                vehicle_id=draw(st.sampled_from(CARS)),
                connection_id=draw(st.sampled_from(["", "id-1"])),
                ended=state == "ended",
                removed=state == "removed",
                subscribed=draw(st.booleans()),
                since=NIGHT + timedelta(hours=draw(st.integers(-30, 2))),
            )
        )
    return result


@st.composite
def remote_entries(draw: st.DrawFn) -> list[Remote]:
    keys = draw(st.lists(st.tuples(st.sampled_from([*USERS, "u9"]), st.sampled_from(CARS)), unique=True))
    since = st.none() | st.integers(-40, 0).map(lambda hours: NIGHT + timedelta(hours=hours))
    return [Remote(user, car, draw(st.sampled_from(["", "id-1", "id-2"])), draw(since)) for user, car in keys]


keys = st.none() | st.frozensets(st.tuples(st.sampled_from(USERS), st.sampled_from(CARS)))


@given(rows(), remote_entries(), keys)
def test_only_unlisted_connections_are_gone_and_only_removed_ones_are_leftovers(
    ours: list[Local], theirs: list[Remote], subscribed: frozenset[tuple[str, str]] | None
) -> None:
    listed = {each.key for each in theirs}
    for each in diff(ours=ours, theirs=theirs, subscribed=subscribed, began_at=NIGHT):
        if each.kind is DiscrepancyType.GONE:
            assert each.ours is not None
            assert each.ours.key not in listed
            assert not each.ours.ended
            assert not each.ours.removed
        if each.kind is DiscrepancyType.LEFTOVER:
            assert each.theirs is not None
            assert all(row.removed for row in ours if row.key == each.theirs.key)
        if each.ours is not None:
            assert each.ours.since < NIGHT, "what has changed meanwhile is left alone"


@given(rows(), remote_entries(), keys)
def test_exactly_the_unknown_remote_entries_are_reported(
    ours: list[Local], theirs: list[Remote], subscribed: frozenset[tuple[str, str]] | None
) -> None:
    known = {row.key for row in ours}
    found = diff(ours=ours, theirs=theirs, subscribed=subscribed, began_at=NIGHT)
    unknown = {
        each.theirs.key
        for each in found
        if each.kind is DiscrepancyType.UNKNOWN and each.ours is None and each.theirs
    }
    assert unknown == {each.key for each in theirs} - known


@given(rows())
def test_no_discrepancies_when_both_sides_agree(ours: list[Local]) -> None:
    current = [row for row in ours if not row.ended and not row.removed]
    theirs = {row.key: Remote(row.user_id, row.vehicle_id, "", None) for row in current}
    subscribed = frozenset(theirs)
    assert diff(ours=current, theirs=theirs.values(), subscribed=subscribed, began_at=NIGHT) == []


def test_empty_list_against_many_connections_is_suspicious() -> None:
    assert is_suspicious(active=2, gone=2)
    assert is_suspicious(active=100, gone=100)
    assert is_suspicious(active=100, gone=21)
    assert not is_suspicious(active=100, gone=20)
    assert not is_suspicious(active=10, gone=3)
    assert not is_suspicious(active=1, gone=1)
