"""Our own sentences that are kept in rows: in English there, told in the reader's language.

Whoever writes one marks it with gettext_noop where it stands; one that carries values is declared with `carrying` as
well. Several may follow one another in a text, beside others' (Smartcar's), which stay as they came.
"""

import re
from collections.abc import Collection

from django.conf import settings
from django.utils.translation import get_language, gettext

_VALUE = re.compile(r"%\((\w+)\)[sd]")
_ENDS = re.compile(r"(?<=[.:!?;]) ")
_CARRYING: dict[str, tuple[re.Pattern[str], frozenset[str]]] = {}


def carrying(sentence: str, *, texts: Collection[str] = ()) -> str:
    """Declares a kept sentence with values, "Cancelled by %(person)s.", and returns it, to be filled in by `%`.

    `texts` names the values that are kept texts themselves; any other is a name, or somebody's own words.
    """
    parts = _VALUE.split(sentence)
    pieces = [
        f"(?P<{part}>.+)" if place % 2 else re.escape(part.replace("%%", "%"))
        for place, part in enumerate(parts)
    ]
    _CARRYING[sentence] = re.compile("".join(pieces), re.DOTALL), frozenset(texts)
    return sentence


def told(text: str) -> str:
    """A kept text in the language of the page: as a whole, else sentence by sentence, as far as it is ours."""
    if not text or get_language() in (None, settings.LANGUAGE_CODE):
        return text
    sentences, words = _ENDS.split(text), []
    while sentences:
        # Of what is marked, the longest counts: one text may be two sentences.
        count, known = next(
            ((count, said) for count in range(len(sentences), 0, -1) if (said := _known(sentences[:count]))),
            (1, sentences[0]),
        )
        words.append(known)
        sentences = sentences[count:]
    return " ".join(words)


def _known(sentences: list[str]) -> str:
    """What these say together in the active language; "" where it is no text of ours."""
    text = " ".join(sentences)
    if (said := gettext(text)) != text:
        return said
    for sentence, (pattern, texts) in _CARRYING.items():
        if found := pattern.fullmatch(text):
            values = found.groupdict().items()
            filled = {name: told(value) if name in texts else value for name, value in values}
            # What was a number is text by now.
            return _VALUE.sub(r"%(\1)s", gettext(sentence)) % filled
    return ""
