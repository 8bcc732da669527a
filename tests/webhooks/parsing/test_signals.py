"""Signal entries: status, times, names, and problems of an entry."""

from datetime import UTC, datetime
from typing import Any

import pytest

from vehicles import catalogue
from vehicles.correction_notes import CorrectionNote
from vehicles.observations import NORMALIZATION_ERROR, SignalError, SignalReading, SignalStatus
from webhooks.parsing.signals import read_signals, signal_code

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
HOUR_MS = 3_600_000


def read(entry: Any, latest: datetime | None = NOON) -> SignalReading:
    (observations, skipped) = read_signals([entry], latest=latest)
    assert skipped == ()
    (observation,) = observations
    return observation


def charge(**fields: Any) -> dict[str, Any]:
    return {"code": catalogue.STATE_OF_CHARGE.code, "body": {"value": 50, "unit": "percent"}} | fields


@pytest.mark.parametrize(
    "reference",
    [
        "tractionbattery-stateofcharge",
        "TractionBattery-StateOfCharge",
        "TractionBattery.StateOfCharge",
        {"code": "tractionbattery-stateofcharge"},
        {"group": "TractionBattery", "name": "StateOfCharge"},
        {"code": None, "group": "tractionbattery", "name": "stateofcharge"},
    ],
)
def test_ways_to_name_a_signal(reference: Any) -> None:
    assert signal_code(reference) == catalogue.STATE_OF_CHARGE.code


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ({"code": "cabin-scent"}, "cabin-scent"),
        ({"group": "Cabin", "name": "Scent"}, "cabin-scent"),
        ("Cabin.Scent", "cabin-scent"),
        ({"name": "Scent"}, ""),
        ({"code": ["x"]}, ""),
        ({"code": "no code at all"}, ""),
        ({"code": "x" * 101}, ""),
        (None, ""),
        (7, ""),
    ],
)
def test_signal_references_that_are_not_in_the_catalog_or_invalid(reference: Any, code: str) -> None:
    assert signal_code(reference) == code


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, SignalStatus.SUCCESS),
        ({"status": {"value": "SUCCESS"}}, SignalStatus.SUCCESS),
        ({"status": "success"}, SignalStatus.SUCCESS),
        ({"status": {"value": "ERROR"}}, SignalStatus.ERROR),
        ({"status": {"error": {"type": "PERMISSION"}}}, SignalStatus.ERROR),
        ({"error": {"type": "PERMISSION"}}, SignalStatus.ERROR),
        ({"status": {"value": "UNAVAILABLE"}}, SignalStatus.UNAVAILABLE),
        ({"status": {"value": "PONDERING"}}, SignalStatus.UNAVAILABLE),
        ({"body": None}, SignalStatus.UNAVAILABLE),
        ({"body": {"value": None, "unit": "percent"}}, SignalStatus.UNAVAILABLE),
    ],
)
def test_status(fields: dict[str, Any], status: SignalStatus) -> None:
    observation = read(charge(**fields))
    assert observation.status is status
    assert (observation.body is not None) == (status is SignalStatus.SUCCESS)


def test_newer_fields_of_an_error_take_precedence() -> None:
    error = {
        "type": "PERMISSION",
        "code": "UNKNOWN",
        "detail": "Not granted.",
        "description": "Deprecated. Use detail",
        "resolution": "REAUTHENTICATE",
    }
    observation = read(charge(status={"value": "ERROR", "error": error}))
    assert observation.error == SignalError("PERMISSION", "UNKNOWN", "Not granted.", "REAUTHENTICATE")


def test_bare_value_instead_of_a_body_is_accepted_and_noted() -> None:
    observation = read({"code": catalogue.IS_LOCKED.code, "body": True})
    assert observation.value is True
    assert observation.notes == (CorrectionNote.SENT_WITHOUT_BODY.value,)


def test_times_with_either_name() -> None:
    old = read(charge(meta={"oemUpdatedAt": NOON_MS - 2000, "fetchedAt": NOON_MS - 1000}))
    new = read(charge(meta={"oemUpdatedAt": NOON_MS - 2000, "retrievedAt": NOON_MS - 1000}))
    assert old == new
    assert new.retrieved_at == datetime(2026, 7, 1, 11, 59, 59, tzinfo=UTC)


def test_time_of_a_vehicle_whose_clock_is_ahead_is_ignored() -> None:
    observation = read(
        charge(meta={"oemUpdatedAt": NOON_MS + 3 * HOUR_MS, "retrievedAt": NOON_MS}), latest=None
    )
    assert observation.oem_updated_at is None
    assert observation.retrieved_at == NOON
    assert observation.notes == (CorrectionNote.TIME_LEFT_OUT.value,)


def test_local_time_sent_as_utc_is_ignored() -> None:
    observation = read(charge(meta={"oemUpdatedAt": NOON_MS + HOUR_MS // 3, "retrievedAt": NOON_MS}))
    assert (observation.oem_updated_at, observation.retrieved_at) == (None, NOON)
    assert observation.notes == (CorrectionNote.TIME_LEFT_OUT.value,)


def test_retrieval_shortly_after_the_receipt_counts_as_the_receipt() -> None:
    assert read(charge(meta={"retrievedAt": NOON_MS + HOUR_MS // 60})).retrieved_at == NOON


def test_retrieval_time_later_than_the_message_is_ignored() -> None:
    assert read(charge(meta={"retrievedAt": NOON_MS + 3 * HOUR_MS})).retrieved_at is None


def test_one_broken_signal_does_not_affect_the_others() -> None:
    observations, skipped = read_signals(
        [charge(), None, {"body": {}}, 7, charge(body="broken")], latest=NOON
    )
    assert [observation.status for observation in observations] == [SignalStatus.SUCCESS, SignalStatus.ERROR]
    assert skipped == tuple(f"signal {at}: no signal code" for at in (1, 2, 3))


@pytest.mark.parametrize("raw", ["many", 7, True])
def test_signals_that_are_not_a_list_are_reported(raw: Any) -> None:
    assert read_signals(raw, latest=NOON) == ((), ("signals: not a list",))


def test_missing_signals_are_not_an_error() -> None:
    assert read_signals(None, latest=NOON) == ((), ())


def test_large_body_of_an_unknown_signal_is_not_stored() -> None:
    body = {f"key {at}": "x" * 400 for at in range(50)}
    observation = read({"code": "cabin-scent", "body": body})
    assert observation.status is SignalStatus.ERROR
    assert observation.body is None
    assert observation.notes == (CorrectionNote.UNKNOWN_SIGNAL_TOO_LARGE.value,)


def test_the_error_of_an_implausible_value_holds_a_code_in_place_of_words() -> None:
    observation = read(charge(body={"value": 255, "unit": "percent"}))
    reason = CorrectionNote.OUT_OF_RANGE.note(value=255, low=0, high=100, unit="%")
    assert observation.error == SignalError(NORMALIZATION_ERROR, description=reason)
    assert observation.notes == (reason,)


def test_deep_body_of_an_unknown_signal_is_truncated() -> None:
    body: Any = {"value": 1}
    for _ in range(500):
        body = {"inner": body}
    observation = read({"code": "cabin-scent", "body": body})
    assert observation.status is SignalStatus.SUCCESS
    assert str(observation.body).count("inner") == 5


def test_characters_that_the_database_cannot_store_are_removed_from_unknown_signals() -> None:
    assert read({"code": "cabin-scent", "body": {"a\x00b": "c\x00d"}}).body == {"ab": "cd"}
