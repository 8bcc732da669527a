"""Reads JSON from outside. A damaged document is read as far as possible, instead of being lost as a whole.

What PostgreSQL can't store as text or jsonb is replaced or left out: invalid UTF-8, lone surrogates, and numbers that
aren't finite. NUL is valid JSON, and is removed from what is stored: by `without_nul`, and by
vehicles.structured_values. Pure functions.
"""

import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _

from core.message_codes import Message, MessageCatalog

_BYTE_ORDER_MARK = "\ufeff"
_REPLACEMENT = "\ufffd"
_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST_INTEGER = 2**64 - 1
_SMALLEST_INTEGER = -(2**63)
_DIGITS_LIMIT = 20  # of an integer that fits into 64 bits, with its sign


class JsonRepair(MessageCatalog):
    """What was replaced in a damaged document, or left out."""

    BYTE_ORDER_MARK = "json.byte_order_mark", _("A byte order mark was removed.")
    BYTES_REPLACED = "json.bytes_replaced", _("Invalid bytes were replaced: %(count)s.")
    CHARACTERS_REPLACED = "json.characters_replaced", _("Invalid characters were replaced: %(count)s.")
    NUMBERS_LEFT_OUT = "json.numbers_left_out", _("Numbers without a finite value were left out: %(count)s.")


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


def without_nul(value: Any) -> Any:
    """Returns a copy of a JSON value without NUL, which is valid JSON, but which PostgreSQL can't store in text."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [without_nul(each) for each in value]
    if isinstance(value, dict):
        return {without_nul(key): without_nul(each) for key, each in value.items()}
    return value


def _read_damaged(raw: bytes) -> JsonDocument:
    repaired: Counter[JsonRepair] = Counter()
    try:
        value = _clean(_parse(_decode(raw, repaired), repaired), repaired)
    except RecursionError:
        raise ValueError("nested too deeply") from None
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


def _parse(text: str, repaired: Counter[JsonRepair]) -> Any:
    def left_out(raw: str) -> float | None:
        repaired[JsonRepair.NUMBERS_LEFT_OUT] += 1
        return None

    def finite(raw: str) -> float | None:
        number = float(raw)
        return number if math.isfinite(number) else left_out(raw)

    def integer(raw: str) -> int | float | None:
        """Returns an integer of up to 64 bits, else a float, as a valid document would."""
        number = int(raw) if len(raw) <= _DIGITS_LIMIT else _LARGEST_INTEGER + 1
        return number if _SMALLEST_INTEGER <= number <= _LARGEST_INTEGER else finite(raw)

    return json.loads(text, strict=False, parse_constant=left_out, parse_float=finite, parse_int=integer)


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
