"""Updates and compiles the translation catalogs: `locale/<language>/LC_MESSAGES/django.po`, compiled to var/locale.

    python -m core.translations update     write new and changed texts to the .po files, for translators
    python -m core.translations compile    write the files that Django reads (part of `make setup`)

Django's own commands need GNU gettext, while Babel is installed by pip. Needs no settings.
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
    """Returns the languages that have a catalog. English has none, because its texts are in the code."""
    return sorted(path.parent.parent.name for path in SOURCES.glob(f"*/{_FILE}"))


def read_catalog(language: str) -> Catalog:
    """Returns the catalog of this language."""
    with (SOURCES / language / _FILE).open("rb") as file:
        return read_po(file, locale=language)


def extract_texts() -> Catalog:
    """Returns every text that is marked for translation in the apps and templates."""
    texts = Catalog(project="smartcar-fleet", charset="utf-8")
    for path in _sources():
        method: Any = _extract_template if "templates" in path.relative_to(ROOT).parts else "python"
        for _line, text, notes, context in extract_from_file(
            method, path, keywords=_KEYWORDS, comment_tags=_NOTES
        ):
            # Files without line numbers, so that a catalog changes only when texts do.
            texts.add(
                text, locations=[(str(path.relative_to(ROOT)), 0)], auto_comments=notes, context=context
            )
    return texts


def update() -> None:
    """Updates every catalog from the marked texts. New texts have no translation; none is guessed."""
    texts = extract_texts()
    for language in languages():
        current = read_catalog(language)
        current.update(texts, no_fuzzy_matching=True, update_creation_date=False)
        current.obsolete.clear()
        with (SOURCES / language / _FILE).open("wb") as file:
            write_po(file, current, width=110, sort_by_file=True, include_lineno=False)


def compile_all() -> None:
    """Compiles every catalog and replaces it atomically, so that a starting process always finds a complete one."""
    for language in languages():
        target = (COMPILED / language / _FILE).with_suffix(".mo")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(f".{os.getpid()}")
        with temporary.open("wb") as file:
            write_mo(file, read_catalog(language))
        temporary.replace(target)


def stale() -> list[str]:
    """Returns the languages whose compiled catalog is missing or older than its source."""
    return [language for language in languages() if not _is_current(language)]


def _is_current(language: str) -> bool:
    source = SOURCES / language / _FILE
    target = (COMPILED / language / _FILE).with_suffix(".mo")
    return target.exists() and target.stat().st_mtime >= source.stat().st_mtime


def _sources() -> Iterator[Path]:
    for app in APPS:
        yield from sorted(path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
    yield from sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt"))


def _extract_template(
    file: IO[bytes],
    keywords: Collection[str],
    comment_tags: Collection[str],
    options: Any,
) -> Iterable[Any]:
    """Extracts texts from a Django template for Babel: Django converts it to calls, which are parsed as Python."""
    calls = templatize(file.read().decode())
    # Everything but the calls is blanked out. The remaining indentation must be removed.
    lines = "\n".join(line.lstrip() for line in calls.splitlines())
    selected = {keyword: _KEYWORDS[keyword] for keyword in keywords}
    return extract_python(BytesIO(lines.encode()), selected, comment_tags, {"encoding": "utf-8"})


if __name__ == "__main__":
    if sys.argv[1:] == ["update"]:
        update()
    elif sys.argv[1:] == ["compile"]:
        compile_all()
    else:
        sys.exit("usage: python -m core.translations update|compile")
