"""Requests that no browser sends: the site's addresses, and values to put into them."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize


def _cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode().rstrip("=") + "%3D"


# In the encoding of a URL.
TEXTS = (
    "%00",
    "a%00b",
    "%ED%A0%80",  # a lone surrogate
    "%FF%FE",
    "x" * 5000,
    "%F0%9F%9A%97%E2%80%AE%0A",
    "%7B%22a%22%3A1%7D",
)
NUMBERS = (
    "-1",
    "0",
    "9" * 19,
    "9" * 40,
    "9" * 4400,
    "000000002" + "0" * 4400,
    "1e400",
    "NaN",
    "%C2%B2",
)
TIMES = (
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-02-30",
    "0001-01",
    "9999-12",
    "0001-01-01T00:00:00%2B14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59.999999Z",
    "10000-01-01T00:00:00Z",
)
CURSORS = (
    *map(
        _cursor,
        ("p=%00", "p=abc", "p=" + "9" * 40, "p=" + "9" * 4400, "o=99999999999999999999&p=1", "o=-1&r=x&p=1"),
    ),
    "%E9",
    "99999999999999-9999999999",
    "0001-01-01T00:00:00%2B14:00~1~1",
    "9999-12-31T23:59:59-14:00~0~1",
    "2026-11-20T12:00:00%2B00:00~1~" + "9" * 40,
    "2026-11-20T12:00:00%2B00:00~" + "9" * 4400 + "~1",
)
NESTED = "%5B" * 3000
FORM_VALUES = (*TEXTS, *NUMBERS, *TIMES, "%5B%5D", "true", NESTED, '{"id":"x","response":{"userHandle":1}}')
QUERY_VALUES = TEXTS + NUMBERS + TIMES + CURSORS
WORST_VALUES = ("%00", "9" * 4400, "9" * 19, "0001-01-01", "9999-12-31T23:59:59-14:00", CURSORS[0])
PATH_VALUES = ("%00", "%ED%A0%80", *TEXTS[4:], "-1", "9" * 19, "9" * 4400, *TIMES[:2], "'")
JSON_BODIES = (
    b"",
    b"[]",
    b"null",
    b"1",
    b'"text"',
    b"{}",
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"NaN",
    b'{"command": NaN}',
    b'{"command": "\\ud800"}',
    b'{"command": "\\u0000"}',
    b'{"command": null}',
    b'{"command": []}',
    b'{"command": {"a": 1}}',
    b'{"command": 1e400}',
    b'{"command": "lock", "reason": 5}',
    b'{"command": "lock", "reason": "\\u0000"}',
    b'{"command": "lock", "expires_in": 1e308}',
    b'{"command": "lock", "parameters": [1]}',
    b'{"command": "set_charge_limit", "parameters": {"percent": 1' + b"0" * 400 + b"}}",
    b'{"command": "set_charge_limit", "percent": [[80]]}',
    b'{"command": "set_charge_limit", "percent": true}',
    b'{"command": "set_destination", "latitude": "52,5", "longitude": {}}',
    b'{"\\u0000": 1, "command": "unlock"}',
    b'{"command": "' + b"x" * 100_000 + b'"}',
    b"[" * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
)


@dataclass(frozen=True, slots=True)
class Address:
    """A URL pattern: a format such as "/fleets/%(slug)s/" and the names in it."""

    form: str
    names: tuple[str, ...]


def addresses() -> list[Address]:
    """Returns every URL pattern of the project."""
    return list(dict.fromkeys(_addresses(get_resolver().url_patterns, "/", ())))


def _addresses(
    patterns: list[URLPattern | URLResolver], form: str, names: tuple[str, ...]
) -> Iterator[Address]:
    for each in patterns:
        regex = each.pattern.regex.pattern
        piece, params = normalize(regex)[0]
        whole, all_names = form + piece, (*names, *params)
        if isinstance(each, URLResolver):
            yield from _addresses(each.url_patterns, whole, all_names)
        else:
            yield Address(whole, all_names)


class Recorder(QueryDict):
    """A query or form that notes which names are read, in `seen`."""

    seen: ClassVar[set[str]] = set()

    def __getitem__(self, name: str) -> Any:
        self.seen.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.seen.add(str(name))
        return super().__contains__(name)

    def getlist(self, name: str, default: Any = None) -> Any:
        self.seen.add(name)
        return super().getlist(name, default)


class RecordingMiddleware:
    """Notes which query parameters and fields the request's view reads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Wrap query and form, once other middleware has read them."""
        request.GET = _recorder(request.GET)  # type: ignore[assignment]
        if request.method == "POST":
            request.POST = _recorder(request.POST)  # type: ignore[assignment]


def _recorder(values: QueryDict) -> Recorder:
    recorder = Recorder(mutable=True)
    for name, entries in values.lists():
        recorder.setlist(name, entries)
    recorder._mutable = False
    Recorder.seen.clear()
    return recorder
