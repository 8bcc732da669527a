"""The rules by which a connection's state follows from evidence, in any order of evidence."""

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


def standing(state: ConnectionState = State.ACTIVE, error: str = "") -> Status:
    return Status(state, START, error=error)


def complaint(
    state: ConnectionState = State.NEEDS_REAUTHENTICATION,
    *,
    error: str = SIGN_IN,
    source: EvidenceSource = EvidenceSource.EVENT,
    minutes: int = 1,
) -> ErrorSignal:
    return ErrorSignal(state, error, source, START + timedelta(minutes=minutes))


def after(*complaints: ErrorSignal, before: Status | None = None) -> Status:
    now = before or standing()
    for each in complaints:
        now = state_machine.on_error(now, each)
    return now


def test_one_error_ends_nothing() -> None:
    one = after(complaint())
    assert one.state is State.ACTIVE
    assert [each.state for each in one.pending_issues] == [State.NEEDS_REAUTHENTICATION]


def test_two_kinds_of_witness_are_believed() -> None:
    moved = after(complaint(), complaint(source=EvidenceSource.CALL, minutes=2))
    assert (moved.state, moved.error, moved.pending_issues) == (State.NEEDS_REAUTHENTICATION, SIGN_IN, ())


def test_the_same_error_is_believed_when_it_comes_again_after_a_while_and_not_at_once() -> None:
    assert after(complaint(), complaint(minutes=3)).state is State.ACTIVE
    assert after(complaint(), complaint(minutes=16)).state is State.NEEDS_REAUTHENTICATION


def test_silence_after_an_error_settles_it() -> None:
    suspected = after(complaint())
    assert (
        state_machine.confirm_after_timeout(suspected, now=START + timedelta(hours=11)).state is State.ACTIVE
    )
    settled = state_machine.confirm_after_timeout(suspected, now=START + timedelta(hours=13))
    assert (settled.state, settled.error) == (State.NEEDS_REAUTHENTICATION, SIGN_IN)


def test_a_daily_false_alarm_between_data_never_moves_the_connection() -> None:
    now = standing()
    for day in range(30):
        now = state_machine.on_error(now, complaint(minutes=day * 1440))
        now = state_machine.confirm_after_timeout(now, now=START + timedelta(days=day, hours=1))
        now = state_machine.on_data(now, at=START + timedelta(days=day, hours=2))
        assert now.state is State.ACTIVE
    assert now.pending_issues == ()


@pytest.mark.parametrize("state", [each for each in State if each not in TERMINATED])
def test_fresh_data_heals(state: ConnectionState) -> None:
    healed = state_machine.on_data(standing(state, "X"), at=START + timedelta(minutes=1))
    assert (healed.state, healed.error if state is not State.ACTIVE else "") == (State.ACTIVE, "")


def test_data_received_before_the_trouble_does_not_heal_it() -> None:
    troubled = standing(State.NEEDS_REAUTHENTICATION, SIGN_IN)
    assert state_machine.on_data(troubled, at=START - timedelta(seconds=1)) == troubled


def test_what_waited_in_quarantine_is_first_data() -> None:
    assert state_machine.on_data(standing(State.PENDING), at=START - timedelta(hours=1)).state is State.ACTIVE


@pytest.mark.parametrize("error", [INVALID_GRANT, REQUESTS_USED_UP])
def test_pushed_data_does_not_bring_back_a_dead_token_or_used_up_requests(error: str) -> None:
    state = State.NEEDS_REAUTHENTICATION if error == INVALID_GRANT else State.PLAN_LIMIT
    assert state_machine.on_data(standing(state, error), at=START + timedelta(days=1)).state is state


def test_resolved_clears_what_it_names_and_nothing_else() -> None:
    troubled = standing(State.NEEDS_REAUTHENTICATION, SIGN_IN)
    later = START + timedelta(hours=1)
    other = state_machine.resolved(troubled, type=ACCOUNT, code="SUBSCRIPTION", at=later)
    assert other.state is State.NEEDS_REAUTHENTICATION
    for code in ("AUTHENTICATION_FAILED", None):
        assert state_machine.resolved(troubled, type=ACCOUNT, code=code, at=later).state is State.ACTIVE
    assert state_machine.resolved(after(complaint()), type=ACCOUNT, code=None, at=later).pending_issues == ()


