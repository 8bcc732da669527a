"""What Django's own middleware leaves undone."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRefresh

from accounts.models import Fleet
from vehicles.zones import known_zone

_MACHINES = ("/api/", "/metrics", "/healthz", "/readyz")
# Admins look at what is kept, which is English; half of a page in another language would not help them.
_ENGLISH = (*_MACHINES, "/admin/")


def sign_in_whole_page(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """A session that ended while a page polls: the whole page reloads, and so asks to sign in.

    htmx would follow the redirect and put the sign-in form into the fragment's place.
    """
    sign_in = resolve_url(settings.LOGIN_URL)

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        leads_to_sign_in = response.status_code == 302 and response.headers["Location"].startswith(sign_in)
        if leads_to_sign_in and request.headers.get("HX-Request") == "true":
            return HttpResponseClientRefresh()
        return response

    return middleware


class SpokenLanguage:
    """Pages in the language that the person chose, else in the one that their browser asks for.

    What machines and admins read stays in the site's own language.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(_ENGLISH):
            return self._get_response(request)
        chosen = getattr(request.user, "language", "")
        language = chosen if chosen in dict(settings.LANGUAGES) else _asked_for(request)
        with translation.override(language):
            response = self._get_response(request)
            # A driver's page may have spoken another language for itself.
            response.headers.setdefault("Content-Language", translation.get_language() or language)
        if not chosen:
            patch_vary_headers(response, ("Accept-Language",))
        return response


def _asked_for(request: HttpRequest) -> str:
    return translation.get_language_from_request(request)


class FleetTime:
    """Times on a fleet's pages are in the fleet's own time zone: those are the pages with a `slug` in their address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self._get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]) -> None:
        """Before the view, which is where the address is known. Who may see the fleet is not asked here."""
        slug = kwargs.get("slug")
        if slug is None or request.path.startswith(_MACHINES):
            return
        name = Fleet.objects.filter(slug=slug).values_list("time_zone", flat=True).first()
        if name is not None:
            timezone.activate(known_zone(name))
