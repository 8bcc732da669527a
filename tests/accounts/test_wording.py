"""Kept sentences of ours, told in the reader's language."""

from django.utils.translation import override

from accounts import wording

# Texts that are in the catalogues already stand for those that rooms keep in rows.
REPLACED = "Replaced: the driver shares the car by the fleet's new application."


def test_english_stays_as_it_was_kept() -> None:
    assert wording.told(REPLACED) == REPLACED
    assert wording.told("") == ""


def test_a_kept_text_is_told_as_a_whole() -> None:
    with override("de"):
        assert wording.told(REPLACED).startswith("Ersetzt: ")
        assert wording.told("") == ""


def test_of_several_sentences_those_that_are_ours_are_told_and_others_stay() -> None:
    text = f"{REPLACED} The maker says: come back on Monday. {REPLACED}"
    with override("de"):
        german = wording.told(REPLACED)
        assert wording.told(text) == f"{german} The maker says: come back on Monday. {german}"


def test_values_stay_in_their_places() -> None:
    sentence = wording.carrying("%(fleet)s knows the place of %(car)s in these hours only.")
    kept = sentence % {"fleet": "Blue (100 %)", "car": "Van 1"}
    assert kept == "Blue (100 %) knows the place of Van 1 in these hours only."
    assert wording.carrying("It took %(number)d s.") % {"number": 3} == "It took 3 s."
    with override("de"):
        assert wording.told("It took 3 s.") == "It took 3 s."
        assert wording.told(kept) == "Blue (100 %) kennt den Standort von Van 1 nur in diesen Zeiten."
        assert wording.told(f"Come back. {kept}").startswith("Come back. Blue (100 %) kennt")


def test_a_value_that_is_a_kept_text_itself_is_told_as_well() -> None:
    kept = wording.carrying("%(deed)s %(name)s did it.", texts=["deed"]) % {"deed": REPLACED, "name": "Car"}
    with override("de"):
        assert wording.told(kept) == f"{wording.told(REPLACED)} Car did it."
