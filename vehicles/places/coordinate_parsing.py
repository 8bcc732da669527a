"""Parses coordinates that users type or paste. Pure functions."""

import re

_NUMBER = r"[+-]?\d{1,3}(?:%s\d+)?"
# "37.80, -122.27", as copied from maps; "37,80; 13,40" with decimal commas; both also with only a space in between.
_PAIRS = (
    re.compile(rf"\s*({_NUMBER % '[.]'})\s*[,;\s]\s*({_NUMBER % '[.]'})\s*"),
    re.compile(rf"\s*({_NUMBER % '[.,]'})(?:\s*;\s*|\s+)({_NUMBER % '[.,]'})\s*"),
)
_ONE = re.compile(rf"\s*({_NUMBER % '[.,]'})\s*°?\s*")


def parse_pair(text: str) -> tuple[str, str] | None:
    """Splits a text with latitude and longitude into two texts. Returns None unless there are two numbers."""
    for pattern in _PAIRS:
        if found := pattern.fullmatch(text):
            return found[1], found[2]
    return None


def parse_degrees(text: str, *, limit: float) -> float | None:
    """Parses degrees with a decimal point or comma. Returns None unless they are from -limit to limit."""
    found = _ONE.fullmatch(text)
    if found is None:
        return None
    degrees = float(found[1].replace(",", "."))
    return degrees if abs(degrees) <= limit else None
