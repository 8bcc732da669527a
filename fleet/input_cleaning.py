"""Cleans parts of requests that no browser sends, and that Django or PostgreSQL would answer with an exception."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict

from core.request_body import declared_length

# Django decodes invalid UTF-8 to the same character. PostgreSQL can't store NUL.
_NUL, _REPLACEMENT = "\x00", "\ufffd"
_ENCODED_NUL, _ENCODED_REPLACEMENT = "%00", "%EF%BF%BD"


class InputCleaningMiddleware:
    """Replaces NUL in the path, cookies, and pages' queries and forms, so that views treat it like any unknown text.

    Also ignores charsets other than UTF-8, which pages never request, and limits Content-Length to numbers that Python
    converts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if length := request.META.get("CONTENT_LENGTH"):
            request.META["CONTENT_LENGTH"] = str(declared_length(length.encode("ascii", "replace")))
        if request.encoding is not None:
            request.encoding = "utf-8"
        request.path, request.path_info = _clean(request.path), _clean(request.path_info)
        if not _is_api(request):
            query = request.META.get("QUERY_STRING", "")
            request.META["QUERY_STRING"] = _clean(query.replace(_ENCODED_NUL, _ENCODED_REPLACEMENT))
        for name, value in request.COOKIES.items():
            request.COOKIES[name] = _clean(value)
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]) -> None:
        """Cleans the form once the URL is known."""
        if _is_api(request):
            return
        if any(_NUL in text for name, values in request.POST.lists() for text in (name, *values)):
            request.POST = _cleaned_form(request.POST)  # type: ignore[assignment]


def _is_api(request: HttpRequest) -> bool:
    """The API reports NUL as an error, with the name of the parameter."""
    return request.path_info.startswith("/api/")


def _cleaned_form(form: QueryDict) -> QueryDict:
    cleaned = QueryDict(mutable=True)
    for name, values in form.lists():
        cleaned.setlist(_clean(name), [_clean(value) for value in values])
    cleaned._mutable = False
    return cleaned


def _clean(text: str) -> str:
    return text.replace(_NUL, _REPLACEMENT)
