"""Whether a page speaks one language: what it says in English it may not say in another."""

import re
from functools import cache

from django.test import Client

from core import translations
from tests.html_text import words_of

# How a browser asks for each.
ASKED = {"de": "de-AT,de;q=0.9,en;q=0.5", "fr": "fr-CH, fr;q=0.9", "en": "en-GB", "it": "it"}
_VALUE = re.compile(r"%\(\w+\)[sd]")
# What is no text of ours: names of products and languages.
_NAMES = {"Smartcar", "Smartcar Fleet", "English", "Deutsch", "Français", "UTC"}


def read(client: Client, path: str, language: str = "en") -> str:
    """The page as whoever asks for this language gets it."""
    return client.get(path, headers={"accept-language": ASKED[language]}, follow=True).content.decode()


def left_in_english(page: str, english: str, language: str) -> set[str]:
    """The sentences and labels that both pages have, save those that are the same in both languages.

    Names and values of the test's own data are among them: subtract them. What the catalogue has a translation for is
    found as well where the page in English does not say it, or not in the same words.
    """
    said = _parts(page)
    alike = said & _parts(english) - _NAMES
    return {text for text in alike if not _the_same(language).fullmatch(text)} | (said & _otherwise(language))


def _parts(page: str) -> set[str]:
    """What is said on the page, titles such as "Inbox · Blue Fleet" in their parts."""
    return {part for words in words_of(page) for part in words.split(" · ")}


@cache
def _the_same(language: str) -> re.Pattern[str]:
    """Texts that the language says as English does: "Webhook", "Message 21"."""
    alike = [text for text, translation in _pairs(language) if text == translation]
    values = [".+".join(map(re.escape, _VALUE.split(text))) for text in alike]
    # A text of values only would fit anything.
    return re.compile("|".join(form for form in values if any(map(str.isalpha, form))) or "(?!)")


@cache
def _otherwise(language: str) -> frozenset[str]:
    """Texts that the language says differently, and that are no translation of another one."""
    pairs = [pair for pair in _pairs(language) if not _VALUE.search(pair[0])]
    written = {translation for _text, translation in pairs}
    return frozenset(text for text, translation in pairs if text != translation and text not in written)


def _pairs(language: str) -> list[tuple[str, str]]:
    """Each text and its translation; plural forms are left out."""
    known = translations.read_catalog(language)
    return [(str(text.id), str(text.string)) for text in known if text.id and isinstance(text.id, str)]