def test_the_plan_is_believed_at_once_and_hides_nothing_graver() -> None:
    limit = complaint(State.PLAN_LIMIT, error="BILLING:VEHICLE_LIMIT", source=EvidenceSource.CALL)
    assert after(limit).state is State.PLAN_LIMIT
    graver = standing(State.NEEDS_REAUTHENTICATION, SIGN_IN)
    assert after(limit, before=graver) == graver
    assert state_machine.on_call_succeeded(after(limit), now=START + timedelta(hours=1)).state is State.ACTIVE


def test_used_up_requests_come_back_with_the_month() -> None:
    used_up = standing(State.PLAN_LIMIT, REQUESTS_USED_UP)
    assert state_machine.on_new_month(used_up, now=START + timedelta(days=20)).state is State.PLAN_LIMIT
    assert state_machine.on_new_month(used_up, now=START + timedelta(days=31)).state is State.ACTIVE


def test_a_car_that_smartcar_does_not_know_is_gone_only_by_the_list() -> None:
    gone = [
        complaint(State.REVOKED, error=state_machine.GONE, source=source, minutes=minutes)
        for source, minutes in (
            (EvidenceSource.CALL, 1),
            (EvidenceSource.EVENT, 60),
            (EvidenceSource.CALL, 600),
        )
    ]
    suspected = after(*gone)
    later = START + timedelta(days=3)
    assert state_machine.confirm_after_timeout(suspected, now=later).state is State.ACTIVE
    assert state_machine.on_listed(suspected, now=later, found=True).pending_issues == ()
    assert state_machine.on_listed(suspected, now=later, found=False).state is State.REVOKED


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
def test_which_errors_speak_of_the_whole_connection(
    type_: str, code: str | None, on_signals: bool, source: EvidenceSource, expected: ConnectionState | None
) -> None:
    assert state_machine.state_for(type=type_, code=code, source=source, on_signals=on_signals) is expected


def test_an_unknown_account_error_counts_when_smartcar_asks_for_a_sign_in() -> None:
    found = state_machine.state_for(
        type=ACCOUNT, code="NEW", source=EvidenceSource.EVENT, reauthenticate=True
    )
    assert found is State.NEEDS_REAUTHENTICATION


# In any order of evidence.


@dataclass(frozen=True)
class Step:
    """One piece of evidence: its name, and what it does to a standing at a time."""

    name: str
    apply: Callable[[Status, datetime], Status]


def _complaints() -> list[Step]:
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
    *_complaints(),
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
    now, at = standing(State.PENDING), START
    heard: dict[str, int] = {}
    for step, minutes in history:
        at += timedelta(minutes=minutes)
        before, now = now, step.apply(now, at)
        if step.name == "data":
            heard.clear()
            assert now.state in (State.ACTIVE, *TERMINATED)
            assert now.pending_issues == ()
        heard[step.name] = heard.get(step.name, 0) + 1
        if now.state is before.state:
            continue
        assert now.since == at
        if now.state is State.NEEDS_REAUTHENTICATION:
            witnesses = sum(count for name, count in heard.items() if name.endswith(SIGN_IN))
            assert witnesses >= 2 or step.name == "settle"
        if now.state is State.REVOKED:
            assert step.name == "unlisted"
        assert before.state not in TERMINATED
        assert all(each.state is not now.state for each in now.pending_issues)


@given(evidence)
def test_data_after_anything_means_a_live_connection(history: list[tuple[Step, int]]) -> None:
    now, at = standing(State.PENDING), START
    for step, minutes in history:
        at += timedelta(minutes=minutes)
        now = step.apply(now, at)
    healed = state_machine.on_data(now, at=at)
    assert healed.state in (*USABLE, *TERMINATED)
    assert healed.state is State.ACTIVE or now.state in TERMINATED
