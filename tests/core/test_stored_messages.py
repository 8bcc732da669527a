"""Kept sentences of ours, told in the reader's language."""

from django.utils.translation import override

from core import stored_messages

# Texts that are in the catalogues already stand for those that rooms keep in rows.
REPLACED = "Replaced: the driver now shares the vehicle through the fleet's new application."


def test_english_stays_as_it_was_kept() -> None:
    assert stored_messages.told(REPLACED) == REPLACED
    assert stored_messages.told("") == ""


def test_a_kept_text_is_told_as_a_whole() -> None:
    with override("de"):
        assert stored_messages.told(REPLACED).startswith("Ersetzt: ")
        assert stored_messages.told("") == ""


def test_of_several_sentences_those_that_are_ours_are_told_and_others_stay() -> None:
    text = f"{REPLACED} The maker says: come back on Monday. {REPLACED}"
    with override("de"):
        german = stored_messages.told(REPLACED)
        assert stored_messages.told(text) == f"{german} The maker says: come back on Monday. {german}"


def test_values_stay_in_their_places() -> None:
    sentence = stored_messages.carrying("%(fleet)s knows the place of %(car)s in these hours only.")
    kept = sentence % {"fleet": "Blue (100 %)", "car": "Van 1"}
    assert kept == "Blue (100 %) knows the place of Van 1 in these hours only."
    assert stored_messages.carrying("It took %(number)d s.") % {"number": 3} == "It took 3 s."
    with override("de"):
        assert stored_messages.told("It took 3 s.") == "It took 3 s."
        assert stored_messages.told(kept) == "Blue (100 %) kennt den Standort von Van 1 nur in diesen Zeiten."
        assert stored_messages.told(f"Come back. {kept}").startswith("Come back. Blue (100 %) kennt")


def test_a_value_that_is_a_kept_text_itself_is_told_as_well() -> None:
    kept = stored_messages.carrying("%(deed)s %(name)s did it.", texts=["deed"]) % {
        "deed": REPLACED,
        "name": "Car",
    }
    with override("de"):
        assert stored_messages.told(kept) == f"{stored_messages.told(REPLACED)} Car did it."
