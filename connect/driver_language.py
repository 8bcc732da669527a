"""The language in which a driver is spoken to: the one chosen for them, else the one that their browser asks for.

It is that of our own pages and e-mails. Smartcar documents no parameter for the language of Connect; there the driver
chooses it ("Country Selection"). Members' pages speak the member's own (fleet.middleware), which changes nothing here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from core.signed_links import SignedLink

_KEY = "driver_language"

Link = TypeVar("Link", bound=SignedLink)
More = ParamSpec("More")


def is_supported(language: str) -> bool:
    """Whether we speak it."""
    return language in dict(settings.LANGUAGES)


def language_for(request: HttpRequest, *, chosen: str) -> str:
    """The chosen language, else the one in which this browser set out to Smartcar, else what the browser asks for.

    A language that we don't speak counts as none; where nothing is left it is the site's.
    """
    for language in (chosen, request.session.get(_KEY, "")):
        if is_supported(language):
            return str(language)
    return translation.get_language_from_request(request)


def remember(request: HttpRequest, language: str) -> None:
    """For the way back from Smartcar, which may tell too little to find the invitation by."""
    request.session[_KEY] = language


@contextmanager
def activate(language: str) -> Iterator[None]:
    """Texts, dates and times are in this language meanwhile; in the site's own when we don't speak it."""
    with translation.override(language if is_supported(language) else settings.LANGUAGE_CODE):
        yield


def signed_link_view(
    find: Callable[[str], Link | None],
) -> Callable[
    [Callable[Concatenate[HttpRequest, Link, More], HttpResponse]],
    Callable[..., HttpResponse],
]:
    """A view that a personal link opens: it is given the link's row in the secret's place, and speaks its language.

    What is not there is answered 404 by a page that says so in words for a driver, in their language.
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, Link, More], HttpResponse],
    ) -> Callable[..., HttpResponse]:
        @wraps(view)
        @never_cache
        @sensitive_variables()
        def opened(
            request: HttpRequest, secret: str, *args: More.args, **kwargs: More.kwargs
        ) -> HttpResponse:
            link = find(secret)
            language = language_for(request, chosen=link.language if link is not None else "")
            with activate(language):
                if link is None:
                    response = _nothing(request, None)
                else:
                    try:
                        response = view(request, link, *args, **kwargs)
                    except Http404:
                        response = _nothing(request, link)
                response.headers["Content-Language"] = language
            return response

        return opened

    return decorate


def _nothing(request: HttpRequest, link: SignedLink | None) -> HttpResponse:
    return render(request, "connect/driver_portal/link_invalid.html", {"link": link}, status=404)
