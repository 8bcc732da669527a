"""Reads JSON from outside. A damaged document is read as far as possible, instead of being lost as a whole.

What isn't JSON, or can't be stored by PostgreSQL as text or jsonb, is replaced or left out: invalid UTF-8, lone
surrogates, invalid escapes, numbers that aren't finite, unknown words, and what is nested too deeply. NUL is valid
JSON, and is removed from what is stored: by `without_nul`, and by vehicles.structured_values. Pure functions.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _

from core.message_codes import Message, MessageCatalog

LEVELS = 100
"""Objects and lists of a damaged document that are nested more deeply are left out. Real documents have about ten."""

_BYTE_ORDER_MARK = "\ufeff"
_REPLACEMENT = "\ufffd"
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9A-Fa-f]{4}))?')
# A string, an opening or closing bracket, or a bare word: a number, true, false, null, or damage. Possessive, so that
# damaged strings take no longer.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]|[^\s\[\]{},:"]++', re.DOTALL)
_WORD = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
_OPENING = frozenset("[{")
_CLOSING = frozenset("]}")
_LARGEST_INTEGER = 2**64 - 1
_SMALLEST_INTEGER = -(2**63)
_DIGITS_LIMIT = 20  # of an integer that fits into 64 bits, with its sign


class JsonRepair(MessageCatalog):
    """What was replaced in a damaged document, or left out."""

    BYTE_ORDER_MARK = "json.byte_order_mark", _("A byte order mark was removed.")
    BYTES_REPLACED = "json.bytes_replaced", _("Invalid bytes were replaced: %(count)s.")
    CHARACTERS_REPLACED = "json.characters_replaced", _("Invalid characters were replaced: %(count)s.")
    NUMBERS_LEFT_OUT = "json.numbers_left_out", _("Numbers without a finite value were left out: %(count)s.")
    VALUES_LEFT_OUT = "json.values_left_out", _("Values that aren't valid JSON were left out: %(count)s.")
    LEVELS_LEFT_OUT = "json.levels_left_out", _("Parts that were nested too deeply were left out: %(count)s.")


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """A document, and what was replaced in it or left out."""

    value: Any
    repairs: tuple[Message, ...] = ()


def read_json(raw: bytes) -> JsonDocument:
    """Returns the document. Only one that isn't valid is read a second time, and repaired.

    Raises ValueError if it can't be repaired.
    """
    try:
        return JsonDocument(orjson.loads(raw))
    except orjson.JSONDecodeError:
        return _read_damaged(raw)


def without_nul(value: Any, levels: int = LEVELS) -> Any:
    """Returns a copy of a JSON value without NUL, which is valid JSON, but which PostgreSQL can't store in text.

    What is nested more deeply than `levels` becomes None.
    """
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [without_nul(each, levels - 1) for each in value] if levels else None
    if isinstance(value, dict):
        items = value.items()
        return {without_nul(key): without_nul(each, levels - 1) for key, each in items} if levels else None
    return value


def _read_damaged(raw: bytes) -> JsonDocument:
    repaired: Counter[JsonRepair] = Counter()
    text = "".join(_without_damage(_decode(raw, repaired), repaired))
    value = _clean(_parse(text, repaired), repaired)
    repairs = (repair.message(count=repaired[repair]) for repair in JsonRepair if repaired[repair])
    return JsonDocument(value, tuple(repairs))


def _decode(raw: bytes, repaired: Counter[JsonRepair]) -> str:
    valid = raw.decode("utf-8", "ignore")
    text = raw.decode("utf-8", "replace")
    if replaced := text.count(_REPLACEMENT) - valid.count(_REPLACEMENT):
        repaired[JsonRepair.BYTES_REPLACED] = replaced
    if text.startswith(_BYTE_ORDER_MARK):
        repaired[JsonRepair.BYTE_ORDER_MARK] = 1
    return text.lstrip(_BYTE_ORDER_MARK)


def _without_damage(text: str, repaired: Counter[JsonRepair]) -> Iterator[str]:
    """Yields the text in parts: with valid escapes, and null for bare words and for what is nested too deeply."""

    def escape(match: re.Match[str]) -> str:
        if match[1]:
            return match[0]
        repaired[JsonRepair.CHARACTERS_REPLACED] += 1
        return _REPLACEMENT

    text = _ESCAPE.sub(escape, text)
    depth = position = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in _OPENING:
            depth += 1
            left_out = JsonRepair.LEVELS_LEFT_OUT if depth == LEVELS + 1 else None
        elif token in _CLOSING:
            depth -= 1
            position = match.end() if depth == LEVELS else position
            left_out = None
        else:
            left_out = _invalid_word(token) if 0 < depth <= LEVELS else None
        if left_out:
            repaired[left_out] += 1
            yield f"{text[position : match.start()]}null"
            position = match.end()
    if depth <= LEVELS:
        yield text[position:]


def _invalid_word(token: str) -> JsonRepair | None:
    """Returns how a string or a bare word is repaired, or None if it is valid."""
    if token.startswith('"') or _WORD.fullmatch(token):
        return None
    is_number = token.lower().lstrip("+-") in ("nan", "inf", "infinity")
    return JsonRepair.NUMBERS_LEFT_OUT if is_number else JsonRepair.VALUES_LEFT_OUT


def _parse(text: str, repaired: Counter[JsonRepair]) -> Any:
    def finite(raw: str) -> float | None:
        number = float(raw)
        if math.isfinite(number):
            return number
        repaired[JsonRepair.NUMBERS_LEFT_OUT] += 1
        return None

    def integer(raw: str) -> int | float | None:
        """Returns an integer of up to 64 bits, else a float, as a valid document would."""
        number = int(raw) if len(raw) <= _DIGITS_LIMIT else _LARGEST_INTEGER + 1
        return number if _SMALLEST_INTEGER <= number <= _LARGEST_INTEGER else finite(raw)

    def constant(raw: str) -> None:
        """Rejects a document that consists of NaN or Infinity. Elsewhere, they have been left out already."""
        raise ValueError(raw)

    return json.loads(text, strict=False, parse_float=finite, parse_int=integer, parse_constant=constant)


def _clean(value: Any, repaired: Counter[JsonRepair]) -> Any:
    if isinstance(value, str):
        return _clean_text(value, repaired)
    if isinstance(value, list):
        return [_clean(each, repaired) for each in value]
    if isinstance(value, dict):
        return {_clean_text(key, repaired): _clean(each, repaired) for key, each in value.items()}
    return value


def _clean_text(text: str, repaired: Counter[JsonRepair]) -> str:
    cleaned, count = _SURROGATE.subn(_REPLACEMENT, text)
    repaired[JsonRepair.CHARACTERS_REPLACED] += count
    return cleaned
