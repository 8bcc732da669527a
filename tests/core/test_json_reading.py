"""Reading JSON from outside: damage is repaired and named, and the result can be stored."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.json_reading import LEVELS, JsonRepair, read_json, without_nul

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def nested(levels: int) -> Any:
    """Returns this many lists, one inside the other; the innermost contains null."""
    value: Any = None
    for _level in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("raw", "value", "repairs"),
    [
        (b'{"a": 1}', {"a": 1}, []),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}, [JsonRepair.BYTE_ORDER_MARK.message(count=1)]),
        (b'{"a": "K\xe4fer"}', {"a": "K\ufffdfer"}, [JsonRepair.BYTES_REPLACED.message(count=1)]),
        (b'{"a": "\\ud83d!"}', {"a": "\ufffd!"}, [JsonRepair.CHARACTERS_REPLACED.message(count=1)]),
        (b'{"\\udc00": 1}', {"\ufffd": 1}, [JsonRepair.CHARACTERS_REPLACED.message(count=1)]),
        (b'["\\ud83d\\ude00", NaN]', ["\U0001f600", None], [JsonRepair.NUMBERS_LEFT_OUT.message(count=1)]),
        (
            b"[Infinity, -Infinity, 1e400, -1e400, 7]",
            [None, None, None, None, 7],
            [JsonRepair.NUMBERS_LEFT_OUT.message(count=4)],
        ),
        (
            b"[NaN, 18446744073709551615, 18446744073709551616, 1" + b"0" * 5000 + b"]",
            [None, 18446744073709551615, 18446744073709551616.0, None],
            [JsonRepair.NUMBERS_LEFT_OUT.message(count=2)],
        ),
        (b'["a\tb\nc"]', ["a\tb\nc"], []),
        (
            b'["C:\\Users\\x", "\\u12"]',
            ["C:\ufffdUsers\ufffdx", "\ufffdu12"],
            [JsonRepair.CHARACTERS_REPLACED.message(count=3)],
        ),
        (b"[nan, -inf, 7]", [None, None, 7], [JsonRepair.NUMBERS_LEFT_OUT.message(count=2)]),
        (
            b'{"a": None, "b": undefined, "c": 01}',
            {"a": None, "b": None, "c": None},
            [JsonRepair.VALUES_LEFT_OUT.message(count=3)],
        ),
        (
            b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b', "b": 1}',
            {"a": nested(LEVELS - 1), "b": 1},
            [JsonRepair.LEVELS_LEFT_OUT.message(count=1)],
        ),
    ],
)
def test_damage_is_repaired_and_named(raw: bytes, value: Any, repairs: list[Any]) -> None:
    document = read_json(raw)
    assert document.value == value
    assert list(document.repairs) == repairs


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe", b"no JSON", b"NaN", b"[" * 5000, b"]" * 5000, b'["a', b"\xef\xbb\xbf"]
)
def test_what_is_not_json_is_rejected(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(raw)


@given(value=VALUES, place=st.integers(0), byte=st.integers(0x80, 0xFF))
def test_every_readable_document_can_be_written_again(value: Any, place: int, byte: int) -> None:
    raw = json.dumps(value).encode()
    place %= len(raw) + 1
    for each in (raw, raw[:place] + bytes([byte]) + raw[place:]):
        try:
            document = read_json(each)
        except ValueError:
            assert each != raw
            continue
        orjson.dumps(document.value)


def test_nul_is_removed_from_keys_and_texts() -> None:
    assert without_nul({"a\x00": ["\x00b", 1]}) == {"a": ["b", 1]}


def test_nul_is_removed_from_a_document_that_is_nested_deeply() -> None:
    assert without_nul([*nested(900), "\x00"])[1] == ""


@pytest.mark.parametrize(
    "raw", [b'{"a": "' + b"\\" * 200_000, b"{" + b'"' * 200_001, b"[" + b"[]," * 60_000 + b"NaN"]
)
def test_damaged_documents_take_linear_time(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(raw)
