"""The translation catalogs are complete, well-formed, and compiled."""

import gettext
import os
from pathlib import Path

import pytest
from django.conf import settings

from core import translations
from fleet import checks

each_language = pytest.mark.parametrize("language", translations.languages())


def test_every_supported_language_has_a_catalog() -> None:
    assert {"en", *translations.languages()} == set(dict(settings.LANGUAGES))


@each_language
def test_exactly_the_marked_texts_are_translated(language: str) -> None:
    known = translations.read_catalog(language)
    marked = {(text.context, text.id) for text in translations.extract_texts() if text.id}
    assert marked - {(text.context, text.id) for text in known} == set(), "run: make translations"
    assert {(text.context, text.id) for text in known if text.id} - marked == set()
    assert not known.obsolete
    for text in known:
        translated = text.string if isinstance(text.string, tuple | list) else (text.string,)
        assert all(translated), f"{text.id} has no {language}"
        assert not text.id or not text.fuzzy, f"{text.id} was only guessed"


@each_language
def test_placeholders_are_the_same_as_in_english(language: str) -> None:
    assert list(translations.read_catalog(language).check()) == []


def test_texts_in_python_and_templates_are_extracted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "connect").mkdir()
    (tmp_path / "connect" / "words.py").write_text('_("In "\n  "Python")\ngettext_noop("Only marked")\n')
    (tmp_path / "templates" / "page.html").write_text(
        '{% load i18n %}\n  <p title="{% translate "A title" %}">it\'s {{ _("inside") }}\n'
        "    {% blocktranslate count n=cars %}{{ n }} car{% plural %}{{ n }} cars{% endblocktranslate %}</p>"
    )
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    found = {text.id for text in translations.extract_texts() if text.id}
    assert found == {"In Python", "Only marked", "A title", "inside", ("%(n)s car", "%(n)s cars")}


def test_catalogs_are_compiled_and_reported_when_outdated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translations, "COMPILED", tmp_path)
    assert translations.stale() == translations.languages()
    assert [warning.id for warning in checks.translations_compiled()] == ["fleet.W003"]
    translations.compile_all()
    assert translations.stale() == []
    assert checks.translations_compiled() == []
    german = gettext.translation("django", str(tmp_path), ["de"])
    assert german.gettext("Continue to Smartcar") == "Weiter zu Smartcar"
    os.utime(tmp_path / "de" / "LC_MESSAGES" / "django.mo", (0, 0))
    assert translations.stale() == ["de"]
