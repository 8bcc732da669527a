"""What follows from an error: whether a retry makes sense, and whether a command may have been carried out."""

import pickle
import re

import pytest
from django.utils import translation

from smartcar_api import SmartcarError
from smartcar_api.error_messages import ErrorMessage, code_for
from smartcar_api.errors import no_answer, not_sent, unreadable


def refusal(status: int, type: str = "UPSTREAM", **more: str) -> SmartcarError:  # noqa: A002
    return SmartcarError(type=type, status=status, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error",
    [
        no_answer("", code="TIMEOUT"),
        no_answer("", code="BROKEN"),
        refusal(500, "SERVER"),
        refusal(502),
        refusal(503, "GATEWAY"),
        refusal(504),
        unreadable("", status=200, request_id=""),
        unreadable("", status=202, request_id=""),
    ],
)
def test_command_may_have_been_carried_out(error: SmartcarError) -> None:
    assert error.outcome_unknown


@pytest.mark.parametrize(
    "error",
    [
        not_sent("", code="CONNECT_FAILED"),
        not_sent("no vehicle id"),
        refusal(302, "GATEWAY"),
        refusal(400, "VALIDATION"),
        refusal(401, "AUTHENTICATION"),
        refusal(409, "VEHICLE_STATE"),
        refusal(429, "RATE_LIMIT"),
        refusal(430, "BILLING"),
        refusal(501, "COMPATIBILITY"),
    ],
)
def test_command_was_certainly_not_carried_out(error: SmartcarError) -> None:
    assert not error.outcome_unknown


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 410, 430, 501])
def test_permanent_errors(status: int) -> None:
    assert refusal(status).permanent


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_transient_errors(status: int) -> None:
    assert not refusal(status).permanent


def test_error_with_retry_later_is_not_permanent() -> None:
    assert not refusal(400, resolution_type="RETRY_LATER").permanent


def test_failed_connection_is_not_permanent_but_an_invalid_request_is() -> None:
    assert not not_sent("", code="CONNECT_FAILED").permanent
    assert not_sent("no vehicle id").permanent


def test_only_401_is_unauthorized() -> None:
    assert refusal(401).unauthorized
    assert not refusal(403).unauthorized


def test_wrong_url_does_not_count_as_not_found() -> None:
    assert refusal(404, "RESOURCE_NOT_FOUND", code="NOT_FOUND").not_found
    assert not refusal(404, "RESOURCE_NOT_FOUND", code="VERSION").not_found
    assert not refusal(404, "RESOURCE_NOT_FOUND", code="INVALID_PATH").not_found


def test_text_contains_type_code_status_request_id_and_description() -> None:
    error = SmartcarError(
        type="VEHICLE_STATE", code="DOOR_OPEN", description="A door is open.", status=409, request_id="r-1"
    )
    assert str(error) == "VEHICLE_STATE:DOOR_OPEN - A door is open. (HTTP 409, request r-1)"


def test_can_be_pickled() -> None:
    error = SmartcarError(
        type="RATE_LIMIT", code="VEHICLE", status=429, retry_after=60, resolution_url="https://x.example"
    )
    restored = pickle.loads(pickle.dumps(error))
    assert str(restored) == str(error)
    assert vars(restored) == vars(error)


def test_suggested_message_with_a_placeholder_is_not_used() -> None:
    error = refusal(502, suggested_user_message="Your car is unable to connect to <app name>.")
    assert error.smartcar_message == ""


@pytest.mark.parametrize("message", ErrorMessage)
def test_our_messages_are_complete_sentences_without_technical_terms(message: ErrorMessage) -> None:
    text = str(message.message())
    assert text.endswith(".")
    assert text.count(".") >= 2 or ":" in text
    assert not re.search(r"[A-Z]{2,}_|HTTP|\b\d{3}\b|null|token", text)


@pytest.mark.parametrize("language", ["de", "fr"])
@pytest.mark.parametrize("message", ErrorMessage)
def test_our_messages_are_translated(message: ErrorMessage, language: str) -> None:
    english = str(message.message())
    with translation.override(language):
        assert str(message.message()) != english


@pytest.mark.parametrize(
    ("type", "code", "status", "expected"),
    [
        ("VEHICLE_STATE", "DOOR_OPEN", 409, ErrorMessage.VEHICLE_STATE_DOOR_OPEN),
        ("VEHICLE_STATE", "NEW", 409, ErrorMessage.VEHICLE_STATE),
        ("invalid_grant", "", 400, ErrorMessage.INVALID_GRANT),
        ("NEW", "NEW", 503, ErrorMessage.SERVER),
        ("NEW", "NEW", 418, ErrorMessage.UNKNOWN),
    ],
)
def test_message_depends_on_the_code_then_the_type_then_the_status(
    type: str,  # noqa: A002
    code: str,
    status: int,
    expected: ErrorMessage,
) -> None:
    assert code_for(SmartcarError(type=type, code=code, status=status)) == (expected.value, {})


def test_our_message_is_shown_and_smartcars_is_separate() -> None:
    error = refusal(409, "VEHICLE_STATE", code="DOOR_OPEN", suggested_user_message="A door is open.")
    assert (error.message.code, error.smartcar_message) == (
        "smartcar.vehicle_state.door_open",
        "A door is open.",
    )
    assert error.user_message == str(ErrorMessage.VEHICLE_STATE_DOOR_OPEN.message())
