"""The catalogues of translations are complete, right in form, and compiled."""

import gettext
import os
from pathlib import Path

import pytest
from django.conf import settings

from core import translations
from fleet import checks

each_language = pytest.mark.parametrize("language", translations.languages())


def test_there_is_a_catalogue_of_every_language_that_is_offered() -> None:
    assert {"en", *translations.languages()} == set(dict(settings.LANGUAGES))


@each_language
def test_every_marked_text_is_translated_and_nothing_else_is(language: str) -> None:
    known = translations.read_catalog(language)
    wanted = {(text.context, text.id) for text in translations.extract_texts() if text.id}
    assert wanted - {(text.context, text.id) for text in known} == set(), "run: make translations"
    assert {(text.context, text.id) for text in known if text.id} - wanted == set()
    assert not known.obsolete
    for text in known:
        written = text.string if isinstance(text.string, tuple | list) else (text.string,)
        assert all(written), f"{text.id} has no {language}"
        assert not text.id or not text.fuzzy, f"{text.id} was only guessed"


@each_language
def test_placeholders_are_the_same_as_in_english(language: str) -> None:
    assert list(translations.read_catalog(language).check()) == []


def test_texts_of_python_and_of_templates_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_what_is_compiled_is_what_was_written_and_is_noticed_when_old(
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
