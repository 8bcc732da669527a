"""What Django's own middleware leaves undone."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRefresh


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
