"""The page about a form that was rejected because its CSRF token is outdated, usually by a later sign-in."""

import re
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRefresh

# Fields that are never sent back to the browser.
_SECRET = re.compile(r"password|secret|token|code|credential", re.IGNORECASE)
_TOKEN = "csrfmiddlewaretoken"  # noqa: S105  a field's name, not a secret


def failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Shows what was entered, and offers to send it again if the form came from a page of this site.

    Requests of htmx have no such page to go to: the page that sent them is loaded again, with a new token.
    """
    own = _is_from_this_site(request)
    if own and request.headers.get("HX-Request") == "true":
        messages.warning(request, _("The page was outdated. Nothing was saved or sent. Please try again."))
        return HttpResponseClientRefresh()
    names = [name for name in request.POST if name != _TOKEN]
    entered = [
        (name, value) for name in names if not _SECRET.search(name) for value in request.POST.getlist(name)
    ]
    context = {
        "own": own,
        "entered": entered if own else [],
        "can_send_again": own and bool(names) and not any(map(_SECRET.search, names)),
        "back": _referring_path(request) if own else "",
    }
    return render(request, "csrf_failure.html", context, status=403)


def _is_from_this_site(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this site sent the form. Others may not have it sent again."""
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    sent_by, here = _split(origin), _split(request.build_absolute_uri("/"))
    return sent_by == here and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"


def _split(address: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if parts.netloc else None


def _referring_path(request: HttpRequest) -> str:
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""
    return (
        parts._replace(scheme="", netloc="", fragment="").geturl()
        if parts.netloc == request.get_host()
        else ""
    )
