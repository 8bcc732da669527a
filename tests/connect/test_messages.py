"""The messages that rows of connections store."""

import pytest
from django.utils import translation

from connect import messages
from connect.messages import NO_PROBLEM, Problem, ReconciliationNote, StateEvidence, StateReason
from connect.models import Discrepancy
from connect.token_lease import TokensUnavailableError
from connect.v2.api_migration.models import MigrationMessage
from core.message_codes import MessageCatalog
from smartcar_api import SmartcarError

CATALOGS = [
    catalog
    for catalog in [*vars(messages).values(), MigrationMessage]
    if isinstance(catalog, type) and issubclass(catalog, MessageCatalog) and catalog is not MessageCatalog
]
MESSAGES = [message for catalog in CATALOGS for message in catalog]
GATEWAY = SmartcarError(type="GATEWAY", status=502)


def test_all_catalogs_are_covered() -> None:
    assert len(CATALOGS) == 9
    assert len(MESSAGES) > 80


@pytest.mark.parametrize("language", ["de", "fr"])
@pytest.mark.parametrize("message", MESSAGES)
def test_each_message_is_translated_into_each_language(message: MessageCatalog, language: str) -> None:
    english = str(message.label)
    assert english
    with translation.override(language):
        assert str(message.label) != english


def test_evidence_inside_other_evidence_is_translated_too() -> None:
    message = StateEvidence.NO_DATA_SINCE.message(evidence=StateEvidence.REQUEST.message(request="r-1"))
    assert str(message) == "request r-1, then no data"
    with translation.override("de"):
        assert str(message) == "Anfrage r-1, danach keine Daten"


def test_our_message_is_shown_and_that_of_smartcar_is_the_original() -> None:
    error = SmartcarError(type="UPSTREAM", status=502, suggested_user_message="Come back on Monday.")
    problem = Problem.from_error(error)
    assert str(problem) == str(error.message)
    assert problem.original == "Come back on Monday."
    assert str(Problem(smartcar_message="Come back on Monday.")) == "Come back on Monday."
    assert problem.columns("reason") == {
        "reason_code": "smartcar.upstream",
        "reason_params": {},
        "reason_smartcar_message": "Come back on Monday.",
    }
    assert problem
    assert not NO_PROBLEM


def test_error_without_a_message_of_smartcar_is_translated() -> None:
    problem = Problem.from_error(GATEWAY)
    with translation.override("fr"):
        french = str(problem)
    assert str(problem) != french


def test_missing_tokens_are_a_problem_with_a_code() -> None:
    error = TokensUnavailableError(messages.TokenProblem.GRANT_ENDED)
    assert Problem.from_error(error).message.code == "tokens.grant_ended"
    with translation.override("de"):
        german = str(error)
    assert str(error) != german


def test_note_of_a_discrepancy_gives_our_reason() -> None:
    note = ReconciliationNote.GRANT_NOT_ENDED.message(why=GATEWAY.message)
    discrepancy = Discrepancy(note_code=note.code, note_params=note.params)
    assert discrepancy.note == f"Couldn't end the connection: {GATEWAY.user_message}"


def test_a_reason_has_no_parameters() -> None:
    assert [reason for reason in StateReason if "%" in str(reason.label)] == []
