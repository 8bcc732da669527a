"""Notes on corrected and rejected values: storage, and display in the reader's language."""

import re

import pytest
from django.utils import translation

from vehicles.correction_notes import CorrectionNote, decode, encode, note_text

SAMPLES = {"reason": CorrectionNote.NO_VALUE.message(), "unit": "km", "expected": "°C"}


def sample(note: CorrectionNote) -> str:
    """Returns the note as it is stored, with a value for each of its parameters."""
    names = re.findall(r"%\((\w+)\)s", str(note.label))
    return note.note(**{name: SAMPLES.get(name, 1) for name in names})


@pytest.mark.parametrize("note", CorrectionNote)
def test_each_note_is_translated(note: CorrectionNote) -> None:
    texts = set()
    for language in ("en", "de", "fr"):
        with translation.override(language):
            texts.add(note_text(sample(note)))
    assert len(texts) == 3
    for text in texts:
        assert re.match(r"[A-ZÉ0-9].*\.$", text), text
        assert not re.search(r"%\(|%%|…", text), text


def test_a_note_without_parameters_is_stored_as_its_code() -> None:
    stored = CorrectionNote.NUMBER_SENT_AS_TEXT.note()
    assert (type(stored), stored) == (str, "value.number_sent_as_text")


def test_a_note_with_parameters_is_stored_as_json() -> None:
    message = CorrectionNote.TIRE_PRESSURE_LEFT_OUT.message(reason=CorrectionNote.NO_VALUE.message())
    assert encode(message) == (
        '{"code":"value.tire_pressure_left_out","params":{"reason":{"code":"value.no_value","params":{}}}}'
    )
    assert decode(encode(message)) == message


def test_reason_inside_a_note_and_numbers_are_in_the_readers_language() -> None:
    reason = CorrectionNote.OUT_OF_RANGE.message(value=1234.5, unit="kPa", low=0, high=1100)
    stored = CorrectionNote.TIRE_PRESSURE_LEFT_OUT.note(reason=reason)
    assert note_text(stored) == (
        "A tire pressure was left out. 1,234.5 kPa is outside of the plausible range from 0 to 1,100."
    )
    with translation.override("de"):
        assert note_text(stored) == (
            "Ein Reifendruck wurde weggelassen. "
            "1.234,5 kPa liegt außerhalb des plausiblen Bereichs von 0 bis 1.100."
        )


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "the number was sent as text",
        "value.of_a_later_version",
        "{",
        "{}",
        '{"code": 1}',
        '{"code": "x"}',
    ],
)
def test_unknown_note_is_displayed_unchanged(stored: str) -> None:
    assert note_text(stored) == stored


def test_note_with_a_missing_parameter_is_still_displayed() -> None:
    assert note_text(CorrectionNote.UNIT_ASSUMED.value) == "The unit was missing; … was assumed."
