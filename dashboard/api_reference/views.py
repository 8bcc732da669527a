"""The reference page of the API, made from its OpenAPI description.

Rendered here because Redoc (2.5) and Scalar (1.76) insert styles, which the content security policy blocks: Redoc stops
with an error, Scalar shows next to nothing. Redoc 3 can't be installed, since a dependency of it isn't published.
"""

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.api.description import api_description
from dashboard.api_reference.outline import Outline, outline


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Shows every operation and type of the API. As public as the description itself."""
    context = {"outline": _outline(), "site": settings.SITE_URL}
    return render(request, "dashboard/api_reference/page.html", context)


@cache
def _outline() -> Outline:
    return outline(api_description())
