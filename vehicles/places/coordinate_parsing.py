"""Parses coordinates that users type or paste: decimal degrees, degrees with minutes and seconds, and map links.

Pure functions. Where a text has several meanings, it has none here, and the form asks.
"""

import re
from urllib.parse import unquote

_UNIFORM = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "º": "°",
        "˚": "°",
        "′": "'",
        "’": "'",
        "‘": "'",
        "´": "'",
        "`": "'",
        "″": '"',
        "”": '"',
        "“": '"',
    }
)
# East is "Ost" in German, and west "Ouest" in French.
_LETTER_O = {"de": "E", "fr": "W"}
_SIGNS = {"N": 1, "S": -1, "E": 1, "W": -1}
_AXES = {90: "NS", 180: "EW"}

_POINT, _EITHER = r"[+-]?\d{1,3}(?:\.\d+)?", r"[+-]?\d{1,3}(?:[.,]\d+)?"
# "37.80, -122.27" as copied from maps, and "37 -122". Without a point or space, "52,5" may as well be one number.
_POINT_PAIR = re.compile(rf"({_POINT})(\s*[,;/]\s*|\s+)({_POINT})")
# "37,80; 13,40", "37,80, 13,40" and "37,80 13,40".
_COMMA_PAIR = re.compile(rf"({_EITHER})(?:\s*;\s*|,\s+|\s+)({_EITHER})")
# "52.5", "52,5°", "52° 30' 18"", "52:30:18"; with a letter also "N 52 30 18".
_ANGLE = re.compile(
    r"""(?P<before>[NSEW])?\s*
    (?P<sign>[+-])?(?P<degrees>\d{1,3}(?:[.,]\d+)?)
    (?:(?P<mark>\s*[°:]\s*|\s+)(?P<minutes>\d{1,2}(?:[.,]\d+)?)
    (?:(?:\s*[':]\s*|\s+)(?P<seconds>\d{1,2}(?:[.,]\d+)?)\s*"?|\s*'?)|\s*°?)
    \s*(?P<after>[NSEW])?""",
    re.VERBOSE | re.ASCII,
)

_NUMBER = r"([+-]?\d{1,3}(?:\.\d+)?)"
_LINK = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://|geo:)", re.IGNORECASE)
# What a link points at comes before the section of the map that it shows.
_LINK_PAIRS = tuple(
    re.compile(pattern.replace("NUMBER", _NUMBER))
    for pattern in (
        r"!3dNUMBER!4dNUMBER",
        r"[?&]mlat=NUMBER&mlon=NUMBER",
        r"[?&](?:q|query|ll|sll|daddr|destination|saddr|loc|center|coordinate|near)=(?:loc:)?NUMBER\s*[, ]\s*NUMBER",
        r"/(?:place|search|dir)/NUMBER,\s*NUMBER",
        r"geo:NUMBER,NUMBER",
        r"/@NUMBER,NUMBER",
        r"[?&]cp=NUMBER~NUMBER",
        r"[?&#]map=(?:\d+(?:\.\d+)?/)?NUMBER[/,]NUMBER",
    )
)


def parse_pair(text: str, *, language: str = "en") -> tuple[str, str] | None:
    """Splits a text into those of the latitude and the longitude. Returns None unless it clearly has both."""
    if _LINK.match(text):
        return _pair_in_link(unquote(text).replace("+", " "))
    uniform = _uniform(text, language)
    if (found := _POINT_PAIR.fullmatch(uniform)) and ("." in uniform or found[2] != ","):
        return found[1], found[3]
    if found := _COMMA_PAIR.fullmatch(uniform):
        return found[1], found[2]
    return _pair_of_angles(uniform)


def parse_degrees(text: str, *, limit: float, language: str = "en") -> float | None:
    """Parses one coordinate; its `limit` is 90 for a latitude and 180 for a longitude.

    Returns None unless the text is one, in the right direction, and from -limit to limit.
    """
    found = _ANGLE.fullmatch(_uniform(text, language))
    if found is None:
        return None
    degrees, letters = _angle(found), (found["before"] or "") + (found["after"] or "")
    if degrees is None or abs(degrees) > limit or letters not in ("", *_AXES[int(limit)]):
        return None
    return degrees


def _uniform(text: str, language: str) -> str:
    uniform = text.translate(_UNIFORM).strip().upper().replace("''", '"')
    return uniform.replace("O", _LETTER_O.get(language, "O"))


def _pair_in_link(link: str) -> tuple[str, str] | None:
    for pattern in _LINK_PAIRS:
        found = pattern.search(link)
        # Apps that know only an address send geo:0,0 with a search.
        if found and (float(found[1]), float(found[2])) != (0, 0):
            return found[1], found[2]
    return None


def _pair_of_angles(text: str) -> tuple[str, str] | None:
    """Splits coordinates with letters or degree signs. East or west may come first."""
    if not re.search("[NSEW°]", text):
        return None
    for separator in re.finditer(r"\s*[,;/]\s*|\s+|(?<=[NSEW\"'°])", text):
        first, second = text[: separator.start()], text[separator.end() :]
        if _is_angle(first) and _is_angle(second):
            swapped = bool(re.search("[EW]", first)) or bool(re.search("[NS]", second))
            return (second, first) if swapped else (first, second)
    return None


def _is_angle(text: str) -> bool:
    """Whether a part of a pair is one coordinate, with a letter or degree sign."""
    found = _ANGLE.fullmatch(text)
    return found is not None and bool(re.search("[NSEW°]", text)) and _angle(found) is not None


def _angle(found: re.Match[str]) -> float | None:
    """Returns the degrees of an angle; None if it contradicts itself."""
    before, after, sign = found["before"], found["after"], found["sign"]
    letter = before or after
    if (before and after) or (letter and sign == "-"):
        return None
    whole, minutes, seconds = (
        float((found[name] or "0").replace(",", ".")) for name in ("degrees", "minutes", "seconds")
    )
    if minutes >= 60 or seconds >= 60:
        return None
    parts = [found[name] for name in ("degrees", "minutes", "seconds") if found[name]]
    if any(not part.isdigit() for part in parts[:-1]):
        return None
    if found["minutes"] and not (letter or found["mark"].strip()):
        return None
    degrees = whole + minutes / 60 + seconds / 3600
    return degrees * (-1 if sign == "-" else _SIGNS.get(letter or "", 1))
