"""What a person reads, or is read, on a page."""

import re
from html.parser import HTMLParser

_SPOKEN = (
    "aria-label",
    "title",
    "alt",
    "placeholder",
    "data-copied",
    "data-by-hand",
    "data-one",
    "data-several",
)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        self.found |= {value or "" for name, value in attrs if name in _SPOKEN}

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.add(" ".join(data.split()))


def words_of(page: str) -> set[str]:
    """Each sentence or label with a letter in it, those that only a screen reader tells among them."""
    reader = _Words()
    reader.feed(page)
    sentences = (sentence for words in reader.found for sentence in re.split(r"(?<=[.:!?]) ", words))
    return {sentence for sentence in sentences if any(letter.isalpha() for letter in sentence)}
