"""The language and time zone of a driver's pages: those chosen for the driver, else those of the browser.

Smartcar documents no parameter for the language of Connect; the driver chooses the language there ("Country
Selection"). Members' pages use the member's own language (fleet.middleware), which has no effect here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from core.signed_links import SignedLink
from core.time_zones import is_time_zone
from vehicles.models import Vehicle

_KEY = "driver_language"
# Set by static/js/driver-time-zone.js.
TIME_ZONE_COOKIE = "browser_time_zone"

Link = TypeVar("Link", bound=SignedLink)
Params = ParamSpec("Params")


def is_supported(language: str) -> bool:
    """Returns whether the site has translations for this language."""
    return language in dict(settings.LANGUAGES)


def language_for(request: HttpRequest, *, chosen: str) -> str:
    """Returns the chosen language, else the one in which this browser started the authorization, else the browser's.

    Unsupported languages are skipped. The last resort is the site's language.
    """
    for language in (chosen, request.session.get(_KEY, "")):
        if is_supported(language):
            return str(language)
    return translation.get_language_from_request(request)


def time_zone_for(request: HttpRequest, *, chosen: str, fallback: str) -> str:
    """Returns the chosen time zone, else the browser's, else `fallback`; unknown ones are skipped."""
    for name in (chosen, request.COOKIES.get(TIME_ZONE_COOKIE, ""), fallback):
        if is_time_zone(name):
            return name
    return "UTC"


def remember(request: HttpRequest, language: str) -> None:
    """Stores the language for the callback, which may lack the data to find the invitation."""
    request.session[_KEY] = language


def vehicle_for_driver(vehicle: Vehicle) -> str:
    """Returns the vehicle's make, model and year, since drivers don't know the fleet's name for it."""
    return vehicle.description or translation.gettext("your car")


@contextmanager
def activate(language: str) -> Iterator[None]:
    """Activates the language for texts, dates and times; the site's language if this one is unsupported."""
    with translation.override(language if is_supported(language) else settings.LANGUAGE_CODE):
        yield


def signed_link_view(
    find: Callable[[str], Link | None],
) -> Callable[
    [Callable[Concatenate[HttpRequest, Link, Params], HttpResponseBase]],
    Callable[..., HttpResponseBase],
]:
    """Decorates the view of a signed link: the view gets the link's row instead of the secret.

    The view runs in the driver's language and time zone.

    An unknown link and Http404 result in a 404 page for drivers, in the driver's language.
    """

    def decorate(
        view: Callable[Concatenate[HttpRequest, Link, Params], HttpResponseBase],
    ) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        @never_cache
        @sensitive_variables()
        def wrapper(
            request: HttpRequest, secret: str, *args: Params.args, **kwargs: Params.kwargs
        ) -> HttpResponseBase:
            link = find(secret)
            language = language_for(request, chosen=link.language if link is not None else "")
            response: HttpResponseBase
            with activate(language), timezone.override(_time_zone(request, link)):
                if link is None:
                    response = _not_found(request, None)
                else:
                    try:
                        response = view(request, link, *args, **kwargs)
                    except Http404:
                        response = _not_found(request, link)
                response.headers["Content-Language"] = language
            return response

        return wrapper

    return decorate


def _time_zone(request: HttpRequest, link: SignedLink | None) -> str:
    fleet = getattr(link, "fleet", None)
    return time_zone_for(
        request, chosen=getattr(link, "time_zone", ""), fallback=fleet.time_zone if fleet is not None else ""
    )


def _not_found(request: HttpRequest, link: SignedLink | None) -> HttpResponse:
    return render(request, "connect/driver_portal/link_invalid.html", {"link": link}, status=404)
