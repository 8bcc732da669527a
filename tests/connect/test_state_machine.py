"""The rules by which evidence determines a connection's status, for any order of evidence."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.status import state_machine
from connect.status.state_machine import (
    ACCOUNT,
    INVALID_GRANT,
    REQUESTS_USED_UP,
    ErrorSignal,
    EvidenceSource,
    Status,
)
from connect.status.states import TERMINATED, USABLE, ConnectionState

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
SIGN_IN = f"{ACCOUNT}:AUTHENTICATION_FAILED"
State = ConnectionState


def status(state: ConnectionState = State.ACTIVE, error: str = "") -> Status:
    return Status(state, START, error=error)


def error_signal(
    state: ConnectionState = State.NEEDS_REAUTHENTICATION,
    *,
    error: str = SIGN_IN,
    source: EvidenceSource = EvidenceSource.EVENT,
    minutes: int = 1,
) -> ErrorSignal:
    return ErrorSignal(state, error, source, START + timedelta(minutes=minutes))


def after_errors(*errors: ErrorSignal, before: Status | None = None) -> Status:
    now = before or status()
    for each in errors:
        now = state_machine.on_error(now, each)
    return now


def test_one_error_does_not_end_a_connection() -> None:
    one = after_errors(error_signal())
    assert one.state is State.ACTIVE
    assert [each.state for each in one.pending_issues] == [State.NEEDS_REAUTHENTICATION]


def test_errors_of_two_sources_are_confirmed() -> None:
    confirmed = after_errors(error_signal(), error_signal(source=EvidenceSource.CALL, minutes=2))
    assert (confirmed.state, confirmed.error, confirmed.pending_issues) == (
        State.NEEDS_REAUTHENTICATION,
        SIGN_IN,
        (),
    )


def test_repeated_error_is_confirmed_only_after_the_gap() -> None:
    assert after_errors(error_signal(), error_signal(minutes=3)).state is State.ACTIVE
    assert after_errors(error_signal(), error_signal(minutes=16)).state is State.NEEDS_REAUTHENTICATION


def test_error_is_confirmed_if_no_data_follows() -> None:
    pending = after_errors(error_signal())
    assert state_machine.confirm_after_timeout(pending, now=START + timedelta(hours=11)).state is State.ACTIVE
    confirmed = state_machine.confirm_after_timeout(pending, now=START + timedelta(hours=13))
    assert (confirmed.state, confirmed.error) == (State.NEEDS_REAUTHENTICATION, SIGN_IN)


def test_daily_false_alarm_between_data_never_changes_the_status() -> None:
    now = status()
    for day in range(30):
        now = state_machine.on_error(now, error_signal(minutes=day * 1440))
        now = state_machine.confirm_after_timeout(now, now=START + timedelta(days=day, hours=1))
        now = state_machine.on_data(now, at=START + timedelta(days=day, hours=2))
        assert now.state is State.ACTIVE
    assert now.pending_issues == ()


@pytest.mark.parametrize("state", [each for each in State if each not in TERMINATED])
def test_fresh_data_restores_the_connection(state: ConnectionState) -> None:
    restored = state_machine.on_data(status(state, "X"), at=START + timedelta(minutes=1))
    assert (restored.state, restored.error if state is not State.ACTIVE else "") == (State.ACTIVE, "")


def test_data_received_before_the_problem_does_not_restore_the_connection() -> None:
    degraded = status(State.NEEDS_REAUTHENTICATION, SIGN_IN)
    assert state_machine.on_data(degraded, at=START - timedelta(seconds=1)) == degraded


def test_data_released_from_quarantine_counts_as_first_data() -> None:
    assert state_machine.on_data(status(State.PENDING), at=START - timedelta(hours=1)).state is State.ACTIVE


@pytest.mark.parametrize("error", [INVALID_GRANT, REQUESTS_USED_UP])
def test_pushed_data_does_not_revive_a_dead_token_or_an_exhausted_limit(error: str) -> None:
    state = State.NEEDS_REAUTHENTICATION if error == INVALID_GRANT else State.PLAN_LIMIT
    assert state_machine.on_data(status(state, error), at=START + timedelta(days=1)).state is state


def test_resolved_event_clears_only_what_it_names() -> None:
    degraded = status(State.NEEDS_REAUTHENTICATION, SIGN_IN)
    later = START + timedelta(hours=1)
    other = state_machine.resolved(degraded, type=ACCOUNT, code="SUBSCRIPTION", at=later)
    assert other.state is State.NEEDS_REAUTHENTICATION
    for code in ("AUTHENTICATION_FAILED", None):
        assert state_machine.resolved(degraded, type=ACCOUNT, code=code, at=later).state is State.ACTIVE
    assert (
        state_machine.resolved(after_errors(error_signal()), type=ACCOUNT, code=None, at=later).pending_issues
        == ()
    )


def test_plan_limit_is_confirmed_at_once_and_does_not_hide_a_more_serious_status() -> None:
    limit = error_signal(State.PLAN_LIMIT, error="BILLING:VEHICLE_LIMIT", source=EvidenceSource.CALL)
    assert after_errors(limit).state is State.PLAN_LIMIT
    graver = status(State.NEEDS_REAUTHENTICATION, SIGN_IN)
    assert after_errors(limit, before=graver) == graver
    assert (
        state_machine.on_call_succeeded(after_errors(limit), now=START + timedelta(hours=1)).state
        is State.ACTIVE
    )


def test_exhausted_request_limit_ends_with_the_month() -> None:
    used_up = status(State.PLAN_LIMIT, REQUESTS_USED_UP)
    assert state_machine.on_new_month(used_up, now=START + timedelta(days=20)).state is State.PLAN_LIMIT
    assert state_machine.on_new_month(used_up, now=START + timedelta(days=31)).state is State.ACTIVE


def test_unknown_vehicle_is_revoked_only_by_the_list() -> None:
    errors = [
        error_signal(State.REVOKED, error=state_machine.GONE, source=source, minutes=minutes)
        for source, minutes in (
            (EvidenceSource.CALL, 1),
            (EvidenceSource.EVENT, 60),
            (EvidenceSource.CALL, 600),
        )
    ]
    pending = after_errors(*errors)
    later = START + timedelta(days=3)
    assert state_machine.confirm_after_timeout(pending, now=later).state is State.ACTIVE
    assert state_machine.on_listed(pending, now=later, found=True).pending_issues == ()
    assert state_machine.on_listed(pending, now=later, found=False).state is State.REVOKED


@pytest.mark.parametrize(
    ("type_", "code", "on_signals", "source", "expected"),
    [
        (ACCOUNT, "AUTHENTICATION_FAILED", True, EvidenceSource.EVENT, State.NEEDS_REAUTHENTICATION),
        (ACCOUNT, "SUBSCRIPTION", False, EvidenceSource.EVENT, State.SUBSCRIPTION_NEEDED),
        (ACCOUNT, "PERMISSION", False, EvidenceSource.CALL, State.PERMISSION_MISSING),
        (ACCOUNT, "PERMISSION", True, EvidenceSource.EVENT, None),
        (ACCOUNT, "VIRTUAL_KEY_REQUIRED", False, EvidenceSource.CALL, None),
        (ACCOUNT, "SOMETHING_NEW", False, EvidenceSource.EVENT, None),
        ("PERMISSION", None, True, EvidenceSource.EVENT, None),
        ("PERMISSION", None, False, EvidenceSource.EVENT, State.PERMISSION_MISSING),
        ("AUTHENTICATION", None, False, EvidenceSource.EVENT, State.NEEDS_REAUTHENTICATION),
        ("AUTHENTICATION", None, False, EvidenceSource.CALL, None),
        ("BILLING", "VEHICLE_REQUEST_LIMIT", False, EvidenceSource.CALL, State.PLAN_LIMIT),
        ("BILLING", "INVALID_PLAN", False, EvidenceSource.CALL, None),
        ("UPSTREAM", "NO_RESPONSE", False, EvidenceSource.EVENT, None),
        ("VEHICLE_STATE", "DEVICE_PAIRING_REQUIRED", False, EvidenceSource.CALL, None),
    ],
)
def test_which_errors_affect_the_whole_connection(
    type_: str, code: str | None, on_signals: bool, source: EvidenceSource, expected: ConnectionState | None
) -> None:
    assert state_machine.state_for(type=type_, code=code, source=source, on_signals=on_signals) is expected


def test_unknown_account_error_counts_if_smartcar_requests_a_sign_in() -> None:
    state = state_machine.state_for(
        type=ACCOUNT, code="NEW", source=EvidenceSource.EVENT, reauthenticate=True
    )
    assert state is State.NEEDS_REAUTHENTICATION


# For any order of evidence.


@dataclass(frozen=True)
class Step:
    """One piece of evidence: its name, and its effect on a status at a time."""

    name: str
    apply: Callable[[Status, datetime], Status]


def _error_steps() -> list[Step]:
    def step(state: ConnectionState, error: str, source: EvidenceSource) -> Step:
        def apply(before: Status, at: datetime) -> Status:
            return state_machine.on_error(before, ErrorSignal(state, error, source, at))

        return Step(f"{source}:{error}", apply)

    targets = {
        State.NEEDS_REAUTHENTICATION: SIGN_IN,
        State.SUBSCRIPTION_NEEDED: f"{ACCOUNT}:SUBSCRIPTION",
        State.PERMISSION_MISSING: f"{ACCOUNT}:PERMISSION",
        State.PLAN_LIMIT: "BILLING:VEHICLE_LIMIT",
        State.REVOKED: state_machine.GONE,
    }
    return [step(state, error, source) for state, error in targets.items() for source in EvidenceSource]


STEPS = [
    *_error_steps(),
    Step("data", lambda before, at: state_machine.on_data(before, at=at)),
    Step("silence", lambda before, at: state_machine.on_no_data(before, now=at)),
    Step("settle", lambda before, at: state_machine.confirm_after_timeout(before, now=at)),
    Step("worked", lambda before, at: state_machine.on_call_succeeded(before, now=at)),
    Step("month", lambda before, at: state_machine.on_new_month(before, now=at)),
    Step("listed", lambda before, at: state_machine.on_listed(before, now=at, found=True)),
    Step("unlisted", lambda before, at: state_machine.on_listed(before, now=at, found=False)),
    Step(
        "resolved",
        lambda before, at: state_machine.resolved(before, type=ACCOUNT, code="AUTHENTICATION_FAILED", at=at),
    ),
]
evidence = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 60 * 24)), max_size=25)


@given(evidence)
def test_every_state_is_supported_by_evidence(history: list[tuple[Step, int]]) -> None:
    now, at = status(State.PENDING), START
    received: dict[str, int] = {}
    for step, minutes in history:
        at += timedelta(minutes=minutes)
        before, now = now, step.apply(now, at)
        if step.name == "data":
            received.clear()
            assert now.state in (State.ACTIVE, *TERMINATED)
            assert now.pending_issues == ()
        received[step.name] = received.get(step.name, 0) + 1
        if now.state is before.state:
            continue
        assert now.since == at
        if now.state is State.NEEDS_REAUTHENTICATION:
            reports = sum(count for name, count in received.items() if name.endswith(SIGN_IN))
            assert reports >= 2 or step.name == "settle"
        if now.state is State.REVOKED:
            assert step.name == "unlisted"
        assert before.state not in TERMINATED
        assert all(each.state is not now.state for each in now.pending_issues)


@given(evidence)
def test_data_after_anything_means_a_live_connection(history: list[tuple[Step, int]]) -> None:
    now, at = status(State.PENDING), START
    for step, minutes in history:
        at += timedelta(minutes=minutes)
        now = step.apply(now, at)
    restored = state_machine.on_data(now, at=at)
    assert restored.state in (*USABLE, *TERMINATED)
    assert restored.state is State.ACTIVE or now.state in TERMINATED
