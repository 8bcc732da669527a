"""Middleware: the user's language, the fleet's time zone, and sign-in redirects for htmx requests."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import get_language_from_request
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import Fleet
from vehicles.zones import known_zone

_API_PATH = "/api/"
# The admin shows stored data, which is in English; translating only its labels would mix languages.
_ENGLISH_PATHS = (_API_PATH, "/admin/")


class HtmxLoginRedirectMiddleware:
    """Reloads the whole page when the session has ended and htmx requests a part of the page.

    htmx would otherwise follow the redirect and put the sign-in form in place of the part.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._sign_in_url = resolve_url(settings.LOGIN_URL)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        to_sign_in = response.status_code == 302 and response.headers["Location"].startswith(
            self._sign_in_url
        )
        if to_sign_in and request.headers.get("HX-Request") == "true":
            return HttpResponseClientRefresh()
        return response


class NoStoreMiddleware:
    """Keeps pages and files out of the caches of browsers and proxies: all but those that set a policy of their own.

    What a signed-in user sees is never stored, except API responses, which clients revalidate (core.api.caching).
    Parts of pages, which htmx requests, are never stored either: going back must not show a part in place of a page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        is_part = request.headers.get("HX-Request") == "true"
        if is_part:
            patch_vary_headers(response, ("HX-Request",))
        if (
            is_part
            or "Cache-Control" not in response
            or (request.user.is_authenticated and not request.path.startswith(_API_PATH))
        ):
            patch_cache_control(response, private=True, no_store=True)
        return response


class UserLocaleMiddleware:
    """Activates the language that the user chose, or else the one that the browser prefers.

    The API and the admin stay in English.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(_ENGLISH_PATHS):
            return self._get_response(request)
        chosen = getattr(request.user, "language", "")
        language = chosen if chosen in dict(settings.LANGUAGES) else get_language_from_request(request)
        with translation.override(language):
            response = self._get_response(request)
            # Drivers' pages activate another language themselves, and then set the header.
            response.headers.setdefault("Content-Language", translation.get_language() or language)
        if not chosen:
            patch_vary_headers(response, ("Accept-Language",))
        return response


class FleetTimezoneMiddleware:
    """Activates the fleet's time zone on the fleet's pages: those with a `slug` in their URL."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self._get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]) -> None:
        """Run before the view, once the URL is resolved. Permissions are the view's to check."""
        slug = kwargs.get("slug")
        if slug is None or request.path.startswith(_API_PATH):
            return
        name = Fleet.objects.filter(slug=slug).values_list("time_zone", flat=True).first()
        if name is not None:
            timezone.activate(known_zone(name))
