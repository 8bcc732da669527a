"""Coordinates as people type or paste them. Pure functions."""

import re

_NUMBER = r"[+-]?\d{1,3}(?:%s\d+)?"
# "37.80, -122.27", as maps copy it; "37,80; 13,40" with decimal commas; either with nothing but a space between.
_PAIRS = (
    re.compile(rf"\s*({_NUMBER % '[.]'})\s*[,;\s]\s*({_NUMBER % '[.]'})\s*"),
    re.compile(rf"\s*({_NUMBER % '[.,]'})(?:\s*;\s*|\s+)({_NUMBER % '[.,]'})\s*"),
)
_ONE = re.compile(rf"\s*({_NUMBER % '[.,]'})\s*°?\s*")


def parse_pair(text: str) -> tuple[str, str] | None:
    """Latitude and longitude that stand together in one text, as two texts; None where there are not two."""
    for pattern in _PAIRS:
        if found := pattern.fullmatch(text):
            return found[1], found[2]
    return None


def parse_degrees(text: str, *, limit: float) -> float | None:
    """The degrees that a text says, with a decimal point or comma; None where it is none from -limit to limit."""
    found = _ONE.fullmatch(text)
    if found is None:
        return None
    degrees = float(found[1].replace(",", "."))
    return degrees if abs(degrees) <= limit else None
