"""The texts of a page that users see or screen readers read."""

import re
from html.parser import HTMLParser

_TEXT_ATTRIBUTES = (
    "aria-label",
    "title",
    "alt",
    "placeholder",
    "data-copied",
    "data-by-hand",
    "data-one",
    "data-several",
)


class _TextParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self._hidden_depth = 0
        self._untranslatable = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden_depth += tag in ("script", "style")
        if ("translate", "no") in attrs:
            self._untranslatable = tag
        self.texts |= {value or "" for name, value in attrs if name in _TEXT_ATTRIBUTES}

    def handle_endtag(self, tag: str) -> None:
        self._hidden_depth -= tag in ("script", "style")
        if tag == self._untranslatable:
            self._untranslatable = ""

    def handle_data(self, data: str) -> None:
        if not self._hidden_depth and not self._untranslatable:
            self.texts.add(" ".join(data.split()))


def sentences_of(page: str) -> set[str]:
    """Returns each sentence or label with a letter in it, including those for screen readers only.

    Names in elements with `translate="no"`, which contain no element of the same kind, are left out.
    """
    reader = _TextParser()
    reader.feed(page)
    sentences = (sentence for text in reader.texts for sentence in re.split(r"(?<=[.:!?]) ", text))
    return {sentence for sentence in sentences if any(letter.isalpha() for letter in sentence)}
