"""The time of a received value, and whether it is newer than the latest state. Pure functions: no database, no clock.

Vehicles' clocks are wrong by minutes or years, and some manufacturers' times stand still while values change. So the
time of a value is the manufacturer's only as long as the retrievals by Smartcar agree with it.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from vehicles.correction_notes import CorrectionNote
from vehicles.latest_state import LatestSignalRow
from vehicles.received import ReceivedReading

# For how long newer retrievals must contain older times before the vehicle's clock is considered to be behind. Until
# then, they may be outdated copies of a value.
CLOCK_BEHIND_AFTER = timedelta(minutes=30)
_CLOCK_BEHIND = CorrectionNote.CLOCK_BEHIND.note()


class ValueTime(NamedTuple):
    """The time of a value, whether it is newer than the latest state, and the value's correction notes.

    `contact_at` is a time after which the vehicle itself must have reported, or None if the value doesn't show that: a
    value without the manufacturer's time may be an old one that Smartcar retrieved again.
    """

    observed_at: datetime
    newer: bool
    notes: tuple[str, ...]
    contact_at: datetime | None


def value_time(state: LatestSignalRow, received: ReceivedReading) -> ValueTime:
    """Returns the time of a value that was received after the latest `state`. The reading has a body."""
    reading = received.observation
    at = received.observed_at
    if state.body is None or state.observed_at is None:
        return ValueTime(at, True, reading.notes, at if reading.oem_updated_at else None)
    contact_at: datetime | None = at
    notes = reading.notes
    if _has_same_time(state, received):
        at = _time_beside(state, received)
        notes = _with_known_note(state, notes)
    elif _is_clock_behind(state, received):
        at = received.reported_at
        notes = (*notes, _CLOCK_BEHIND)
    if reading.oem_updated_at is None or at != received.observed_at:
        contact_at = None if state.body == reading.body else _reported_at(state)
    return ValueTime(at, _is_newer(state, received, at), notes, contact_at)


def _has_same_time(state: LatestSignalRow, received: ReceivedReading) -> bool:
    """Returns whether the manufacturer's time is the same as before."""
    updated = received.observation.oem_updated_at
    return updated is not None and updated == state.oem_updated_at


def _time_beside(state: LatestSignalRow, received: ReceivedReading) -> datetime:
    """Returns the time of a value with the same manufacturer's time as the latest state.

    A repetition has the same time. Another value shows that the manufacturer's time stands still: the value has the
    time of its retrieval, unless it was recorded before.
    """
    assert state.observed_at is not None
    if state.body == received.observation.body or received.reported_at == _reported_at(state):
        return state.observed_at
    return received.observed_at if received.replayed else received.reported_at


def _with_known_note(state: LatestSignalRow, notes: tuple[str, ...]) -> tuple[str, ...]:
    return (*notes, _CLOCK_BEHIND) if _CLOCK_BEHIND in state.notes else notes


def _is_clock_behind(state: LatestSignalRow, received: ReceivedReading) -> bool:
    """Returns whether a newer retrieval has an older manufacturer's time because the vehicle's clock is behind."""
    updated = received.observation.oem_updated_at
    assert state.observed_at is not None
    if updated is None or updated >= state.observed_at or received.reported_at <= state.reported_at:
        return False
    if _CLOCK_BEHIND in state.notes and state.oem_updated_at is not None and updated > state.oem_updated_at:
        return True
    return state.reported_at - _reported_at(state) >= CLOCK_BEHIND_AFTER


def _reported_at(state: LatestSignalRow) -> datetime:
    """Returns when the state's value was last reported."""
    assert state.observed_at is not None
    return state.retrieved_at or state.observed_at


def _is_newer(state: LatestSignalRow, received: ReceivedReading, at: datetime) -> bool:
    """Returns whether a value is newer: by time of the value, then sequence, then retrieval, then arrival.

    Values with the same manufacturer's time are ordered like values with the same time.
    """
    assert state.observed_at is not None
    if at != state.observed_at and (received.replayed or not _has_same_time(state, received)):
        return at > state.observed_at
    if state.sequence is not None and received.sequence is not None and state.sequence != received.sequence:
        return received.sequence > state.sequence
    if received.reported_at != _reported_at(state):
        return received.reported_at > _reported_at(state)
    return state.body != received.observation.body and not received.replayed
