"""Files with what is known of a driver, and drivers' links sent again."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeVar

from allauth.core.ratelimit import consume
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from connect.driver_language import activate, language_for, signed_link_view
from connect.driver_portal import own_data
from connect.driver_portal.link_requests import send_links
from connect.driver_portal.models import DriverPortal
from core.csv_files import layout_for

Item = TypeVar("Item")


@require_GET
@signed_link_view(DriverPortal.from_token)
def document(request: HttpRequest, page: DriverPortal) -> HttpResponse:
    """Returns what is known of the driver as a JSON file."""
    found = own_data.as_document(page=page, now=timezone.now())
    response = JsonResponse(found, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@require_GET
@signed_link_view(DriverPortal.from_token)
def recorded_values(request: HttpRequest, page: DriverPortal) -> StreamingHttpResponse:
    """Streams the values that were recorded of the driver's cars as CSV. Times are in UTC."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    layout = layout_for(form=request.GET.get("format", ""), language=language)
    rows = _in_language(own_data.recorded_values(page=page), language)
    lines = chain([layout.start], (layout.lines([row]) for row in rows))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="recorded-values.csv"'
    return response


def _in_language(rows: Iterable[Item], language: str) -> Iterator[Item]:
    """The rows are generated after the view has reset the driver's language."""
    iterator = iter(rows)
    while True:
        with translation.override(language):
            try:
                row = next(iterator)
            except StopIteration:
                return
        yield row


class LinkRequestForm(forms.Form):
    """The address of a driver who lost the link."""

    email = forms.EmailField(max_length=254)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def link_request(request: HttpRequest) -> HttpResponse:
    """Sends a driver's links again. The answer is the same whether or not the address is known."""
    with activate(language_for(request, chosen="")):
        form = LinkRequestForm(request.POST or None)
        context = {"form": form, "offered": settings.EMAIL_ENABLED}
        if request.method != "POST" or not settings.EMAIL_ENABLED:
            return render(request, "connect/driver_portal/link_request.html", context)
        if not form.is_valid():
            return render(request, "connect/driver_portal/link_request.html", context, status=400)
        address = form.cleaned_data["email"]
        if not consume(request, action="driver_link", key=address.casefold()):
            context["error"] = _("Too many requests. Wait an hour, then try again.")
            return render(request, "connect/driver_portal/link_request.html", context, status=429)
        send_links(address=address, now=timezone.now())
        return render(request, "connect/driver_portal/link_request.html", context | {"sent": address})
