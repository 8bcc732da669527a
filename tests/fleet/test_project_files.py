"""The repository's documents: links resolve, versions agree, and documented make targets exist."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")])
_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1[`~]*\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# [text](target "title"), ![alt](target), [text]: target, and attributes of HTML.
_TARGETS = (
    re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'(][^)]*)?\)"),
    re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)", re.MULTILINE),
    re.compile(r"\b(?:href|src|srcset)\s*=\s*[\"']([^\"'\s]+)[\"']"),
)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_NAMED = re.compile(r"<\w+[^>]*?\b(?:id|name)\s*=\s*[\"']([^\"']+)[\"']")
_MAKE = re.compile(r"`make ([a-z][a-z-]*)")
_RELEASE = re.compile(r"^## \[?(\d+\.\d+\.\d+)\]?", re.MULTILINE)


def read(path: Path, *, code: bool = True) -> str:
    """Returns the document without comments and code blocks, and without inline code if `code` is false."""
    text = _COMMENT.sub("", _FENCE.sub("", path.read_text(encoding="utf-8")))
    return text if code else _CODE.sub("", text)


def links(path: Path) -> Iterator[str]:
    """Returns the targets of the document's links and images within the repository."""
    text = read(path, code=False)
    for pattern in _TARGETS:
        for target in pattern.findall(text):
            parts = urlsplit(target)
            if not parts.scheme and not parts.netloc:
                yield target


def anchors(path: Path) -> set[str]:
    """Returns the fragments that GitHub creates for the document's headings, and the ids in its HTML."""
    text = read(path)
    found = set(_NAMED.findall(text))
    counts: dict[str, int] = {}
    for heading in _HEADING.findall(text):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"<[^>]+>", "", heading))
        slug = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
        number = counts.get(slug, 0)
        counts[slug] = number + 1
        found.add(f"{slug}-{number}" if number else slug)
    return found


def problem(document: Path, target: str) -> str:
    """Returns the problem with a link, empty if its target exists."""
    parts = urlsplit(target)
    path, fragment = unquote(parts.path), unquote(parts.fragment)
    base = ROOT if path.startswith("/") else document.parent
    file = (base / path.lstrip("/")).resolve() if path else document
    if not file.is_relative_to(ROOT):
        return f"{target} leaves the repository"
    if not file.exists():
        return f"{target}: there is no such file"
    if fragment and file.suffix == ".md" and fragment not in anchors(file):
        return f"{target}: no heading has this anchor"
    return ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_within_the_repository_resolve(document: Path) -> None:
    assert [found for target in links(document) if (found := problem(document, target))] == []


def test_links_and_anchors_are_found_as_github_finds_them(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        '# One\n## `make test`, twice\n## One\n<a id="here"></a>\n[a](b.md#c "Title") ![p](<p.png>) `[no](code.md)`\n'
        "[web](https://example.com/) [same](#one) <img src='i.png'>\n\n```\n# not a heading\n[no](fence.md)\n```\n"
        "[ref]: r.md\n<!-- [no](comment.md) -->\n"
    )
    assert set(links(document)) == {"b.md#c", "p.png", "#one", "i.png", "r.md"}
    assert anchors(document) == {"one", "make-test-twice", "one-1", "here"}


def test_the_newest_release_in_the_changelog_is_the_projects_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    releases = _RELEASE.findall((ROOT / "CHANGELOG.md").read_text())
    assert releases[0] == project["version"]
    numbers = [tuple(map(int, release.split("."))) for release in releases]
    assert numbers == sorted(set(numbers), reverse=True), "newest first, each once"


def test_documented_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(_MAKE.findall(document.read_text()))
        assert named <= targets, document.name
    assert "test-fast" in _MAKE.findall((ROOT / "CONTRIBUTING.md").read_text())


def test_every_template_that_another_includes_exists() -> None:
    """Templates are found only when they are rendered, perhaps for the first time by a user."""
    named = re.compile(r"""{%\s*(?:include|extends)\s+["']([^"']+)["']""")
    templates = list(ROOT.glob("templates/**/*.html"))
    missing = set()
    for path in templates:
        for name in named.findall(path.read_text()):
            try:
                get_template(name)
            except TemplateDoesNotExist:
                missing.add(f"{path.relative_to(ROOT)}: {name}")
    assert templates and not missing
