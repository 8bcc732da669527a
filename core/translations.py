"""The catalogues of translations: `locale/<language>/LC_MESSAGES/django.po`, made by people, compiled to var/locale.

    python -m core.translations update     new and changed texts into the .po files, for a translator
    python -m core.translations compile    what Django reads; `make setup` does it

Django's own commands need GNU gettext, which a user may not have; Babel does the same by pip. Needs no settings.
"""

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "locale"
COMPILED = ROOT / "var" / "locale"
APPS = (
    "accounts",
    "alerts",
    "commands",
    "connect",
    "core",
    "dashboard",
    "fleet",
    "smartcar_api",
    "vehicles",
    "webhooks",
)
_FILE = Path("LC_MESSAGES") / "django.po"
_KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_noop": None,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
_NOTES = ("Translators:",)


def languages() -> list[str]:
    """The languages that there is a catalogue of, English not among them: it stands in the code."""
    return sorted(path.parent.parent.name for path in SOURCES.glob(f"*/{_FILE}"))


def catalogue(language: str) -> Catalog:
    """What a translator wrote for this language."""
    with (SOURCES / language / _FILE).open("rb") as file:
        return read_po(file, locale=language)


def marked() -> Catalog:
    """Every text that is marked for translation in the rooms and templates."""
    found = Catalog(project="smartcar-fleet", charset="utf-8")
    for path in _sources():
        method: Any = _extract_template if "templates" in path.relative_to(ROOT).parts else "python"
        for _line, text, notes, context in extract_from_file(
            method, path, keywords=_KEYWORDS, comment_tags=_NOTES
        ):
            # Files without line numbers: a catalogue changes only when texts do.
            found.add(
                text, locations=[(str(path.relative_to(ROOT)), 0)], auto_comments=notes, context=context
            )
    return found


def update() -> None:
    """Brings every catalogue up to date with the texts. What is new has no translation yet; nothing is guessed."""
    texts = marked()
    for language in languages():
        known = catalogue(language)
        known.update(texts, no_fuzzy_matching=True, update_creation_date=False)
        known.obsolete.clear()
        with (SOURCES / language / _FILE).open("wb") as file:
            write_po(file, known, width=110, sort_by_file=True, include_lineno=False)


def compile_all() -> None:
    """Compiles every catalogue, in one move each, so that a process that starts meanwhile finds a whole one."""
    for language in languages():
        target = (COMPILED / language / _FILE).with_suffix(".mo")
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_suffix(f".{os.getpid()}")
        with beside.open("wb") as file:
            write_mo(file, catalogue(language))
        beside.replace(target)


def stale() -> list[str]:
    """The languages whose compiled catalogue is missing or older than its source."""
    return [language for language in languages() if not _fresh(language)]


def _fresh(language: str) -> bool:
    source = SOURCES / language / _FILE
    target = (COMPILED / language / _FILE).with_suffix(".mo")
    return target.exists() and target.stat().st_mtime >= source.stat().st_mtime


def _sources() -> Iterator[Path]:
    for room in APPS:
        yield from sorted(path for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts)
    yield from sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt"))


def _extract_template(
    file: IO[bytes],
    keywords: Collection[str],
    comment_tags: Collection[str],
    options: Any,
) -> Iterable[Any]:
    """Babel's way to read a Django template: Django turns it into calls, which are read as Python."""
    calls = templatize(file.read().decode())
    # What is no call is blanked out; the indentation that is left means nothing.
    lines = "\n".join(line.lstrip() for line in calls.splitlines())
    wanted = {keyword: _KEYWORDS[keyword] for keyword in keywords}
    return extract_python(BytesIO(lines.encode()), wanted, comment_tags, {"encoding": "utf-8"})


if __name__ == "__main__":
    if sys.argv[1:] == ["update"]:
        update()
    elif sys.argv[1:] == ["compile"]:
        compile_all()
    else:
        sys.exit("Say update or compile: python -m core.translations update")
