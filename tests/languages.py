"""Checks that a page has one language: English texts must not appear in another language's version."""

import re
from functools import cache

from django.test import Client

from core import translations
from tests.html_text import sentences_of

# A browser's Accept-Language header for each language.
ACCEPT_LANGUAGE = {"de": "de-AT,de;q=0.9,en;q=0.5", "fr": "fr-CH, fr;q=0.9", "en": "en-GB", "it": "it"}
_VALUE = re.compile(r"%\(\w+\)[sd]")
# Names of products and languages, which aren't translated.
_NAMES = {"Smartcar", "Smartcar Fleet", "English", "Deutsch", "Français", "UTC", "Ctrl K"}
# The mark of the tests' fleet, whose name is "Blue Fleet".
_NAMES |= {"B", "Blue Fleet"}


def read(client: Client, path: str, language: str = "en") -> str:
    """Returns the page in the requested language."""
    return client.get(
        path, headers={"accept-language": ACCEPT_LANGUAGE[language]}, follow=True
    ).content.decode()


def untranslated_texts(page: str, english: str, language: str) -> set[str]:
    """Returns the sentences and labels on both pages, except those that are equal in both languages.

    The result includes names and values of the test's own data, which the caller subtracts. Texts that have a
    translation in the catalog are found even if the English page doesn't contain them in the same form.
    """
    texts = _parts(page)
    shared = texts & _parts(english) - _NAMES
    return {text for text in shared if not _unchanged_texts(language).fullmatch(text)} | (
        texts & _translated_texts(language)
    )


def _parts(page: str) -> set[str]:
    """Returns the texts of the page; titles such as "Inbox · Blue Fleet" are split into parts."""
    return {part for sentence in sentences_of(page) for part in sentence.split(" · ")}


@cache
def _unchanged_texts(language: str) -> re.Pattern[str]:
    """Matches texts that are equal in English and in the language: "Webhook", "Message 21"."""
    unchanged = [text for text, translation in _pairs(language) if text == translation]
    values = [".+".join(map(re.escape, _VALUE.split(text))) for text in unchanged]
    # A text that consists only of values would match anything.
    return re.compile("|".join(pattern for pattern in values if any(map(str.isalpha, pattern))) or "(?!)")


@cache
def _translated_texts(language: str) -> frozenset[str]:
    """Returns texts with a different translation that aren't also the translation of another text."""
    pairs = [pair for pair in _pairs(language) if not _VALUE.search(pair[0])]
    translated = {translation for _text, translation in pairs}
    return frozenset(text for text, translation in pairs if text != translation and text not in translated)


def _pairs(language: str) -> list[tuple[str, str]]:
    """Returns each text with its translation, without plural forms."""
    known = translations.read_catalog(language)
    return [(str(text.id), str(text.string)) for text in known if text.id and isinstance(text.id, str)]
